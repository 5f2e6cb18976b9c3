"""What the rows of a PRI call do: `span` is the PriSpan, `call` its record, `event` what happened. Line server's event loop only."""

from typing import TYPE_CHECKING, Any

from drivers.protocol import Cause, TransferOutcome
from drivers.signalling import (
    AlertWanted,
    CallAlerting,
    CallAnswered,
    CallReleased,
    LineFailed,
    LinkTransferWanted,
    ReleaseWanted,
    StartTimer,
    TransferDone,
)
from drivers.signalling.pri.causes import from_wire, to_wire

if TYPE_CHECKING:
    from drivers.signalling.pri.binding import Event
    from drivers.signalling.pri.calls import CallRecord
    from drivers.signalling.pri.span import PriSpan

TRANSFER_LIMIT_MS = 8000  # twice what libpri waits for an answer
CLEARING_LIMIT_MS = 60_000  # more than T305 and twice T308, which libpri keeps


def nothing(span: "PriSpan", call: "CallRecord", event: Any) -> None:
    """What says nothing in this state."""


# --- in --------------------------------------------------------------------------------------------------------------


def await_digits(span: "PriSpan", call: "CallRecord", event: Any) -> None:
    span.emit(call.channel, StartTimer("digits", span.config.digit_wait_ms))


def offer(span: "PriSpan", call: "CallRecord", event: Any) -> None:
    span.stack.proceed(call.handle, call.slot)
    span.offer(call)


def alert(span: "PriSpan", call: "CallRecord", event: AlertWanted) -> None:
    """ALERTING once; that there is something to hear can still be told afterwards."""
    if not call.ringing:
        span.stack.alert(call.handle, call.slot, event.inband)
    elif event.inband and not call.inband:
        span.stack.progress(call.handle, call.slot)
    call.ringing, call.inband = True, call.inband or event.inband


def alert_unless_told(span: "PriSpan", call: "CallRecord", event: Any) -> None:
    alert(span, call, AlertWanted())


def answer(span: "PriSpan", call: "CallRecord", event: Any) -> None:
    span.stack.answer(call.handle, call.slot)
    span.emit(call.channel, CallAnswered())


# --- out -------------------------------------------------------------------------------------------------------------


def send_rest(span: "PriSpan", call: "CallRecord", event: "Event") -> None:
    span.stack.send_digits(call.handle, call.digits)
    call.digits = ""
    _hear(span, call, event)


def proceeding(span: "PriSpan", call: "CallRecord", event: "Event") -> None:
    _hear(span, call, event)


def progress(span: "PriSpan", call: "CallRecord", event: "Event") -> None:
    _hear(span, call, event)


def _hear(span: "PriSpan", call: "CallRecord", event: "Event") -> None:
    if event.inband and not call.inband:
        call.inband = True
        span.emit(call.channel, CallAlerting(True))


def ringing(span: "PriSpan", call: "CallRecord", event: "Event") -> None:
    call.inband = call.inband or event.inband
    span.emit(call.channel, CallAlerting(call.inband))


def answered(span: "PriSpan", call: "CallRecord", event: "Event") -> None:
    span.emit(call.channel, CallAnswered())


def no_answer(span: "PriSpan", call: "CallRecord", event: Any) -> None:
    _clear(span, call, Cause.NO_ANSWER, by_far_end=False)


def channel_taken(span: "PriSpan", call: "CallRecord", event: Any) -> None:
    """The switch answers on a channel we did not ask for: the call is tried again elsewhere."""
    _clear(span, call, Cause.CHANNEL_NOT_AVAILABLE, by_far_end=True)


def far_failed(span: "PriSpan", call: "CallRecord", event: "Event") -> None:
    """A cause with a tone to hear instead of the end of the call."""
    _clear(span, call, from_wire(event.cause), by_far_end=True)


# --- ends ------------------------------------------------------------------------------------------------------------


def release(span: "PriSpan", call: "CallRecord", event: ReleaseWanted) -> None:
    _clear(span, call, event.cause, by_far_end=False)


def fail(span: "PriSpan", call: "CallRecord", event: LineFailed) -> None:
    _clear(span, call, event.cause, by_far_end=True)


def far_released(span: "PriSpan", call: "CallRecord", event: "Event") -> None:
    if call.joining and from_wire(event.cause) is Cause.NORMAL:
        span.emit(call.channel, TransferDone(TransferOutcome.TRANSFERRED))
    _clear(span, call, from_wire(event.cause), by_far_end=True)


def clear_on(span: "PriSpan", call: "CallRecord", event: "Event") -> None:
    span.stack.hang_up(call.handle, to_wire(event.cause))


def forget(span: "PriSpan", call: "CallRecord", event: Any) -> None:
    span.stack.forget(call.handle)


def _clear(span: "PriSpan", call: "CallRecord", cause: int, by_far_end: bool) -> None:
    """The next step of clearing, and the news, unless nobody was told of the call yet."""
    span.stack.hang_up(call.handle, to_wire(cause))
    span.emit(call.channel, StartTimer("clearing", CLEARING_LIMIT_MS))
    if span.is_known(call):
        span.emit(call.channel, CallReleased(int(cause), by_far_end))


# --- transfer --------------------------------------------------------------------------------------------------------


def transfer(span: "PriSpan", call: "CallRecord", event: LinkTransferWanted) -> None:
    """The switch joins both calls and then releases them, or does nothing, about which it says nothing either."""
    other = span.call_on(event.other)
    allowed = span.config.transfer and other is not None and other is not call and other.state == call.state
    if other is not None and allowed and span.stack.transfer(call.handle, other.handle):
        call.joining = True
        span.emit(call.channel, StartTimer("transfer", TRANSFER_LIMIT_MS))
    else:
        refuse_transfer(span, call, event)


def transfer_unanswered(span: "PriSpan", call: "CallRecord", event: Any) -> None:
    call.joining = False
    refuse_transfer(span, call, event)


def refuse_transfer(span: "PriSpan", call: "CallRecord", event: Any) -> None:
    span.emit(call.channel, TransferDone(TransferOutcome.REFUSED))
