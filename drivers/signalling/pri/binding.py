"""libpri as an object: `Stack` is one D-channel. Frames and time go in, frames and events come out; nothing else crosses.

The only importer of the compiled module. libpri keeps its state per D-channel but its clock and its messages for all of them, so everything
here belongs to one thread: the line server's event loop.
"""

import logging
from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import Any

import msgspec

from drivers.signalling.pri._pri import ffi, lib

log = logging.getLogger("careline.pri")

Call = Any
"""libpri's handle of a call; may be compared and used as a key, nothing else."""

LONGEST_FRAME = 300
_EPOCH_US = 10**12  # libpri takes time 0 for "never"
_ANY = (-1, 0xFF)
_SIGNALLING_ONLY = 1 << 17  # Source: libpri.h, event channel parameter encoding, bit D


class Kind(IntEnum):
    """Events of libpri. Source: libpri.h, PRI_EVENT_*."""

    DCHAN_UP = lib.PRI_EVENT_DCHAN_UP
    DCHAN_DOWN = lib.PRI_EVENT_DCHAN_DOWN
    RESTART = lib.PRI_EVENT_RESTART
    CONFIG_ERR = lib.PRI_EVENT_CONFIG_ERR
    RING = lib.PRI_EVENT_RING
    HANGUP = lib.PRI_EVENT_HANGUP
    RINGING = lib.PRI_EVENT_RINGING
    ANSWER = lib.PRI_EVENT_ANSWER
    HANGUP_ACK = lib.PRI_EVENT_HANGUP_ACK
    RESTART_ACK = lib.PRI_EVENT_RESTART_ACK
    FACILITY = lib.PRI_EVENT_FACILITY
    INFO_RECEIVED = lib.PRI_EVENT_INFO_RECEIVED
    PROCEEDING = lib.PRI_EVENT_PROCEEDING
    SETUP_ACK = lib.PRI_EVENT_SETUP_ACK
    HANGUP_REQ = lib.PRI_EVENT_HANGUP_REQ
    NOTIFY = lib.PRI_EVENT_NOTIFY
    PROGRESS = lib.PRI_EVENT_PROGRESS
    KEYPAD_DIGIT = lib.PRI_EVENT_KEYPAD_DIGIT
    SERVICE = lib.PRI_EVENT_SERVICE
    SERVICE_ACK = lib.PRI_EVENT_SERVICE_ACK
    HOLD = lib.PRI_EVENT_HOLD
    HOLD_ACK = lib.PRI_EVENT_HOLD_ACK
    HOLD_REJ = lib.PRI_EVENT_HOLD_REJ
    RETRIEVE = lib.PRI_EVENT_RETRIEVE
    RETRIEVE_ACK = lib.PRI_EVENT_RETRIEVE_ACK
    RETRIEVE_REJ = lib.PRI_EVENT_RETRIEVE_REJ
    CONNECT_ACK = lib.PRI_EVENT_CONNECT_ACK


NODES = {"user": lib.PRI_CPE, "network": lib.PRI_NETWORK}
SWITCHES = {
    "euroisdn": lib.PRI_SWITCH_EUROISDN_E1,
    "euroisdn_t1": lib.PRI_SWITCH_EUROISDN_T1,
    "qsig": lib.PRI_SWITCH_QSIG,
    "ni1": lib.PRI_SWITCH_NI1,
    "ni2": lib.PRI_SWITCH_NI2,
    "dms100": lib.PRI_SWITCH_DMS100,
    "5ess": lib.PRI_SWITCH_LUCENT5E,
    "4ess": lib.PRI_SWITCH_ATT4ESS,
}
LAWS = {"alaw": lib.PRI_LAYER_1_ALAW, "ulaw": lib.PRI_LAYER_1_ULAW}


class Number(msgspec.Struct, frozen=True):
    """A number as it is signalled: digits, type and plan (octet 3), presentation and screening (octet 3a). Source: Q.931 4.5.10."""

    digits: str
    plan: int = 0
    presentation: int = 0


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One event of libpri. `channel` is a timeslot, None: any or all of them."""

    kind: Kind
    channel: int | None = None
    call: Call = None
    reference: int = 0
    cause: int = 0
    complete: bool = False
    flexible: bool = False
    without_channel: bool = False
    inband: bool = False
    status: int = 0
    called: str = ""
    calling: Number | None = None
    ani: Number | None = None
    redirecting: Number | None = None
    name: str = ""
    text: str = ""


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """What a SETUP of ours says. `complete`: no digits will follow."""

    channel: int
    law: str
    called: Number
    calling: Number | None = None
    name: str = ""
    redirecting: Number | None = None
    complete: bool = True


class Stack:
    """One D-channel. `now_s` is asked before every step; it never falls."""

    def __init__(self, side: str, switch: str, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._tell_time()
        self._stack = lib.stack_new(NODES[side], SWITCHES[switch])
        if self._stack == ffi.NULL:
            raise MemoryError("libpri has no memory for a D-channel")
        self._pri = lib.stack_pri(self._stack)
        self._event = ffi.new("struct stack_event *")
        self._frame = ffi.new("unsigned char[]", LONGEST_FRAME)
        self._text = ffi.new("char[]", 4096)

    # --- settings ----------------------------------------------------------------------------------------------------

    def set_timer(self, name: str, value: int) -> None:
        """A timer in ms or a counter, by its name in the Recommendations ("T309", "N200")."""
        lib.pri_set_timer(self._pri, lib.pri_timer2idx(name.encode()), value)

    def set_up(self, overlap_sending: bool, service_messages: bool, facility: bool) -> None:
        lib.pri_hangup_fix_enable(self._pri, 1)
        lib.pri_set_inbanddisconnect(self._pri, 0)
        lib.pri_set_overlapdial(self._pri, int(overlap_sending))
        lib.pri_set_service_message_support(self._pri, int(service_messages))
        if facility:
            lib.pri_facility_enable(self._pri)
        if log.isEnabledFor(logging.DEBUG):
            lib.pri_set_debug(self._pri, lib.PRI_DEBUG_Q931_DUMP | lib.PRI_DEBUG_Q931_STATE | lib.PRI_DEBUG_Q921_STATE)

    # --- frames and time ---------------------------------------------------------------------------------------------

    def receive(self, frame: bytes) -> Event | None:
        """One frame without its check sum; a frame that cannot be one is dropped."""
        self._tell_time()
        made = lib.stack_receive(self._stack, frame, len(frame), self._event)
        return self._take() if made else None

    def run(self) -> Iterator[Event]:
        """What the timers that are due bring about."""
        self._tell_time()
        while lib.stack_run(self._stack, self._event):
            yield self._take()

    def next_s(self) -> float | None:
        """Seconds until `run` is wanted; None: never."""
        at_us = lib.stack_next_us(self._stack)
        return None if at_us < 0 else max(0.0, (at_us - self._tell_time()) / 1e6)

    def frames(self) -> Iterator[bytes]:
        """Frames to send, in order, each once."""
        while length := lib.stack_frame(self._stack, self._frame, LONGEST_FRAME):
            yield bytes(ffi.buffer(self._frame, length))

    def write_log(self) -> None:
        """What libpri has to say goes to our log."""
        while length := lib.stack_messages(self._text, 4096):
            if log.isEnabledFor(logging.DEBUG):
                log.debug("libpri: %s", bytes(ffi.buffer(self._text, length)).decode("latin-1").rstrip())

    # --- calls -------------------------------------------------------------------------------------------------------

    def knows(self, call: Call) -> bool:
        """False when libpri has forgotten the call."""
        return bool(lib.stack_knows(self._stack, call))

    def setup(self, setup: Setup) -> Call | None:
        """Call out; None when it cannot be begun."""
        self._tell_time()
        call = lib.pri_new_call(self._pri)
        if call == ffi.NULL:
            return None
        if self._send_setup(call, setup) == 0:
            return call
        lib.pri_destroycall(self._pri, call)
        return None

    def reference(self, call: Call) -> int:
        """Of a call of ours, as it stands in frames that arrive."""
        mode = ffi.new("int *")
        upper = lib.pri_get_crv(self._pri, call, mode)  # libpri splits it for another use: the lower three bits are the mode
        return 0x8000 | int(upper) << 3 | int(mode[0])

    def _send_setup(self, call: Call, setup: Setup) -> int:
        texts = [_text(each) for each in (setup.called, setup.calling, setup.redirecting)]
        name = ffi.new("char[]", setup.name.encode("latin-1", "replace")) if setup.name else ffi.NULL
        wanted = {
            "channel": setup.channel,
            "law": LAWS[setup.law],
            "complete": int(setup.complete),
            "called": texts[0],
            "called_plan": setup.called.plan,
            "calling": texts[1],
            "name": name,
            "redirecting": texts[2],
        }
        if setup.calling:
            wanted |= {"calling_plan": setup.calling.plan, "calling_presentation": setup.calling.presentation}
        if setup.redirecting:
            wanted["redirecting_plan"] = setup.redirecting.plan
        return int(lib.stack_setup(self._stack, call, ffi.new("struct stack_setup *", wanted)))

    def proceed(self, call: Call, channel: int) -> None:
        self._tell_time()
        lib.pri_proceeding(self._pri, call, channel, 0)

    def ask_for_digits(self, call: Call, channel: int) -> None:
        self._tell_time()
        lib.pri_setup_ack(self._pri, call, channel, 0, 0)

    def alert(self, call: Call, channel: int, inband: bool) -> None:
        self._tell_time()
        lib.pri_acknowledge(self._pri, call, channel, int(inband))

    def progress(self, call: Call, channel: int) -> None:
        """Something can be heard."""
        self._tell_time()
        lib.pri_progress(self._pri, call, channel, 1)

    def answer(self, call: Call, channel: int) -> None:
        self._tell_time()
        lib.pri_answer(self._pri, call, channel, 0)

    def send_digits(self, call: Call, digits: str) -> None:
        self._tell_time()
        for digit in digits:
            lib.pri_information(self._pri, call, digit.encode("ascii"))

    def hang_up(self, call: Call, cause: int) -> None:
        """The next step of clearing, whichever it is."""
        self._tell_time()
        lib.pri_hangup(self._pri, call, cause)

    def forget(self, call: Call) -> None:
        """Without a word to the far side."""
        lib.pri_destroycall(self._pri, call)

    def tell_state(self, reference: int) -> None:
        """Send STATUS of that call, as if the far side had asked by STATUS ENQUIRY: libpri does so by itself only now and then.

        A far side that knows nothing of the call clears it. Source: Q.931 clause 5.8.10.
        """
        self.receive(b"\x02\x01\x03\x08\x02" + reference.to_bytes(2, "big") + b"\x75")

    def transfer(self, call: Call, other: Call) -> bool:
        """Ask the switch to join two calls; False when it cannot be asked."""
        self._tell_time()
        return bool(lib.pri_channel_bridge(call, other) == 0)

    def restart(self, channel: int) -> None:
        self._tell_time()
        lib.pri_reset(self._pri, channel)

    def serve(self, channel: int, status: int) -> None:
        """SERVICE: the channel is in service (0), under maintenance (1), out of service (2)."""
        self._tell_time()
        lib.pri_maintenance_service(self._pri, 0, channel, status)

    # --- inside ------------------------------------------------------------------------------------------------------

    def _tell_time(self) -> int:
        now_us = _EPOCH_US + int(self._now_s() * 1e6)
        lib.stack_clock(now_us)
        return now_us

    def _take(self) -> Event:
        event = self._event[0]
        slot = event.channel
        return Event(
            kind=Kind(event.kind),
            channel=None if slot in _ANY or slot & 0xFF == 0xFF else slot & 0xFF,
            call=event.call if event.call != ffi.NULL else None,
            reference=event.reference,
            cause=event.cause,
            complete=bool(event.complete),
            flexible=bool(event.flexible),
            without_channel=slot > 0 and bool(slot & _SIGNALLING_ONLY),
            inband=bool(event.progress & lib.PRI_PROG_INBAND_AVAILABLE),
            status=event.status,
            called=_string(event.called),
            calling=_number(event.calling, event.calling_plan, event.calling_presentation),
            ani=_number(event.ani, event.ani_plan, lib.PRI_PRES_NETWORK_NUMBER),
            redirecting=_number(event.redirecting, event.redirecting_plan, event.redirecting_presentation),
            name=_string(event.name),
            text=_string(event.text),
        )


def _string(text: Any) -> str:
    return str(ffi.string(text).decode("latin-1"))


def _text(number: Number | None) -> Any:
    return ffi.NULL if number is None else ffi.new("char[]", number.digits.encode("ascii", "replace"))


def _number(text: Any, plan: int, presentation: int) -> Number | None:
    digits = _string(text)
    return Number(digits, max(plan, 0), presentation) if digits or presentation else None
