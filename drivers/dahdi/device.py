"""The only open and ioctl of /dev/dahdi: descriptors and their requests, and one class for an open channel.

Every call returns at once (descriptors are non-blocking) and may be made from any one thread at a time. Audio
is normally moved by the media core on the raw descriptor; it needs GETEVENT and ELAST below, because read and
write fail with ELAST while an event waits, until GETEVENT took it. Raises: LineError (LIN-101 .. LIN-109),
see faults.py.
"""

import errno
import os
from typing import Any

from drivers.dahdi import faults
from drivers.dahdi._dahdi import ffi, lib
from drivers.dahdi.records import (
    BLOCK_SAMPLES,
    CONF_MODE_MASK,
    DEVICE_DIR,
    FCS_BYTES,
    FRAME_BUFFERS,
    Alarm,
    BufferPolicy,
    ChannelParams,
    ConfMode,
    DialOperation,
    EchoCanceller,
    Flush,
    Law,
    Policy,
)
from drivers.errors import LineError
from drivers.io import Hook

GETEVENT: int = lib.DAHDI_GETEVENT
"""Request number of the ioctl that takes the oldest event off a channel's queue (int)."""
ELAST: int = lib.DAHDI_ELAST
"""errno of read and write while an event waits."""
FLUSH: int = lib.DAHDI_FLUSH
"""Request number of the ioctl that empties buffers (int of Flush bits)."""

RX_BITS_MASK = 0xF
"""dahdi_dynamic gives the neighbour channel's bits in the upper half (it masks with 0xff)."""
MAX_CADENCE = 16
MAX_DIAL_LENGTH = 255
MAX_ECHO_PARAMETERS = 8


class EventPendingError(Exception):
    """read_block or write_block could do nothing because an event waits; take it with get_event."""


def open_device(path: str) -> int:
    """Open a device file non-blocking. Raises: LineError LIN-101, LIN-102."""
    try:
        return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise faults.cannot_open(path, error.errno or 0) from error


def text_of(field: Any) -> str:
    """A C string of the kernel."""
    return bytes(ffi.string(field)).decode(errors="replace")


class Descriptor:
    """An open descriptor of /dev/dahdi and its requests. Not for use outside this module, but for
    `fileno` and `close`."""

    def __init__(self, fd: int, where: str) -> None:
        self._fd = fd
        self.where = where

    def fileno(self) -> int:
        """The raw descriptor, -1 once closed."""
        return self._fd

    def close(self) -> None:
        """Close the descriptor; harmless when closed already."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def errno_of(self, request: str, argument: Any) -> int:
        return int(lib.careline_ioctl(self._fd, getattr(lib, request), argument))

    def request(self, request: str, argument: Any) -> None:
        failed = self.errno_of(request, argument)
        if failed:
            raise faults.request_refused(self.where, request, failed)

    def set_int(self, request: str, value: int) -> None:
        self.request(request, ffi.new("int *", value))

    def get_int(self, request: str, value: int = 0) -> int:
        cell = ffi.new("int *", value)
        self.request(request, cell)
        return int(cell[0])


class Channel(Descriptor):
    """One open channel. The kernel lets a channel be opened once; copies of the descriptor keep it open."""

    def __init__(self, number: int, device_dir: str = DEVICE_DIR) -> None:
        """Open by channel number. Raises: LineError LIN-104 not configured, LIN-105 in use."""
        super().__init__(open_device(f"{device_dir}/channel"), f"channel {number}")
        self.number = number
        failed = self.errno_of("DAHDI_SPECIFY", ffi.new("int *", number))
        if failed:
            self.close()
            raise faults.cannot_take_channel(number, failed)

    @classmethod
    def adopt(cls, fd: int, number: int) -> "Channel":
        """Take over a descriptor that survived an earlier process; the channel keeps its state.

        Raises: LineError LIN-109 when it is not that channel's; the descriptor is then left open.
        """
        channel = cls.__new__(cls)
        Descriptor.__init__(channel, fd, f"channel {number}")
        channel.number = number
        try:
            actual = channel.get_int("DAHDI_CHANNO")
        except LineError:
            actual = 0
        if actual != number:
            raise faults.foreign_descriptor(fd, number, actual)
        os.set_blocking(fd, False)
        return channel

    def channel_number(self) -> int:
        """The number the kernel gives this descriptor."""
        return self.get_int("DAHDI_CHANNO")

    def params(self) -> ChannelParams:
        """The channel as it stands now."""
        record = ffi.new("struct dahdi_params *")
        self.request("DAHDI_GET_PARAMS", record)
        return channel_params(record)

    def set_debounce(self, ms: int) -> None:
        """How long after going off-hook the driver of an FXO port takes no notice of the far end (its default: 600 ms)."""
        record = ffi.new("struct dahdi_params *")
        self.request("DAHDI_GET_PARAMS", record)
        record.debouncetime = ms
        self.request("DAHDI_SET_PARAMS", record)

    def set_flash_limit(self, ms: int) -> None:
        """How long the loop of an FXS port may be open for a flash; longer is a hang-up (the driver's default: 1250 ms)."""
        record = ffi.new("struct dahdi_params *")
        self.request("DAHDI_GET_PARAMS", record)
        record.rxflashtime = ms
        self.request("DAHDI_SET_PARAMS", record)

    def get_event(self) -> int:
        """Take the oldest event off the queue; 0 when none waits. Decode with events.decode."""
        return self.get_int("DAHDI_GETEVENT")

    def set_hook(self, hook: Hook) -> None:
        """Change the loop's state; what takes time is told by HOOKCOMPLETE, RINGERON, RINGEROFF.

        Raises: LineError LIN-108 while an earlier change runs.
        """
        failed = self.errno_of("DAHDI_HOOK", ffi.new("int *", int(hook)))
        # A non-blocking descriptor answers EINPROGRESS where a blocking one would wait: the change has begun.
        if failed not in (0, errno.EINPROGRESS):
            raise faults.request_refused(self.where, "DAHDI_HOOK", failed)

    def set_ring_cadence(self, cadence_ms: tuple[int, ...]) -> None:
        """Ring cadence of an FXS port in ms: on, off, on, off (at most 16); empty: that of the zone the channel has."""
        if len(cadence_ms) > MAX_CADENCE:
            raise ValueError(f"a cadence has up to {MAX_CADENCE} steps, not {len(cadence_ms)}")
        if not cadence_ms:
            self.request("DAHDI_SETCADENCE", ffi.NULL)
            return
        steps = [*cadence_ms, *[0] * (MAX_CADENCE - len(cadence_ms))]
        self.request("DAHDI_SETCADENCE", ffi.new("struct dahdi_ring_cadence *", {"ringcadence": steps}))

    def dial(self, digits: str, operation: DialOperation = DialOperation.REPLACE) -> None:
        """Let the driver dial: "T123" DTMF, "P123" pulses, "W" waits; DIALCOMPLETE tells the end.

        Any write of audio or hook change stops it, so never while the media core is attached.
        """
        if len(digits) > MAX_DIAL_LENGTH:
            raise ValueError(f"at most {MAX_DIAL_LENGTH} digits, not {len(digits)}")
        record = ffi.new("struct dahdi_dialoperation *", {"op": int(operation), "dialstr": digits.encode("ascii")})
        self.request("DAHDI_DIAL", record)

    def is_dialling(self) -> bool:
        """True while the driver dials."""
        return self.get_int("DAHDI_DIALING") != 0

    def set_dtmf_length(self, tone_ms: int) -> None:
        """Length of the driver's DTMF tones and of the pauses between them."""
        record = ffi.new("struct dahdi_dialparams *")
        self.request("DAHDI_GET_DIALPARAMS", record)
        record.dtmf_tonelen = tone_ms
        self.request("DAHDI_SET_DIALPARAMS", record)

    def set_tone_zone(self, zone: int) -> None:
        """Tone zone by the kernel's number (-1: default zone); gives ring cadence and tones."""
        self.set_int("DAHDI_SETTONEZONE", zone)

    def send_tone(self, tone: int) -> None:
        """Let the driver play a tone of the zone (0 dial, 1 busy, 2 ringback, 3 congestion; -1
        stops). A write stops it too."""
        self.set_int("DAHDI_SENDTONE", tone)

    def set_audio_mode(self, on: bool = True) -> None:
        """Audio on a clear channel (bchan); analogue channels refuse it, they have audio anyway."""
        self.set_int("DAHDI_AUDIOMODE", int(on))

    def set_law(self, law: Law) -> None:
        """Companding until the channel is closed."""
        self.set_int("DAHDI_SETLAW", int(law))

    def set_linear(self, on: bool) -> None:
        """16-bit linear instead of one byte a sample. The media core wants it off."""
        self.set_int("DAHDI_SETLINEAR", int(on))

    def set_buffers(self, policy: BufferPolicy) -> None:
        """Choose blocks and policy; both buffers are emptied by it."""
        record = ffi.new("struct dahdi_bufferinfo *")
        record.txbufpolicy, record.rxbufpolicy = int(policy.write), int(policy.read)
        record.numbufs, record.bufsize = policy.blocks, policy.block_bytes
        self.request("DAHDI_SET_BUFINFO", record)

    def buffers(self) -> BufferPolicy:
        """Policy in force. How full the buffers are the kernel does not tell (its two fields are always -1)."""
        record = ffi.new("struct dahdi_bufferinfo *")
        self.request("DAHDI_GET_BUFINFO", record)
        return BufferPolicy(record.numbufs, Policy(record.txbufpolicy), Policy(record.rxbufpolicy), record.bufsize)

    def flush(self, what: Flush) -> None:
        """Throw away what waits to be read or sent, or events."""
        self.set_int("DAHDI_FLUSH", int(what))

    def set_buffer_events(self, on: bool) -> None:
        """Ask for READ_OVERRUN and WRITE_UNDERRUN events."""
        self.set_int("DAHDI_BUFFER_EVENTS", int(on))

    def read_block(self) -> bytes:
        """At most 160 bytes received; b"" when none waits. Raises: EventPendingError. For tests and
        tools, not for calls."""
        try:
            return os.read(self._fd, BLOCK_SAMPLES)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise self._audio_fault(error, "read") from error

    def write_block(self, block: bytes) -> bool:
        """Send at most 160 bytes; False when the buffers are full. Raises: EventPendingError. For
        tests and tools, not for calls."""
        try:
            return os.write(self._fd, block) == len(block)
        except BlockingIOError:
            return False
        except OSError as error:
            raise self._audio_fault(error, "write") from error

    def read_frame(self) -> bytes:
        """A frame of a D-channel without its check sum; b"" when none waits. Raises: EventPendingError, LineError."""
        try:
            return os.read(self._fd, FRAME_BUFFERS.block_bytes)[:-FCS_BYTES]
        except BlockingIOError:
            return b""
        except OSError as error:
            raise self._audio_fault(error, "read") from error

    def write_frame(self, frame: bytes) -> bool:
        """Queue a frame; the kernel writes the check sum over the last bytes. False when there is no room. Raises: as read_frame."""
        try:
            return os.write(self._fd, frame + bytes(FCS_BYTES)) == len(frame) + FCS_BYTES
        except BlockingIOError:
            return False
        except OSError as error:
            raise self._audio_fault(error, "write") from error

    def _audio_fault(self, error: OSError, request: str) -> Exception:
        if error.errno == ELAST:
            return EventPendingError(self.where)
        return faults.request_refused(self.where, request, error.errno or 0)

    def set_gain_tables(self, receive: bytes, send: bytes) -> None:
        """256-byte tables in the channel's law (gains.gain_table); identity tables switch gain off."""
        record = ffi.new("struct dahdi_gains *", {"chan": 0, "rxgain": receive, "txgain": send})
        self.request("DAHDI_SETGAINS", record)

    def gain_tables(self) -> tuple[bytes, bytes]:
        """Receive and send tables in use."""
        record = ffi.new("struct dahdi_gains *")
        self.request("DAHDI_GETGAINS", record)
        return bytes(record.rxgain), bytes(record.txgain)

    def set_hardware_gain(self, tenths_db: int, send: bool) -> None:
        """Analogue gain of the port in tenths of a dB, for cards that have one."""
        self.request("DAHDI_SET_HWGAIN", ffi.new("struct dahdi_hwgain *", {"newgain": tenths_db, "tx": int(send)}))

    def set_echo_canceller(self, canceller: EchoCanceller | None) -> None:
        """Switch the canceller that system.conf attached on, or off with None; parameters are its
        module's own."""
        if canceller is None:
            self.set_int("DAHDI_ECHOCANCEL", 0)
            return
        if len(canceller.parameters) > MAX_ECHO_PARAMETERS:
            raise ValueError(f"at most {MAX_ECHO_PARAMETERS} echo canceller parameters")
        record = ffi.new("struct careline_echocan *")
        record.head.tap_length, record.head.param_count = canceller.taps, len(canceller.parameters)
        for slot, (name, value) in zip(record.params, canceller.parameters, strict=False):
            slot.name, slot.value = name.encode(), value
        self.request("DAHDI_ECHOCANCEL_PARAMS", record)

    def set_fax_mode(self, on: bool) -> None:
        """Fax mode of the echo canceller, where it has one."""
        self.set_int("DAHDI_ECHOCANCEL_FAX_MODE", int(on))

    def train_echo(self, after_ms: int) -> None:
        """Train the echo canceller after that many ms, muting meanwhile."""
        self.set_int("DAHDI_ECHOTRAIN", after_ms)

    def listen_to(self, other: int) -> None:
        """What this channel sends becomes what channel `other` receives (digital monitor); receiving
        goes on as before."""
        self._set_conference(ConfMode.DIGITAL_MONITOR, other)

    def leave_bridge(self, number: int = 0) -> None:
        """What this channel (or channel `number`) sends is again what is written to it."""
        self._set_conference(ConfMode.NORMAL, 0, number)

    def bridged_to(self, number: int = 0) -> int | None:
        """Channel this one (or channel `number`) is joined to by listen_to, asked of the kernel."""
        record = ffi.new("struct dahdi_confinfo *", {"chan": number})
        self.request("DAHDI_GETCONF", record)
        joined = record.confmode & CONF_MODE_MASK == ConfMode.DIGITAL_MONITOR
        return int(record.confno) if joined else None

    def _set_conference(self, mode: ConfMode, partner: int, number: int = 0) -> None:
        record = ffi.new("struct dahdi_confinfo *", {"chan": number, "confno": partner, "confmode": int(mode)})
        self.request("DAHDI_SETCONF", record)

    def rx_bits(self) -> int:
        """Received CAS bits, ABCD as 8 4 2 1."""
        return self.get_int("DAHDI_GETRXBITS") & RX_BITS_MASK

    def set_tx_bits(self, bits: int) -> None:
        """Send CAS bits, ABCD as 8 4 2 1."""
        self.set_int("DAHDI_SETTXBITS", bits)

    def set_polarity(self, reversed_: bool) -> None:
        """Polarity of an FXS port's loop."""
        self.set_int("DAHDI_SETPOLARITY", int(reversed_))

    def allow_on_hook_audio(self, for_ms: int) -> None:
        """Let audio through an on-hook FXS port (caller id between rings)."""
        self.set_int("DAHDI_ONHOOKTRANSFER", for_ms)

    def show_message_waiting(self, messages: int) -> None:
        """Message-waiting lamp of an FXS port; 0 switches it off."""
        self.set_int("DAHDI_VMWI", messages)

    def set_loopback(self, on: bool) -> None:
        """Send back what is received (maintenance)."""
        self.set_int("DAHDI_LOOPBACK", int(on))


KNOWN_ALARMS = sum(Alarm)


def channel_params(record: Any) -> ChannelParams:
    """A struct dahdi_params as a frozen value."""
    return ChannelParams(
        number=record.channo,
        span=record.spanno,
        timeslot=record.chanpos,
        sigtype=record.sigtype,
        name=text_of(record.name),
        law=Law(record.curlaw),
        rx_offhook=record.rxisoffhook != 0,
        rx_bits=record.rxbits if record.rxbits < 0 else record.rxbits & RX_BITS_MASK,
        tx_bits=record.txbits,
        alarms=Alarm(record.chan_alarms & KNOWN_ALARMS),
        capabilities=record.sigcap,
    )
