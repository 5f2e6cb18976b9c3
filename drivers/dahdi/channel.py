"""One opened channel of the kernel as `drivers.io` wants it: hook, bits, pulses, audio to the media core, native bridge.

Used from the line server's event loop only. Audio never passes here: the media core gets the raw descriptor, and while it has it, it
also takes the channel's events (read and write fail while one waits) and gives them back through `DahdiCard.line_event`.
"""

import asyncio
import os
from collections.abc import Callable
from typing import NamedTuple, Protocol

from drivers.dahdi import faults
from drivers.dahdi.device import ELAST, FLUSH, GETEVENT, RX_BITS_MASK, Channel
from drivers.dahdi.poller import EventPoller
from drivers.dahdi.pulses import HANDOVER_S, PulseDialling
from drivers.dahdi.records import CALLED_SIDE, CALLING_SIDE, BufferPolicy, EchoCanceller, Flush, Policy
from drivers.errors import LineError
from drivers.io import ChannelSpec, Hook, LineEvent, Signalling

CONVERSATION = BufferPolicy(blocks=16, write=Policy.IMMEDIATE)
"""The media core keeps WRITE_AHEAD_BLOCKS queued, so room beyond them costs no delay: it is there for a late tick."""

DEBOUNCE_MS = 50
"""A hang-up of the far end within that time after our answer is lost for good: the driver looks at changes only. Its own default, 600 ms,
loses callers who hang up at once."""

SETS = tuple(sorted(CALLING_SIDE))
LOOPS = (*sorted(CALLED_SIDE), *SETS)
"""Signalling of channels that have a loop; those of them that a set is on."""


class AudioCore(Protocol):
    """What is needed of the media core (`drivers.media.Engine`)."""

    def attach_fd(self, port: int, fd: int, write_ahead: int, getevent: int, elast: int, flush: int = 0, flush_what: int = 0) -> None:
        """Begin moving 160-byte blocks between a descriptor and a port."""

    def detach(self, port: int) -> None:
        """Stop; takes effect with the next tick."""


class CardTies(NamedTuple):
    """What all channels of the card share."""

    core: AudioCore
    poller: EventPoller
    write_ahead: int


class DahdiChannel:
    """One opened channel; see `drivers.io.ChannelIO`."""

    def __init__(self, spec: ChannelSpec, device: Channel, ties: "CardTies", canceller: EchoCanceller | None) -> None:
        self.spec = spec
        self.device = device
        self._core = ties.core
        self._poller = ties.poller
        self._write_ahead = ties.write_ahead
        self._canceller = canceller
        self._port: int | None = None
        self._resume: asyncio.TimerHandle | None = None
        self._pulses = PulseDialling(device, self.attach)
        self._closing = False
        self._poller.add(device)
        self._bits_told = device.rx_bits() if spec.signalling is Signalling.CAS else 0
        if spec.signalling in CALLED_SIDE:
            device.set_debounce(DEBOUNCE_MS)

    def set_hook(self, hook: Hook) -> None:
        """Change the loop's state. A clear channel (bchan) and CAS have no loop: LIN-116."""
        self._only(*LOOPS)
        self._pulses.over()
        self.device.set_hook(hook)

    def is_offhook(self) -> bool:
        """The loop of an FXS port. Every other channel looks the same before and during a call, so there: no alarm."""
        params = self.device.params()
        return params.rx_offhook if self.spec.signalling in CALLING_SIDE else not params.alarms

    def attach(self, port: int) -> None:
        """Give the channel to the media core; what was heard before is thrown away."""
        self.detach()
        self._poll_no_more()
        if self.spec.signalling is Signalling.BCHAN:
            self.device.set_audio_mode()
        self.device.set_linear(False)
        self.device.set_buffers(CONVERSATION)
        self.device.flush(Flush.BOTH)  # buffers of the same size are kept by the kernel with what is in them
        if self._canceller is not None:
            self.device.set_echo_canceller(self._canceller)
        self._tell_lost_sound(True)
        self._core.attach_fd(port, self.device.fileno(), self._write_ahead, GETEVENT, ELAST, FLUSH, Flush.WRITE)
        self._port = port

    def _tell_lost_sound(self, on: bool) -> None:
        """Numbers come and go by sound where there are bits: the kernel is to tell when some was lost (READ_OVERRUN, WRITE_UNDERRUN), but
        not while nobody reads."""
        if self.spec.signalling is Signalling.CAS:
            self.device.set_buffer_events(on)

    def detach(self) -> None:
        """Take the channel back for good, also from pulse dialling, which would give it to the media core again."""
        self._pulses.over(resume=False)
        self._take_back()

    def _take_back(self) -> None:
        """Events are polled again a little later, when the tick thread takes none any more."""
        if self._port is None:
            return
        self._core.detach(self._port)
        self._tell_lost_sound(False)
        self._port = None
        if self._canceller is not None:
            self.device.set_echo_canceller(None)
        self._resume = asyncio.get_running_loop().call_later(HANDOVER_S, self._poller.add, self.device)

    def bits(self) -> int:
        """Raises: LineError LIN-116 when the channel is not set up as CAS."""
        self._only(Signalling.CAS)
        return self.device.rx_bits()

    def set_bits(self, bits: int) -> None:
        """Raises: LineError LIN-116 as `bits`, LIN-118 for more than four bits."""
        self._only(Signalling.CAS)
        if not 0 <= bits <= RX_BITS_MASK:
            raise faults.not_sendable(self.device.where, f"bits {bits}", "0 to 15")
        self.device.set_tx_bits(bits)

    def dial_pulses(self, digits: str) -> None:
        """Raises: LineError LIN-116 on a channel without a loop, LIN-118 for anything but digits."""
        self._only(*LOOPS)
        self._pulses.check(digits)
        port = self._port
        self._take_back()
        self._pulses.start(digits, port)

    def set_polarity(self, reversed_: bool) -> None:
        """Raises: LineError LIN-116 when no set can be there, LIN-117 when the card cannot."""
        self._only(*SETS)
        self.device.set_polarity(reversed_)

    def show_message_waiting(self, on: bool) -> None:
        """Raises: as set_polarity."""
        self._only(*SETS)
        self.device.show_message_waiting(int(on))

    def set_ring_cadence(self, cadence_ms: tuple[int, ...]) -> None:
        """Raises: as set_polarity."""
        self._only(*SETS)
        self.device.set_ring_cadence(cadence_ms)

    def set_flash_limit(self, ms: int) -> None:
        """Raises: as set_polarity."""
        self._only(*SETS)
        self.device.set_flash_limit(ms)

    def allow_on_hook_audio(self, for_ms: int) -> None:
        """Raises: as set_polarity."""
        self._only(*SETS)
        self.device.allow_on_hook_audio(for_ms)

    def happened(self, event: LineEvent) -> bool:
        """Take an event of the kernel; False when nothing happened after all (loopback spans tell of the neighbours' bits too)."""
        if event is LineEvent.DIALCOMPLETE:
            self._pulses.over()
        return event is not LineEvent.BITSCHANGED or self._bits_changed()

    def _bits_changed(self) -> bool:
        try:
            before, self._bits_told = self._bits_told, self.bits()
        except LineError:
            return False  # its card went a moment ago, which is told by itself
        return self._bits_told != before

    def native_bridge(self, other: object) -> bool:
        """Join in the kernel, each way. False for another card's channel, this one itself, or another law (bytes are copied)."""
        if not isinstance(other, DahdiChannel) or other is self or other.spec.law != self.spec.law:
            return False
        self.device.listen_to(other.spec.number)
        try:
            other.device.listen_to(self.spec.number)
        except LineError:
            self.device.leave_bridge()
            raise
        return True

    def native_unbridge(self) -> None:
        """Part both directions; the kernel joins each by itself."""
        peer = self.device.bridged_to()
        self.device.leave_bridge()
        if peer is not None and self.device.bridged_to(peer) == self.spec.number:
            self.device.leave_bridge(peer)

    def native_peer(self) -> int | None:
        """The partner, as the kernel says."""
        return self.device.bridged_to()

    def store_fd(self) -> int | None:
        """The channel's descriptor."""
        return self.device.fileno()

    def set_echo_canceller(self, canceller: EchoCanceller | None) -> None:
        """Another canceller setting for the rest of the call (off for fax and modems)."""
        self.device.set_echo_canceller(canceller)

    def busy_out(self, on: bool) -> None:
        """Keep callers away: an FXO port goes off-hook, so that the exchange gives them its busy tone."""
        if self.spec.signalling in CALLED_SIDE:
            self.device.set_hook(Hook.OFF if on else Hook.ON)

    def close(self) -> None:
        """Hang up and close. A copy of the descriptor elsewhere keeps the channel open, so both are said aloud."""
        if self.device.fileno() < 0:
            return
        attached = self._port is not None
        self._closing = True
        self._quietly(self.native_unbridge)
        self._quietly(self.detach)
        self._poll_no_more()
        if self.spec.signalling.startswith("fx"):
            self._quietly(lambda: self.device.set_hook(Hook.ON))
        if attached:
            asyncio.get_running_loop().call_later(HANDOVER_S, self.device.close)
        else:
            self.device.close()

    def device_again(self) -> Channel | None:
        """The device of a channel closed so lately that its descriptor is still open; None when it is closed or its card is gone."""
        if not self._closing or self.device.fileno() < 0:
            return None
        fd = os.dup(self.device.fileno())
        try:
            device = Channel.adopt(fd, self.spec.number)
            device.flush(Flush.ALL)
        except LineError:
            os.close(fd)
            return None
        return device

    def _poll_no_more(self) -> None:
        if self._resume is not None:
            self._resume.cancel()
            self._resume = None
        self._poller.remove(self.device)

    def _only(self, *wanted: Signalling) -> None:
        if self.spec.signalling not in wanted:
            raise faults.other_signalling(self.spec.number, self.spec.signalling, wanted[0])

    def _quietly(self, step: Callable[[], None]) -> None:
        # A card that was pulled refuses everything; closing must go on all the same.
        try:
            step()
        except LineError as error:
            if error.code not in (faults.CHANNEL_GONE, faults.REFUSED):
                raise
