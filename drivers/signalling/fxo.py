"""A line of the exchange on our FXO port (kernel: fxsks, fxsls): ringing comes in, we seize and dial. Pure; line server's event loop.

The machine that walks the table is `analog_machine`, what a row does is in `fxo_rows` and `fxo_transfer`, how the line at hand behaves in
its profile. A trigger with a word more ("tone busy hangs up") is that event under a condition, see `FxsSignalled.trigger`.
Source: DAHDI's event names; Q.850 causes.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar

from drivers.protocol import Caller, Cause, LegPhase, TransferOutcome
from drivers.signalling import Input, LineFailed, LineHappened, SpeechHeard, Step, SwitchTransferWanted, ToneHeard
from drivers.signalling import fxo_rows as rows
from drivers.signalling import fxo_transfer as transfer
from drivers.signalling.analog_machine import Actions, AnalogLine, Table, quiet
from drivers.signalling.analog_rows import end, far_hung_up, hang_up
from drivers.signalling.fxo_profile import LineProfile


class Fxs(StrEnum):
    """States of a line of the exchange. From RECALLING on, a transfer behind a switch is under way."""

    IDLE = "idle"
    ANNOUNCED = "announced"
    RING_CHECK = "ring_check"
    CALLER_ID = "awaiting_id"
    RINGING = "ringing"
    REFUSED = "refused"
    SEIZING = "seizing"
    DIALLING = "dialling"
    PROGRESS = "progress"
    GLARE = "glare"
    ANSWERED = "answered"
    FLASHING = "flashing"
    GUARD = "guard"
    RECALLING = "recalling"
    RECALL_TONE = "recall_tone"
    REDIALLING = "redialling"
    CONSULTING = "consulting"
    TAKING_BACK = "taking_back"
    BACK_PAUSE = "back_pause"
    BACK_DIGITS = "back_digits"


S = Fxs

# What comes late, or means nothing in most states; the table's own rows come before it.
_TONES = tuple(f"tone {tone}{end}" for tone in ("dial", "ringback", "busy", "congestion") for end in ("", " ends"))
_ANY_STATE = (
    "RINGBEGIN", "RINGOFFHOOK", "POLARITY", "WINKFLASH", "NumberSent", "CallerIdHeard", "SpeechHeard", "DigitHeard", "AlertWanted",
    "BlockWanted", "FlashWanted", "SwitchTransferWanted", "LinkTransferWanted", "NumberWanted", "MessageWaitingWanted", *_TONES,
)  # fmt: skip
_QUIET: Mapping[StrEnum, tuple[str, ...]] = {
    **dict.fromkeys(S, _ANY_STATE),
    S.IDLE: (*_ANY_STATE, "ONHOOK", "AnswerWanted", "ReleaseWanted"),
    S.REFUSED: (*_ANY_STATE, "AnswerWanted", "ReleaseWanted"),
    S.ANSWERED: (*_ANY_STATE, "AnswerWanted"),
    S.FLASHING: (*_ANY_STATE, "ONHOOK", "AnswerWanted"),
    S.GUARD: (*_ANY_STATE, "ONHOOK", "AnswerWanted", "ReleaseWanted"),
    S.RECALLING: (*_ANY_STATE, "ONHOOK"),
    S.TAKING_BACK: (*_ANY_STATE, "ONHOOK"),
}
_TRANSFER_STATES = (S.RECALLING, S.RECALL_TONE, S.REDIALLING, S.CONSULTING, S.TAKING_BACK, S.BACK_PAUSE, S.BACK_DIGITS)

INCOMING: Table = {
    (S.IDLE, "RINGBEGIN"): (rows.check_ring, S.RING_CHECK),
    (S.IDLE, "RINGOFFHOOK"): (rows.offer, S.RINGING),  # the end of a burst whose beginning nobody saw
    (S.IDLE, "RINGOFFHOOK without id"): (rows.burst_over, S.CALLER_ID),
    (S.IDLE, "POLARITY announces"): (rows.announced, S.ANNOUNCED),
    (S.IDLE, "timer after_call"): (rows.stop_listening, S.IDLE),
    (S.IDLE, "CallerIdHeard"): (rows.keep_caller, S.ANNOUNCED),
    (S.ANNOUNCED, "CallerIdHeard"): (rows.keep_caller, S.ANNOUNCED),
    (S.ANNOUNCED, "RINGBEGIN"): (rows.check_ring, S.RING_CHECK),
    (S.ANNOUNCED, "RINGOFFHOOK"): (rows.offer, S.RINGING),
    (S.ANNOUNCED, "RINGOFFHOOK without id"): (rows.burst_over, S.CALLER_ID),
    (S.ANNOUNCED, "timer ring_stopped"): (rows.stop_listening, S.IDLE),
    (S.ANNOUNCED, "ONHOOK"): (rows.stop_listening, S.IDLE),
    (S.ANNOUNCED, "ReleaseWanted"): (rows.stop_listening, S.IDLE),
    (S.RING_CHECK, "CallerIdHeard"): (rows.keep_caller, S.RING_CHECK),
    (S.RING_CHECK, "timer ring_confirm"): (rows.offer, S.RINGING),
    (S.RING_CHECK, "timer ring_confirm without id"): (rows.await_caller_id, S.CALLER_ID),
    (S.RING_CHECK, "timer ring_stopped"): (rows.stop_listening, S.IDLE),
    (S.RING_CHECK, "RINGOFFHOOK"): (rows.stop_listening, S.IDLE),
    (S.RING_CHECK, "ONHOOK"): (rows.stop_listening, S.IDLE),
    (S.RING_CHECK, "ReleaseWanted"): (rows.stop_listening, S.IDLE),
    (S.CALLER_ID, "CallerIdHeard"): (rows.offer, S.RINGING),
    (S.CALLER_ID, "timer caller_id"): (rows.offer, S.RINGING),
    (S.CALLER_ID, "RINGBEGIN"): (rows.offer, S.RINGING),
    (S.CALLER_ID, "RINGOFFHOOK"): (rows.await_ring, S.CALLER_ID),
    (S.CALLER_ID, "timer ring_stopped"): (rows.stop_listening, S.IDLE),
    (S.CALLER_ID, "ONHOOK"): (rows.stop_listening, S.IDLE),
    (S.CALLER_ID, "ReleaseWanted"): (rows.stop_listening, S.IDLE),
    (S.RINGING, "RINGBEGIN"): (rows.await_ring, S.RINGING),
    (S.RINGING, "RINGOFFHOOK"): (rows.await_ring, S.RINGING),
    (S.RINGING, "timer ring_stopped"): (rows.caller_gone, S.IDLE),
    (S.RINGING, "ONHOOK"): (rows.caller_gone, S.IDLE),
    (S.RINGING, "AnswerWanted"): (rows.answer, S.ANSWERED),
    (S.RINGING, "ReleaseWanted"): (rows.refuse, S.REFUSED),
    (S.REFUSED, "RINGBEGIN"): (rows.await_ring, S.REFUSED),
    (S.REFUSED, "RINGOFFHOOK"): (rows.await_ring, S.REFUSED),
    (S.REFUSED, "timer ring_stopped"): (rows.rest, S.IDLE),
    (S.REFUSED, "ONHOOK"): (rows.rest, S.IDLE),
}

OUTGOING: Table = {
    (S.IDLE, "CallWanted"): (rows.seize, S.SEIZING),
    (S.IDLE, "CallWanted hotline"): (rows.seize_hotline, S.PROGRESS),
    (S.IDLE, "CallWanted unsendable"): (rows.number_not_sendable, S.GUARD),
    (S.SEIZING, "tone dial"): (rows.dial, S.DIALLING),
    (S.SEIZING, "tone busy"): (rows.far_congested, S.GUARD),
    (S.SEIZING, "tone congestion"): (rows.far_congested, S.GUARD),
    (S.SEIZING, "timer dial_blind"): (rows.dial, S.DIALLING),
    (S.SEIZING, "timer dial_tone_missing"): (rows.no_exchange, S.GUARD),
    (S.SEIZING, "timer no_answer"): (rows.nobody_answered, S.GUARD),
    (S.SEIZING, "RINGBEGIN"): (rows.glare, S.GLARE),
    (S.SEIZING, "ONHOOK"): (rows.no_exchange, S.GUARD),
    (S.SEIZING, "ReleaseWanted"): (hang_up, S.GUARD),
    (S.DIALLING, "NumberSent"): (rows.progress, S.PROGRESS),
    (S.DIALLING, "NumberSent answers"): (rows.answered, S.ANSWERED),
    (S.DIALLING, "timer no_answer"): (rows.nobody_answered, S.GUARD),
    (S.DIALLING, "ONHOOK"): (rows.cut_off, S.GUARD),
    (S.DIALLING, "ReleaseWanted"): (hang_up, S.GUARD),
    (S.PROGRESS, "tone ringback"): (rows.ringback_on, S.PROGRESS),
    (S.PROGRESS, "tone ringback ends"): (rows.ringback_off, S.PROGRESS),
    (S.PROGRESS, "timer ring_out"): (rows.rang_long, S.PROGRESS),
    (S.PROGRESS, "SpeechHeard perhaps answers"): (rows.doubt_voice, S.PROGRESS),
    (S.PROGRESS, "SpeechHeard answers"): (rows.other_answered, S.ANSWERED),
    (S.PROGRESS, "timer echo"): (rows.listen_for_voice, S.PROGRESS),
    (S.PROGRESS, "timer voice_sure"): (rows.doubt_voice_no_more, S.PROGRESS),
    (S.PROGRESS, "tone busy"): (rows.far_busy, S.GUARD),
    (S.PROGRESS, "tone congestion"): (rows.far_congested, S.GUARD),
    (S.PROGRESS, "tone dial"): (rows.number_not_taken, S.GUARD),
    (S.PROGRESS, "timer answer_assumed"): (rows.other_answered, S.ANSWERED),
    (S.PROGRESS, "POLARITY answers"): (rows.other_answered, S.ANSWERED),
    (S.PROGRESS, "timer no_answer"): (rows.nobody_answered, S.GUARD),
    (S.PROGRESS, "ONHOOK"): (rows.cut_off, S.GUARD),
    (S.PROGRESS, "ReleaseWanted"): (hang_up, S.GUARD),
    (S.GLARE, "AnswerWanted"): (rows.answer_glare, S.ANSWERED),
    (S.GLARE, "tone busy hangs up"): (far_hung_up, S.GUARD),
    (S.GLARE, "tone congestion hangs up"): (far_hung_up, S.GUARD),
    (S.GLARE, "ONHOOK"): (far_hung_up, S.GUARD),
    (S.GLARE, "ReleaseWanted"): (hang_up, S.GUARD),
}

IN_CALL: Table = {
    (S.ANSWERED, "timer settle"): (rows.settled, S.ANSWERED),
    (S.ANSWERED, "ONHOOK"): (far_hung_up, S.GUARD),
    (S.ANSWERED, "POLARITY hangs up"): (far_hung_up, S.GUARD),
    (S.ANSWERED, "timer hangup_sure"): (far_hung_up, S.GUARD),
    (S.ANSWERED, "ReleaseWanted"): (hang_up, S.GUARD),
    (S.ANSWERED, "FlashWanted"): (rows.open_loop, S.FLASHING),
    (S.FLASHING, "timer flash"): (rows.close_loop, S.ANSWERED),
    (S.FLASHING, "ReleaseWanted"): (hang_up, S.GUARD),
    (S.GUARD, "timer guard"): (rows.rest_after_call, S.IDLE),
    (S.GUARD, "RINGBEGIN"): (rows.rest_then_check_ring, S.RING_CHECK),
    **{(S.ANSWERED, f"tone {tone} hangs up"): (far_hung_up, S.GUARD) for tone in ("busy", "congestion", "dial")},
    **{(S.ANSWERED, f"tone {tone} may hang up"): (rows.doubt_hang_up, S.ANSWERED) for tone in ("busy", "congestion", "dial")},
    **{(S.ANSWERED, f"tone {tone} ends"): (rows.believe_no_hang_up, S.ANSWERED) for tone in ("busy", "congestion", "dial")},
}

TRANSFER: Table = {
    (S.ANSWERED, "SwitchTransferWanted"): (transfer.begin, S.RECALLING),
    (S.RECALLING, "timer flash"): (transfer.await_recall_tone, S.RECALL_TONE),
    (S.RECALL_TONE, "tone dial"): (transfer.dial_target, S.REDIALLING),
    (S.RECALL_TONE, "tone busy"): (transfer.no_recall_tone, S.TAKING_BACK),
    (S.RECALL_TONE, "tone congestion"): (transfer.no_recall_tone, S.TAKING_BACK),
    (S.RECALL_TONE, "timer recall"): (transfer.no_recall_tone, S.TAKING_BACK),
    (S.REDIALLING, "NumberSent"): (transfer.supervise, S.CONSULTING),
    (S.REDIALLING, "NumberSent suffices"): (transfer.let_go, S.GUARD),
    (S.CONSULTING, "tone ringback"): (transfer.target_rings, S.CONSULTING),
    (S.CONSULTING, "tone ringback suffices"): (transfer.let_go, S.GUARD),
    (S.CONSULTING, "tone ringback ends"): (transfer.ringing_stopped, S.CONSULTING),
    (S.CONSULTING, "SpeechHeard perhaps answers"): (rows.doubt_voice, S.CONSULTING),
    (S.CONSULTING, "SpeechHeard answers"): (transfer.let_go, S.GUARD),
    (S.CONSULTING, "timer echo"): (rows.listen_for_voice, S.CONSULTING),
    (S.CONSULTING, "timer voice_sure"): (rows.doubt_voice_no_more, S.CONSULTING),
    (S.CONSULTING, "timer answer_assumed"): (transfer.let_go, S.GUARD),
    (S.CONSULTING, "tone busy"): (transfer.target_busy, S.TAKING_BACK),
    (S.CONSULTING, "tone congestion"): (transfer.target_congested, S.TAKING_BACK),
    (S.CONSULTING, "tone dial"): (transfer.number_refused, S.TAKING_BACK),
    (S.CONSULTING, "timer no_answer"): (transfer.target_silent, S.TAKING_BACK),
    (S.TAKING_BACK, "timer flash"): (transfer.close_caller_back, S.ANSWERED),
    (S.TAKING_BACK, "timer flash then digits"): (transfer.close_then_pause, S.BACK_PAUSE),
    (S.BACK_PAUSE, "timer recall"): (transfer.dial_back, S.BACK_DIGITS),
    (S.BACK_DIGITS, "NumberSent"): (transfer.caller_back, S.ANSWERED),
    **{(state, "ONHOOK"): (far_hung_up, S.GUARD) for state in (S.RECALL_TONE, S.REDIALLING, S.CONSULTING, S.BACK_PAUSE, S.BACK_DIGITS)},
    **{(state, "ReleaseWanted"): (hang_up, S.GUARD) for state in _TRANSFER_STATES},
}


class FxsSignalled(AnalogLine):
    """A line of the exchange on our FXO port.

    caller: who calls, once the line has told. rang, rings, rang_out: ringback was heard, is heard, was heard for long. doubted: a voice
    without any ringback was heard a while ago. settled: answered a while ago. recalled: taken back from a transfer.
    """

    resting = S.IDLE
    in_call = frozenset({S.RINGING, S.SEIZING, S.DIALLING, S.PROGRESS, S.GLARE, S.ANSWERED, S.FLASHING, *_TRANSFER_STATES})
    timers: ClassVar[Mapping[StrEnum, tuple[str, ...]]] = {
        S.IDLE: ("after_call",), S.ANNOUNCED: ("ring_stopped",), S.RING_CHECK: ("ring_confirm", "ring_stopped"),
        S.CALLER_ID: ("caller_id", "ring_stopped"), S.RINGING: ("ring_stopped",), S.REFUSED: ("ring_stopped",),
        S.SEIZING: ("dial_blind", "dial_tone_missing", "no_answer"), S.DIALLING: ("no_answer",),
        S.PROGRESS: ("answer_assumed", "no_answer", "echo", "voice_sure", "ring_out"), S.GLARE: (), S.ANSWERED: ("settle", "hangup_sure"),
        S.FLASHING: ("flash",), S.GUARD: ("guard",), S.RECALLING: ("flash",), S.RECALL_TONE: ("recall",), S.REDIALLING: (),
        S.CONSULTING: ("answer_assumed", "no_answer", "echo", "voice_sure"), S.TAKING_BACK: ("flash",), S.BACK_PAUSE: ("recall",),
        S.BACK_DIGITS: (),
    }  # fmt: skip
    table: ClassVar[Table] = {**quiet(_QUIET), **INCOMING, **OUTGOING, **IN_CALL, **TRANSFER}

    def __init__(self, channel: int, profile: LineProfile) -> None:
        super().__init__(channel, profile.release_guard_ms)
        self.profile = profile
        self.caller: Caller | None = None
        self.rang = self.rings = self.rang_out = self.doubted = False
        self.settled = self.recalled = False
        self.transfer = SwitchTransferWanted("")
        self.outcome = TransferOutcome.TRANSFERRED

    def begin(self, channel: int) -> tuple[Step, ...]:
        """What an idle line asks for when its channel was opened."""
        return tuple((channel, action) for action in rows.rest(self, Input())[1:])

    def _fail(self, event: LineFailed) -> Actions:
        done = super()._fail(event)
        return (*done, *rows.rest(self, event)[1:])

    def trigger(self, event: Input) -> str:
        plain = super().trigger(event)
        match event:
            case ToneHeard(on=True):
                return plain + self._tone_means(event.tone)
            case LineHappened():
                return plain + self._polarity_means() if plain == "POLARITY" else plain + self._id_missing(plain)
            case SpeechHeard():
                return plain + self._speech_means()
        return plain + _MORE.get(plain, _nothing_more)(self)

    def _tone_means(self, tone: str) -> str:
        if self.state in (S.ANSWERED, S.GLARE) and (tone in self.profile.hangup_tones or (self.recalled and tone == "dial")):
            return " may hang up" if self.profile.hangup_sure_ms and self.state == S.ANSWERED else " hangs up"
        suffices = self.state == S.CONSULTING and tone == "ringback" and self.transfer.when == "ringing"
        return " suffices" if suffices else ""

    def _polarity_means(self) -> str:
        if self.state == S.IDLE and self.profile.caller_id and self.profile.caller_id_begins != "ring":
            return " announces"
        if self.state == S.PROGRESS and self.profile.answer == "polarity":
            return " answers"
        return " hangs up" if self.state == S.ANSWERED and self.profile.hangup_by_polarity and self.settled else ""

    def _id_missing(self, plain: str) -> str:
        waiting = self.state in (S.IDLE, S.ANNOUNCED) and plain == "RINGOFFHOOK" and self.awaits_caller_id
        return " without id" if waiting else ""

    def _speech_means(self) -> str:
        if self.state not in (S.PROGRESS, S.CONSULTING) or self.rings or self.profile.answer != "voice":
            return ""
        return " answers" if self.rang or self.doubted else " perhaps answers"

    @property
    def awaits_caller_id(self) -> bool:
        """It rings, and who calls can still be told."""
        return bool(self.profile.caller_id) and self.caller is None

    def _adopt(self, phase: LegPhase) -> Actions:
        match phase:
            case LegPhase.OFFERED:
                return self._adopt_into(S.RINGING, *rows.await_ring(self, Input()))
            case LegPhase.ANSWERED:
                return self._adopt_into(S.ANSWERED, *rows.adopt_answered(self))
            case LegPhase.ALERTING:
                return self._adopt_into(S.PROGRESS, *rows.adopt_alerting(self))
        # Nobody knows which digits of the number went out.
        return self._adopt_into(S.GUARD, *end(self, Cause.TEMPORARY_FAILURE, by_far_end=False))


def _nothing_more(line: FxsSignalled) -> str:
    return ""


def _call_means(line: FxsSignalled) -> str:
    if line.state != S.IDLE:
        return ""
    pulses = line.profile.dialling == "pulse" and not set(line.wanted.number) <= set("0123456789w")
    return " unsendable" if pulses else "" if line.wanted.number else " hotline"


def _number_sent_means(line: FxsSignalled) -> str:
    if line.state == S.DIALLING and line.profile.answer == "dialled":
        return " answers"
    return " suffices" if line.state == S.REDIALLING and line.transfer.when == "dialled" else ""


def _ring_means(line: FxsSignalled) -> str:
    return " without id" if line.state == S.RING_CHECK and line.awaits_caller_id else ""


def _flash_means(line: FxsSignalled) -> str:
    return " then digits" if line.state == S.TAKING_BACK and line.profile.back_digits else ""


_MORE = {
    "CallWanted": _call_means,
    "NumberSent": _number_sent_means,
    "timer ring_confirm": _ring_means,
    "timer flash": _flash_means,
}
