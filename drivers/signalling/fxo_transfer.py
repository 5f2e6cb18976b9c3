"""Behind a switch: a caller is handed on by hook flash, digits and supervision, and taken back when the target does not answer. Pure.

The part of the exchange line's table (`fxo.py`) from SwitchTransferWanted on. While the target is called the caller is on hold in the
switch. Whatever is heard of the target is heard as of any number we call; what ends it badly is answered by a second flash.
"""

from typing import TYPE_CHECKING

from drivers.io import Hook
from drivers.protocol import Cause, TransferOutcome
from drivers.signalling import (
    DialNumber,
    Input,
    ListenForSpeech,
    ListenForTones,
    SetHook,
    StartTimer,
    StopTimer,
    SwitchTransferWanted,
    TransferDone,
)
from drivers.signalling.analog_machine import Actions
from drivers.signalling.analog_rows import end
from drivers.signalling.fxo_rows import ECHO_MS, SETTLE_MS, listen_for_voice, open_loop

if TYPE_CHECKING:
    from drivers.signalling.fxo import FxsSignalled

BACK_PAUSE_MS = 600  # from the flash to the digits that have the caller back


def begin(line: "FxsSignalled", event: Input) -> Actions:
    assert isinstance(event, SwitchTransferWanted)
    line.transfer = event
    return open_loop(line, event)


def await_recall_tone(line: "FxsSignalled", event: Input) -> Actions:
    tones = ListenForTones(("dial", "busy", "congestion"))
    return (SetHook(Hook.OFF), tones, StartTimer("recall", line.profile.recall_wait_ms))


def dial_target(line: "FxsSignalled", event: Input) -> Actions:
    pulses = line.profile.dialling == "pulse"
    number = line.transfer.number.replace("w", "") if pulses else line.transfer.number
    return (ListenForTones(), DialNumber(number, pulses))


def supervise(line: "FxsSignalled", event: Input) -> Actions:
    """An extension's loop is not reversed as its call is answered, so only ringback's end or a voice can tell."""
    line.rang = line.rings = line.doubted = False
    return (
        ListenForTones(("ringback", "busy", "congestion", "dial")),
        StartTimer("echo", ECHO_MS),
        StartTimer("answer_assumed", line.profile.assume_answer_ms),
        StartTimer("no_answer", line.transfer.no_answer_ms),
    )


def target_rings(line: "FxsSignalled", event: Input) -> Actions:
    line.rang = line.rings = True
    return (StopTimer("answer_assumed"), StopTimer("voice_sure"))


def ringing_stopped(line: "FxsSignalled", event: Input) -> Actions:
    line.rings = False
    return (*listen_for_voice(line, event), StartTimer("answer_assumed", line.profile.ringback_gap_ms))


def let_go(line: "FxsSignalled", event: Input) -> Actions:
    """Going on-hook joins caller and target in the switch."""
    return (TransferDone(TransferOutcome.TRANSFERRED), *end(line, Cause.NORMAL, by_far_end=False))


def target_busy(line: "FxsSignalled", event: Input) -> Actions:
    return take_back(line, TransferOutcome.BUSY)


def target_congested(line: "FxsSignalled", event: Input) -> Actions:
    return take_back(line, TransferOutcome.CONGESTION)


def target_silent(line: "FxsSignalled", event: Input) -> Actions:
    return take_back(line, TransferOutcome.NO_ANSWER)


def number_refused(line: "FxsSignalled", event: Input) -> Actions:
    return take_back(line, TransferOutcome.REFUSED)


def no_recall_tone(line: "FxsSignalled", event: Input) -> Actions:
    """If the switch took the flash without a dial tone we know, only another one has the caller back; if not, it does no harm."""
    return take_back(line, TransferOutcome.NO_DIAL_TONE)


def take_back(line: "FxsSignalled", outcome: TransferOutcome) -> Actions:
    line.outcome = outcome
    return (ListenForSpeech(False), *open_loop(line, Input()))


def close_then_pause(line: "FxsSignalled", event: Input) -> Actions:
    return (SetHook(Hook.OFF), StartTimer("recall", BACK_PAUSE_MS))


def dial_back(line: "FxsSignalled", event: Input) -> Actions:
    return (DialNumber(line.profile.back_digits, line.profile.dialling == "pulse"),)


def caller_back(line: "FxsSignalled", event: Input) -> Actions:
    """A caller who gave up on hold is known by the switch's dial tone."""
    line.recalled, line.settled = True, False
    tones = ListenForTones(tuple(dict.fromkeys((*line.profile.hangup_tones, "dial"))))
    return (tones, TransferDone(line.outcome), StartTimer("settle", SETTLE_MS))


def close_caller_back(line: "FxsSignalled", event: Input) -> Actions:
    return (SetHook(Hook.OFF), *caller_back(line, event))
