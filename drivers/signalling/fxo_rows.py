"""What the rows of an exchange line's table (`fxo.py`) do: one function per doing, named in the table. Pure."""

from typing import TYPE_CHECKING

from drivers.io import Hook
from drivers.protocol import Cause
from drivers.signalling import (
    CallAlerting,
    CallAnswered,
    CallComing,
    CallerIdHeard,
    CallOffered,
    CallReleased,
    ChannelIdle,
    DialNumber,
    Input,
    ListenForCallerId,
    ListenForSpeech,
    ListenForTones,
    SetHook,
    SoundTone,
    StartTimer,
    StopTimer,
)
from drivers.signalling.analog_machine import Actions
from drivers.signalling.analog_rows import cause_of, end

if TYPE_CHECKING:
    from drivers.signalling.fxo import FxsSignalled

ECHO_MS = 1000  # of our own last key, and of blocks that were queued
VOICE_SURE_MS = 4000
"""Sound before any ringback can be a tone not known yet (slow ringback is 2 s on, 4 s off, and 1 s to know it), or a relay: so long no
tone may be known, then it must be heard again."""
SETTLE_MS = 1000  # exchanges reverse the loop as a call is answered; only later it means the end

AFTER_CALL_MS = 6000  # the first ring, the pause after it, and caller id

# --- a call comes --------------------------------------------------------------------------------------------------


def rest(line: "FxsSignalled", event: Input) -> Actions:
    """Idle; a line whose exchange sends caller id unannounced is listened to all the time."""
    line.caller = None
    listening = line.profile.caller_id if line.profile.caller_id_begins == "idle" else ()
    return (ChannelIdle(), ListenForCallerId(listening)) if listening else (ChannelIdle(),)


def rest_after_call(line: "FxsSignalled", event: Input) -> Actions:
    """The kernel takes no notice of rings for 2 s after a call, so the next caller's id is listened for although nothing rings yet."""
    if "fsk" not in line.profile.caller_id or line.profile.caller_id_begins == "idle":
        return rest(line, event)
    return (*rest(line, event), ListenForCallerId(("fsk",)), StartTimer("after_call", AFTER_CALL_MS))


def stop_listening(line: "FxsSignalled", event: Input) -> Actions:
    return (ListenForCallerId(), *rest(line, event))


def check_ring(line: "FxsSignalled", event: Input) -> Actions:
    return (CallComing(), StartTimer("ring_confirm", line.profile.ring_confirm_ms))


def rest_then_check_ring(line: "FxsSignalled", event: Input) -> Actions:
    return (*rest(line, event), *check_ring(line, event))


def await_ring(line: "FxsSignalled", event: Input) -> Actions:
    return (StartTimer("ring_stopped", line.profile.ring_timeout_ms),)


def announced(line: "FxsSignalled", event: Input) -> Actions:
    """The loop was reversed: caller id comes, then ringing."""
    return (ListenForCallerId(line.profile.caller_id), *await_ring(line, event))


def keep_caller(line: "FxsSignalled", event: Input) -> Actions:
    """Caller id before the first ring."""
    _note_caller(line, event)
    return await_ring(line, event)


def await_caller_id(line: "FxsSignalled", event: Input) -> Actions:
    """It rings; who calls is told between the first and the second ring."""
    wait = StartTimer("caller_id", line.profile.caller_id_wait_ms)
    return (ListenForCallerId(line.profile.caller_id), wait, *await_ring(line, event))


def burst_over(line: "FxsSignalled", event: Input) -> Actions:
    """The end of a first burst whose beginning nobody saw."""
    return (CallComing(), *await_caller_id(line, event))


def offer(line: "FxsSignalled", event: Input) -> Actions:
    _note_caller(line, event)
    quiet = (ListenForCallerId(),) if line.profile.caller_id else ()
    return (*quiet, CallOffered(line.caller), *await_ring(line, event))


def caller_gone(line: "FxsSignalled", event: Input) -> Actions:
    return (CallReleased(Cause.NORMAL, True), *rest(line, event))


def refuse(line: "FxsSignalled", event: Input) -> Actions:
    """A ringing loop cannot be refused: let it ring and take no notice."""
    return (CallReleased(cause_of(event), False), *await_ring(line, event))


def answer(line: "FxsSignalled", event: Input) -> Actions:
    return (SetHook(Hook.OFF), *answered(line, event))


def _note_caller(line: "FxsSignalled", event: Input) -> None:
    if isinstance(event, CallerIdHeard):
        line.caller = event.caller


# --- we call -------------------------------------------------------------------------------------------------------


def seize(line: "FxsSignalled", event: Input) -> Actions:
    timer = "dial_blind" if line.profile.dial_without_tone else "dial_tone_missing"
    line.rang = False
    return (
        SetHook(Hook.OFF),
        ListenForTones(("dial", "busy", "congestion")),
        StartTimer(timer, line.profile.dial_tone_wait_ms),
        StartTimer("no_answer", line.wanted.no_answer_ms),
    )


def seize_hotline(line: "FxsSignalled", event: Input) -> Actions:
    """No number: the exchange knows where this line leads."""
    return (SetHook(Hook.OFF), StartTimer("no_answer", line.wanted.no_answer_ms), *progress(line, event))


def dial(line: "FxsSignalled", event: Input) -> Actions:
    """Pulses have no pause and no star: a pause is left out."""
    pulses = line.profile.dialling == "pulse"
    number = line.wanted.number.replace("w", "") if pulses else line.wanted.number
    return (ListenForTones(), DialNumber(number, pulses))


def progress(line: "FxsSignalled", event: Input) -> Actions:
    """What comes back is listened to; a dial tone says that the number was not taken."""
    line.rang = line.rings = line.rang_out = line.doubted = False
    tones = ListenForTones(("ringback", "busy", "congestion", "dial"))
    if line.profile.answer == "polarity":
        return (tones,)
    return (tones, StartTimer("echo", ECHO_MS), StartTimer("answer_assumed", line.profile.assume_answer_ms))


def listen_for_voice(line: "FxsSignalled", event: Input) -> Actions:
    return (ListenForSpeech(),) if line.profile.answer == "voice" else ()


def ringback_on(line: "FxsSignalled", event: Input) -> Actions:
    line.rings = True
    stop = (StopTimer("answer_assumed"), StopTimer("voice_sure"))
    if line.rang:
        return stop
    line.rang = True
    return (*stop, CallAlerting(inband=True), StartTimer("ring_out", line.profile.ring_out_ms))


def ringback_off(line: "FxsSignalled", event: Input) -> Actions:
    """The detector is started afresh: a voice that broke the ringing goes on, and is told at once."""
    line.rings = False
    if line.profile.answer == "polarity":
        return ()
    return (*listen_for_voice(line, event), StartTimer("answer_assumed", line.profile.ringback_gap_ms))


def rang_long(line: "FxsSignalled", event: Input) -> Actions:
    line.rang_out = True
    return ()


def doubt_voice(line: "FxsSignalled", event: Input) -> Actions:
    return (StartTimer("voice_sure", VOICE_SURE_MS),)


def doubt_voice_no_more(line: "FxsSignalled", event: Input) -> Actions:
    line.doubted = True
    return listen_for_voice(line, event)


def answered(line: "FxsSignalled", event: Input) -> Actions:
    line.settled = line.recalled = False
    return (CallAnswered(), ListenForTones(line.profile.hangup_tones), StartTimer("settle", SETTLE_MS))


def other_answered(line: "FxsSignalled", event: Input) -> Actions:
    """Whom we call."""
    hush = (ListenForSpeech(False),) if line.profile.answer == "voice" else ()
    return (*hush, *answered(line, event))


def settled(line: "FxsSignalled", event: Input) -> Actions:
    line.settled = True
    return ()


def far_busy(line: "FxsSignalled", event: Input) -> Actions:
    """After long ringing the exchange gave up; after short ringing, or none, the called party is busy or does not want the call."""
    return end(line, Cause.NO_ANSWER if line.rang_out else Cause.USER_BUSY, by_far_end=True)


def far_congested(line: "FxsSignalled", event: Input) -> Actions:
    return end(line, Cause.NO_CHANNEL, by_far_end=True)


def number_not_taken(line: "FxsSignalled", event: Input) -> Actions:
    return end(line, Cause.INVALID_NUMBER, by_far_end=True)


def number_not_sendable(line: "FxsSignalled", event: Input) -> Actions:
    return end(line, Cause.INVALID_NUMBER, by_far_end=False)


def no_exchange(line: "FxsSignalled", event: Input) -> Actions:
    return end(line, Cause.NETWORK_OUT_OF_ORDER, by_far_end=True)


def nobody_answered(line: "FxsSignalled", event: Input) -> Actions:
    """It rang and nobody came, or nothing was heard of the number at all. Source: Q.850, causes 19 and 18."""
    return end(line, Cause.NO_ANSWER if line.rang else Cause.NO_USER_RESPONSE, by_far_end=False)


def cut_off(line: "FxsSignalled", event: Input) -> Actions:
    """The exchange dropped the loop before anybody answered."""
    return end(line, Cause.NORMAL_UNSPECIFIED, by_far_end=True)


def glare(line: "FxsSignalled", event: Input) -> Actions:
    """We went off-hook into an arriving call: ours has failed, theirs is on the line already."""
    released = CallReleased(Cause.CHANNEL_NOT_AVAILABLE, False)
    return (released, CallOffered(line.caller), ListenForTones(line.profile.hangup_tones), SoundTone("ringback"))


def answer_glare(line: "FxsSignalled", event: Input) -> Actions:
    return (SoundTone(), *answered(line, event))


# --- the end of a call, a flash ------------------------------------------------------------------------------------


def doubt_hang_up(line: "FxsSignalled", event: Input) -> Actions:
    return (StartTimer("hangup_sure", line.profile.hangup_sure_ms),)


def believe_no_hang_up(line: "FxsSignalled", event: Input) -> Actions:
    return (StopTimer("hangup_sure"),)


def open_loop(line: "FxsSignalled", event: Input) -> Actions:
    """The beginning of a flash; timed here, since the kernel has one flash time for all lines."""
    return (ListenForTones(), SetHook(Hook.ON), StartTimer("flash", line.profile.flash_ms))


def close_loop(line: "FxsSignalled", event: Input) -> Actions:
    return (SetHook(Hook.OFF), ListenForTones(line.profile.hangup_tones))


# --- a call taken over ---------------------------------------------------------------------------------------------


def adopt_answered(line: "FxsSignalled") -> Actions:
    line.settled = True
    return (ListenForTones(line.profile.hangup_tones),)


def adopt_alerting(line: "FxsSignalled") -> Actions:
    """It rang already."""
    listening = progress(line, Input())
    line.rang = True
    return (StartTimer("no_answer", line.wanted.no_answer_ms), *listening)
