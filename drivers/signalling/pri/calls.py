"""One call of a primary rate span and the table of what becomes of it. Pure; line server's event loop only.

A row is (state, trigger) -> (what to do, next state). Triggers are libpri's events and the inputs of the seam by name; one that has no row
is logged and the call released. What a row does is in `rows`. libpri itself keeps the protocol; these are the states the box cares for.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

import msgspec

from drivers.signalling.pri import rows as do
from drivers.signalling.pri.binding import Call


class State(StrEnum):
    """collecting: more digits are to come; dialling: SETUP is sent; clearing: told as released, libpri is not done yet."""

    COLLECTING = "collecting"
    OFFERED = "offered"
    DIALLING = "dialling"
    PROCEEDING = "proceeding"
    ALERTING = "alerting"
    ANSWERED = "answered"
    CLEARING = "clearing"


class CallRecord(msgspec.Struct, kw_only=True):
    """One call. `slot`: its timeslot; `reference`: in frames that arrive; `digits`: dialled by the caller, or still to be sent by us;
    `ringing`, `inband`: what was told; `joining`: the switch was asked to join it with another."""

    handle: Call
    channel: int
    slot: int
    state: State
    reference: int = 0
    digits: str = ""
    offer: Any = None
    ringing: bool = False
    inband: bool = False
    joining: bool = False


S = State
Doing = Callable[[Any, CallRecord, Any], None]
Rows = Mapping[tuple[State, str], tuple[Doing, State]]

# What says nothing new in any state of a call.
_QUIET = ("NOTIFY", "FACILITY", "KEYPAD_DIGIT", "CONNECT_ACK", "HOLD", "HOLD_ACK", "HOLD_REJ", "RETRIEVE", "RETRIEVE_ACK", "RETRIEVE_REJ",
          "LineHappened", "ToneHeard", "DigitHeard", "SpeechHeard", "NumberSent", "FlashWanted")  # fmt: skip
_QUIET_IN: Mapping[State, tuple[str, ...]] = {
    S.COLLECTING: ("PROGRESS", "AlertWanted", "AnswerWanted", "ReleaseWanted", "timer alert"),
    S.OFFERED: ("INFO_RECEIVED", "DIGITS_COMPLETE", "PROGRESS", "timer digits"),
    S.DIALLING: ("AnswerWanted", "AlertWanted", "INFO_RECEIVED"),
    S.PROCEEDING: ("AnswerWanted", "AlertWanted", "INFO_RECEIVED", "SETUP_ACK", "PROCEEDING"),
    S.ALERTING: ("AnswerWanted", "AlertWanted", "INFO_RECEIVED", "SETUP_ACK", "PROCEEDING", "RINGING"),
    S.ANSWERED: ("AnswerWanted", "AlertWanted", "INFO_RECEIVED", "DIGITS_COMPLETE", "SETUP_ACK", "PROCEEDING", "PROGRESS", "RINGING",
                 "ANSWER", "timer digits", "timer alert", "timer no_answer", "LineFailed kept"),
    S.CLEARING: ("AnswerWanted", "AlertWanted", "ReleaseWanted", "LinkTransferWanted", "SwitchTransferWanted", "INFO_RECEIVED",
                 "DIGITS_COMPLETE", "SETUP_ACK", "PROCEEDING", "PROGRESS", "RINGING", "ANSWER", "LineFailed", "LineFailed kept",
                 "timer digits", "timer alert", "timer no_answer"),
}  # fmt: skip


def _ends(state: State) -> Rows:
    """How every call that is not cleared yet can end."""
    return {
        (state, "ReleaseWanted"): (do.release, S.CLEARING),
        (state, "LineFailed"): (do.fail, S.CLEARING),
        (state, "LineFailed kept"): (do.fail, S.CLEARING),
        (state, "HANGUP_REQ"): (do.far_released, S.CLEARING),
        (state, "HANGUP"): (do.far_released, S.CLEARING),
        (state, "HANGUP_ACK"): (do.far_released, S.CLEARING),
        (state, "LinkTransferWanted"): (do.refuse_transfer, state),
        (state, "SwitchTransferWanted"): (do.refuse_transfer, state),
    }


def _dialling(state: State) -> Rows:
    """What a call of ours can meet until it is answered."""
    return {
        (state, "PROGRESS"): (do.progress, state),
        (state, "PROGRESS failed"): (do.far_failed, S.CLEARING),
        (state, "CHANNEL_TAKEN"): (do.channel_taken, S.CLEARING),
        (state, "RINGING"): (do.ringing, S.ALERTING),
        (state, "ANSWER"): (do.answered, S.ANSWERED),
        (state, "timer no_answer"): (do.no_answer, S.CLEARING),
    }


TABLE: Rows = {
    **{(state, trigger): (do.nothing, state) for state in State for trigger in _QUIET},
    **_ends(S.COLLECTING),
    **_ends(S.OFFERED),
    **_ends(S.DIALLING),
    **_ends(S.PROCEEDING),
    **_ends(S.ALERTING),
    **_ends(S.ANSWERED),
    **_dialling(S.DIALLING),
    **_dialling(S.PROCEEDING),
    **_dialling(S.ALERTING),
    (S.COLLECTING, "INFO_RECEIVED"): (do.await_digits, S.COLLECTING),
    (S.COLLECTING, "DIGITS_COMPLETE"): (do.offer, S.OFFERED),
    (S.COLLECTING, "timer digits"): (do.offer, S.OFFERED),
    (S.OFFERED, "AlertWanted"): (do.alert, S.OFFERED),
    (S.OFFERED, "timer alert"): (do.alert_unless_told, S.OFFERED),
    (S.OFFERED, "AnswerWanted"): (do.answer, S.ANSWERED),
    (S.DIALLING, "SETUP_ACK"): (do.send_rest, S.DIALLING),
    (S.DIALLING, "PROCEEDING"): (do.proceeding, S.PROCEEDING),
    (S.ANSWERED, "LinkTransferWanted"): (do.transfer, S.ANSWERED),
    (S.ANSWERED, "timer transfer"): (do.transfer_unanswered, S.ANSWERED),
    (S.CLEARING, "HANGUP_REQ"): (do.clear_on, S.CLEARING),
    (S.CLEARING, "HANGUP"): (do.clear_on, S.CLEARING),
    (S.CLEARING, "HANGUP_ACK"): (do.clear_on, S.CLEARING),
    (S.CLEARING, "timer clearing"): (do.forget, S.CLEARING),
    **{(state, trigger): (do.nothing, state) for state, triggers in _QUIET_IN.items() for trigger in triggers},
}
TIMERS: Mapping[State, tuple[str, ...]] = {
    S.COLLECTING: ("digits",),
    S.OFFERED: ("alert",),
    S.DIALLING: ("no_answer",),
    S.PROCEEDING: ("no_answer",),
    S.ALERTING: ("no_answer",),
    S.ANSWERED: ("transfer",),
    S.CLEARING: ("clearing",),
}
