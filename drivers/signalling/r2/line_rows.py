"""What the rows of the R2 line table do. Pure; each answers the actions in order. Where a row's next state is None, this chooses it."""

from drivers.protocol import Cause
from drivers.signalling import (
    CallAlerting,
    CallAnswered,
    CallOffered,
    CallReleased,
    ChannelIdle,
    SoundTone,
    StartTimer,
)
from drivers.signalling.r2.incoming import IncomingRegister
from drivers.signalling.r2.machine import Actions, Bits, R2Machine
from drivers.signalling.r2.machine import R2State as S
from drivers.signalling.r2.outgoing import OutgoingRegister
from drivers.signalling.r2.variants import REFUSALS, Order


def nothing(line: R2Machine) -> Actions:
    return ()


# --- at rest -------------------------------------------------------------------------------------------------------


def rest(line: R2Machine) -> Actions:
    """Without a call, from whatever there was."""
    line.state = line.resting
    return (line.send(line.resting_bits), *line.tell_far_blocked())


def become_idle(line: R2Machine) -> Actions:
    return (ChannelIdle(), *rest(line))


def tell_far(line: R2Machine) -> Actions:
    return line.tell_far_blocked()


def no_channel(line: R2Machine) -> Actions:
    return (CallReleased(Cause.CHANNEL_NOT_AVAILABLE, False), ChannelIdle())


# --- out -----------------------------------------------------------------------------------------------------------


def seize(line: R2Machine) -> Actions:
    """Only digits can be sent."""
    number = line.wanted.number
    if not number.isascii() or not number.isdecimal():
        line.state = S.IDLE
        return (CallReleased(Cause.INVALID_NUMBER, False), ChannelIdle())
    line.state = S.SEIZING
    return (line.send(Bits.SEIZED), line.timer("seize_ack"), StartTimer("no_answer", line.wanted.no_answer_ms))


def dial(line: R2Machine) -> Actions:
    ani = line.wanted.caller or ""
    register = OutgoingRegister(line.span, line.loop, line.wanted.number, ani if ani.isascii() and ani.isdecimal() else "")
    line.register = register
    return register.begin()


def clear(line: R2Machine) -> Actions:
    """Clear forward; the far side becomes idle, or is blocked."""
    return (*line.drop_register(), line.send(Bits.IDLE), line.timer("clearing"))


def _end(line: R2Machine, cause: int, by_far_end: bool) -> Actions:
    return (CallReleased(cause, by_far_end), *clear(line))


def hang_up(line: R2Machine) -> Actions:
    return _end(line, line.release_cause, by_far_end=False)


def far_hung_up(line: R2Machine) -> Actions:
    return _end(line, Cause.NORMAL, by_far_end=True)


def no_answer(line: R2Machine) -> Actions:
    return _end(line, Cause.NO_ANSWER, by_far_end=False)


def no_ack(line: R2Machine) -> Actions:
    """Nobody there: the call may go by another channel."""
    return _end(line, Cause.NETWORK_OUT_OF_ORDER, by_far_end=False)


def far_faulty(line: R2Machine) -> Actions:
    return _end(line, Cause.TEMPORARY_FAILURE, by_far_end=True)


def lost(line: R2Machine) -> Actions:
    """Nobody knows which signals went out."""
    return _end(line, Cause.TEMPORARY_FAILURE, by_far_end=False)


def register_refused(line: R2Machine) -> Actions:
    return _end(line, line.register.cause if line.register else Cause.NORMAL, by_far_end=True)


def register_failed(line: R2Machine) -> Actions:
    cause = line.register.cause if line.register else 0
    return _end(line, cause or Cause.TEMPORARY_FAILURE, by_far_end=False)


def abandon(line: R2Machine) -> Actions:
    """Cleared before the far side has acknowledged: it would take that for nothing (Q.422 clause 3.2.1)."""
    return (CallReleased(line.release_cause, False),)


def alert(line: R2Machine) -> Actions:
    """The far side sounds its ringing itself."""
    line.register = None
    return (CallAlerting(inband=True),)


def answered(line: R2Machine) -> Actions:
    line.register = None
    return (CallAnswered(),)


def meter(line: R2Machine) -> Actions:
    """A charge pulse or the end of the call: how long it lasts will tell."""
    return (StartTimer("metering", line.span.charge_pulse_ms),)


def glare(line: R2Machine) -> Actions:
    """Both ends seized: both let go, after the far side must have seen it (Q.422 clause 3.2.7)."""
    return (CallReleased(Cause.CHANNEL_NOT_AVAILABLE, False), line.timer("glare", "release_guard"))


def glare_abandoned(line: R2Machine) -> Actions:
    return (line.timer("glare", "release_guard"),)


def guard(line: R2Machine) -> Actions:
    return (line.timer("guard", "release_guard"),)


# --- in ------------------------------------------------------------------------------------------------------------


def collect(line: R2Machine) -> Actions:
    register = IncomingRegister(line.span, line.loop)
    line.register = register
    return (line.send(Bits.BUSY), *register.begin())


def collect_unless_faulty(line: R2Machine) -> Actions:
    """It may seize as soon as it is no longer blocked, so that nobody sees it idle. From any other bits this is no seizure."""
    if line.far_before is not Bits.BUSY:
        return ()
    line.state = S.COLLECTING
    return collect(line)


def idle_then_collect(line: R2Machine) -> Actions:
    return (ChannelIdle(), *collect(line))


def _incoming(line: R2Machine) -> IncomingRegister:
    assert isinstance(line.register, IncomingRegister)  # states of a call in
    return line.register


def offer(line: R2Machine) -> Actions:
    register = _incoming(line)
    line.inband = False
    return (line.timer("accept"), CallOffered(register.caller, register.dnis))


def offer_set_up(line: R2Machine) -> Actions:
    """Without group B the far side already takes the line for free."""
    register = _incoming(line)
    line.register, line.inband = None, False
    return (SoundTone("ringback"), CallOffered(register.caller, register.dnis))


def accept(line: R2Machine) -> Actions:
    return _incoming(line).accept()


def ring(line: R2Machine) -> Actions:
    """The called side sounds the ringing, unless the call agent has something better."""
    line.register = None
    return (SoundTone("" if line.inband else "ringback"),)


def hush(line: R2Machine) -> Actions:
    return (SoundTone(),)


def answer_soon(line: R2Machine) -> Actions:
    line.register = None
    return (line.timer("answer", "answer_delay"),)


def answer(line: R2Machine) -> Actions:
    """At once, or the first of two answers."""
    line.state = S.FIRST_ANSWER if line.span.double_answer else S.ANSWERED_IN
    news = (line.timer("reanswer", "first_answer"),) if line.span.double_answer else (CallAnswered(),)
    return (SoundTone(), line.send(Bits.ANSWERED), *news)


def clear_back_briefly(line: R2Machine) -> Actions:
    return (line.send(Bits.BUSY), line.timer("reanswer", "answer_gap"))


def answer_again(line: R2Machine) -> Actions:
    return (line.send(Bits.ANSWERED), CallAnswered())


def refuse(line: R2Machine) -> Actions:
    """Say in group B why; the call is over when that has been heard."""
    return _incoming(line).refuse(REFUSALS.get(line.release_cause, Order.BUSY))


def release_ringing(line: R2Machine) -> Actions:
    """Nothing but a tone can tell it now, unless the far side knows forced release."""
    line.register = None
    released = CallReleased(line.release_cause, False)
    if line.span.forced_release:
        return (released, SoundTone(), line.send(Bits.SEIZED))
    return (released, SoundTone("busy"), line.timer("hush", "busy_tone"))


def release_answering(line: R2Machine) -> Actions:
    """The far side has heard that the line is free, or is about to."""
    line.state = S.REFUSED if line.register is None else S.REFUSING
    return release_ringing(line) if line.register is None else ()


def clear_back(line: R2Machine) -> Actions:
    bits = Bits.SEIZED if line.span.forced_release else Bits.BUSY
    return (CallReleased(line.release_cause, False), line.send(bits), SoundTone("busy"), line.timer("hush", "busy_tone"))


def congested(line: R2Machine) -> Actions:
    line.register = None
    return (SoundTone("congestion"), line.timer("hush", "busy_tone"))


def register_lost(line: R2Machine) -> Actions:
    return (CallReleased(Cause.TEMPORARY_FAILURE, True), *congested(line))


def cleared(line: R2Machine) -> Actions:
    """Clear forward, no call there any more: idle, which is the release guard too."""
    return (*line.drop_register(), SoundTone(), line.send(Bits.IDLE), *guard(line))


def far_gone(line: R2Machine) -> Actions:
    return (CallReleased(Cause.NORMAL, True), *cleared(line))


def refused_far_gone(line: R2Machine) -> Actions:
    return (CallReleased(line.release_cause, False), *cleared(line))


# --- calls of an earlier process -----------------------------------------------------------------------------------


def adopt_out(line: R2Machine) -> Actions:
    return (line.send(Bits.SEIZED),)


def adopt_in(line: R2Machine) -> Actions:
    return (line.send(Bits.ANSWERED),)


def adopt_progress(line: R2Machine) -> Actions:
    return (line.send(Bits.SEIZED), StartTimer("no_answer", line.wanted.no_answer_ms))


def adopt_answered(line: R2Machine) -> Actions:
    """It was answered while nobody was here."""
    return (line.send(Bits.SEIZED), CallAnswered())


def adopt_ringing(line: R2Machine) -> Actions:
    """Whether group B was through nobody knows; a far side that still waits for it gives up by T1."""
    return (line.send(Bits.BUSY), SoundTone("ringback"))
