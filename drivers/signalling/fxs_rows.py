"""What the rows of a telephone set's table (`fxs.py`) do: one function per doing, named in the table. Pure."""

from typing import TYPE_CHECKING

from drivers.io import Hook
from drivers.protocol import Caller, Cause, NumberSource, Presentation
from drivers.protocol.number_plan import NumberKind
from drivers.signalling import (
    CallAlerting,
    CallAnswered,
    CallOffered,
    CallReleased,
    DigitHeard,
    FlashHeard,
    Input,
    LeftOffHook,
    ListenForDigits,
    NumberDialled,
    SendCallerId,
    SetCadence,
    SetHook,
    SoundTone,
    StartTimer,
    StopSending,
)
from drivers.signalling.analog_machine import Actions
from drivers.signalling.analog_rows import cause_of, idle

if TYPE_CHECKING:
    from drivers.signalling.fxs import FxoSignalled

# Ends of a call that a set hears as its own number being busy; all others are the network's fault or the number's.
_BUSY_CAUSES = frozenset({Cause.NORMAL, Cause.USER_BUSY, Cause.NO_ANSWER, Cause.NO_USER_RESPONSE, Cause.REJECTED})

# --- the set is rung ---------------------------------------------------------------------------------------------


def tell_number_first(line: "FxoSignalled", event: Input) -> Actions:
    """Caller id by DTMF, before the first ring."""
    limit = StartTimer("caller_id", line.config.caller_id_limit_ms)
    return (SendCallerId(_caller(line), "dtmf"), limit, StartTimer("no_answer", line.wanted.no_answer_ms))


def ring_set(line: "FxoSignalled", event: Input) -> Actions:
    return (*start_ringing(line, event), StartTimer("no_answer", line.wanted.no_answer_ms))


def start_ringing(line: "FxoSignalled", event: Input) -> Actions:
    line.bursts = 0
    cadence = SetCadence(line.config.rings.of(line.wanted.ring))
    return (cadence, SetHook(Hook.RING), CallAlerting())


def ring_paused(line: "FxoSignalled", event: Input) -> Actions:
    """Caller id goes into the first long pause of the ringing."""
    line.bursts += 1
    if line.config.caller_id not in ("fsk", "v23") or line.bursts != _burst_before_long_pause(line.config.rings.of(line.wanted.ring)):
        return ()
    return (StartTimer("caller_id", line.config.caller_id_after_ms),)


def tell_number(line: "FxoSignalled", event: Input) -> Actions:
    return (SendCallerId(_caller(line), line.config.caller_id),)


def _burst_before_long_pause(cadence_ms: tuple[int, ...]) -> int:
    pauses = cadence_ms[1::2]
    return pauses.index(max(pauses)) + 1 if pauses else 1


def _caller(line: "FxoSignalled") -> Caller:
    number = line.wanted.caller or ""
    return Caller(number, Presentation.ALLOWED if number else Presentation.UNAVAILABLE)


def set_answered(line: "FxoSignalled", event: Input) -> Actions:
    return (SetHook(Hook.OFF), CallAnswered())


def ring_answered(line: "FxoSignalled", event: Input) -> Actions:
    return (StopSending(), *set_answered(line, event))


# --- the set is lifted and dials -----------------------------------------------------------------------------------


def set_lifted(line: "FxoSignalled", event: Input) -> Actions:
    return (SetHook(Hook.OFF), *dial_tone(line, event))


def dial_tone(line: "FxoSignalled", event: Input) -> Actions:
    line.dialled = ""
    tone = SoundTone("stutter" if line.message_waiting else "dial")
    patience_ms = line.port.hotline_after_ms if line.port.hotline else line.config.first_digit_ms
    return (tone, ListenForDigits(), StartTimer("first_digit", patience_ms))


def idle_then_set_lifted(line: "FxoSignalled", event: Input) -> Actions:
    return (*idle(line, event), *set_lifted(line, event))


def take_digit(line: "FxoSignalled", event: Input) -> Actions:
    silence = () if line.dialled else (SoundTone(),)
    _keep(line, event)
    return (*silence, StartTimer("next_digit", line.config.next_digit_ms))


def offer_with_digit(line: "FxoSignalled", event: Input) -> Actions:
    _keep(line, event)
    return offer_dialled(line, event)


def offer_dialled(line: "FxoSignalled", event: Input) -> Actions:
    return (SoundTone(), ListenForDigits(False), _offer(line, line.dialled))


def call_hotline(line: "FxoSignalled", event: Input) -> Actions:
    return (SoundTone(), ListenForDigits(False), _offer(line, line.port.hotline))


def lifted_to_hotline(line: "FxoSignalled", event: Input) -> Actions:
    return (SetHook(Hook.OFF), _offer(line, line.port.hotline))


def idle_then_hotline(line: "FxoSignalled", event: Input) -> Actions:
    return (*idle(line, event), *lifted_to_hotline(line, event))


def refuse_number(line: "FxoSignalled", event: Input) -> Actions:
    return (ListenForDigits(False), *_tone(line, "congestion"))


def nothing_dialled(line: "FxoSignalled", event: Input) -> Actions:
    return (ListenForDigits(False), *_tone(line, "busy"))


def _keep(line: "FxoSignalled", event: Input) -> None:
    if isinstance(event, DigitHeard):
        line.dialled += event.digit


def _offer(line: "FxoSignalled", dnis: str) -> CallOffered:
    number = line.own_number
    caller = Caller(number, Presentation.ALLOWED if number else Presentation.UNAVAILABLE, NumberSource.SET)
    leads_to = line.plan.destination(dnis)
    return CallOffered(caller, dnis, urgent=leads_to is not None and leads_to.kind is NumberKind.EMERGENCY)


# --- a second number, in a call ------------------------------------------------------------------------------------


def flash(line: "FxoSignalled", event: Input) -> Actions:
    return (FlashHeard(),) if line.config.flash else ()


def collect(line: "FxoSignalled", event: Input) -> Actions:
    line.dialled = ""
    return (SoundTone("dial"), ListenForDigits(), StartTimer("first_digit", line.config.first_digit_ms))


def collected_with_digit(line: "FxoSignalled", event: Input) -> Actions:
    _keep(line, event)
    return collected(line, event)


def collected(line: "FxoSignalled", event: Input) -> Actions:
    return (SoundTone(), ListenForDigits(False), NumberDialled(line.dialled))


def not_collected(line: "FxoSignalled", event: Input) -> Actions:
    _keep(line, event)
    return (SoundTone(), ListenForDigits(False), NumberDialled(line.dialled, valid=False))


def flash_while_collecting(line: "FxoSignalled", event: Input) -> Actions:
    return (SoundTone(), ListenForDigits(False), FlashHeard())


# --- the call is over, the set is not on-hook -----------------------------------------------------------------------


def refuse_call(line: "FxoSignalled", event: Input) -> Actions:
    """The call it dialled came to nothing: the tone says why."""
    cause = cause_of(event)
    return (CallReleased(cause, False), *_tone(line, "busy" if cause in _BUSY_CAUSES else "congestion"))


def cut(line: "FxoSignalled", event: Input) -> Actions:
    """Open the loop for a moment, as an exchange does; tones are heard after it."""
    return (SetHook(Hook.ON), ListenForDigits(False), CallReleased(cause_of(event), False), StartTimer("guard", line.release_guard_ms))


def busy_tone(line: "FxoSignalled", event: Input) -> Actions:
    return _tone(line, "busy")


def howl(line: "FxoSignalled", event: Input) -> Actions:
    return (SoundTone("howler"), LeftOffHook(), StartTimer("howler", line.config.howler_ms))


def hush(line: "FxoSignalled", event: Input) -> Actions:
    return (SoundTone(),)


def set_down(line: "FxoSignalled", event: Input) -> Actions:
    return (SoundTone(), ListenForDigits(False), SetHook(Hook.ON), StartTimer("guard", line.release_guard_ms))


def set_down_at_last(line: "FxoSignalled", event: Input) -> Actions:
    return (LeftOffHook(False), *set_down(line, event))


def _tone(line: "FxoSignalled", tone: str) -> Actions:
    return (SoundTone(tone), StartTimer("tone", line.config.busy_tone_ms))
