"""Line signals of MFC/R2, digital version: the table, for both directions. Pure; called from the line server's event loop.

"bits AB" are what the far side sends: calling, 10 is idle or clear forward, 00 seized; called, 10 is idle or release guard, 11
acknowledgement or clear back, 01 answer, 00 forced release. 11 on an idle line is blocked. "register X" is what the register signals came
to.
Source: Q.421 table 1, Q.422; GF 002-9002 (China: bits A and B as here).
"""

from collections.abc import Iterable
from typing import ClassVar

from drivers.signalling.r2 import line_rows as do
from drivers.signalling.r2.machine import Doing, R2Machine, R2State, Table

S = R2State

_WANTED = ("AnswerWanted", "ReleaseWanted", "AlertWanted", "AlertWanted inband")
_BLOCKING = ("BlockWanted", "BlockWanted off")  # in a call they come true at its end

_QUIET: dict[R2State, tuple[str, ...]] = {
    S.NEW: ("bits 10", "bits 00", "bits 11", "bits 01", *_WANTED),
    S.IDLE: _WANTED,
    S.BLOCKED: _WANTED,
    S.FAR_BLOCKED: _WANTED,
    S.BOTH_BLOCKED: _WANTED,
    S.SEIZING: ("bits 10", "AnswerWanted", "AlertWanted", "AlertWanted inband", *_BLOCKING),
    S.ABANDONED: ("bits 10", *_WANTED, *_BLOCKING),
    S.DIALLING: ("bits 11", "AnswerWanted", "AlertWanted", "AlertWanted inband", *_BLOCKING),
    S.ANSWERED_EARLY: ("bits 01", "AnswerWanted", "AlertWanted", "AlertWanted inband", *_BLOCKING),
    S.PROGRESS: ("bits 11", "AnswerWanted", "AlertWanted", "AlertWanted inband", *_BLOCKING),
    S.ANSWERED_OUT: ("bits 01", "AnswerWanted", "AlertWanted", "AlertWanted inband", *_BLOCKING),
    S.METERING: ("bits 11", "bits 00", "AnswerWanted", "AlertWanted", "AlertWanted inband", *_BLOCKING),
    S.CLEARING: ("bits 00", "bits 11", "bits 01", *_WANTED, *_BLOCKING),
    S.GLARE: ("bits 10", "bits 00", "bits 11", "bits 01", *_WANTED, *_BLOCKING),
    S.GUARD: ("bits 10", "bits 11", "bits 01", *_WANTED, *_BLOCKING),
    S.COLLECTING: ("bits 00", "bits 01", *_WANTED, *_BLOCKING),
    S.OFFERED: ("bits 00", "bits 01", *_BLOCKING),
    S.ACCEPTING: ("bits 00", "bits 01", "AlertWanted", "AlertWanted inband", *_BLOCKING),
    S.RINGING: ("bits 00", "bits 01", *_BLOCKING),
    S.ANSWERING: ("bits 00", "bits 01", "AnswerWanted", "AlertWanted", "AlertWanted inband", *_BLOCKING),
    S.FIRST_ANSWER: ("bits 00", "bits 01", "AnswerWanted", "AlertWanted", "AlertWanted inband", *_BLOCKING),
    S.ANSWER_GAP: ("bits 00", "bits 01", "AnswerWanted", "AlertWanted", "AlertWanted inband", *_BLOCKING),
    S.ANSWERED_IN: ("bits 00", "bits 01", "AnswerWanted", "AlertWanted", "AlertWanted inband", *_BLOCKING),
    S.REFUSING: ("bits 00", "bits 01", *_WANTED, *_BLOCKING),
    S.REFUSED: ("bits 00", "bits 01", *_WANTED, *_BLOCKING),
    S.CLEARED_BACK: ("bits 00", "bits 01", *_WANTED, *_BLOCKING),
}

Row = tuple[Doing, R2State | None]


def _quiet() -> dict[tuple[R2State, str], Row]:
    return {(state, trigger): (do.nothing, state) for state, triggers in _QUIET.items() for trigger in triggers}


def _same(states: Iterable[R2State], triggers: Iterable[str], row: Row) -> dict[tuple[R2State, str], Row]:
    """One row for all these states and triggers."""
    return {(state, trigger): row for state in states for trigger in triggers}


_RESTING = (S.IDLE, S.BLOCKED, S.FAR_BLOCKED, S.BOTH_BLOCKED)
_CALLED = (S.OFFERED, S.ACCEPTING, S.RINGING, S.ANSWERING, S.FIRST_ANSWER, S.ANSWER_GAP, S.ANSWERED_IN)

# fmt: off
TABLE: Table = {
    **_quiet(),
    # Without a call. None: rest says which of the four by both sides' bits.
    **_same((S.NEW, *_RESTING), _BLOCKING, (do.rest, None)),
    **_same(_RESTING, ("bits 10", "bits 11", "bits 01"), (do.rest, None)),
    (S.IDLE, "bits 00"): (do.collect, S.COLLECTING),
    (S.BLOCKED, "bits 00"): (do.collect, S.COLLECTING),  # it seized before it saw; our blocking is its acknowledgement
    **_same((S.FAR_BLOCKED, S.BOTH_BLOCKED), ("bits 00",), (do.collect_unless_faulty, None)),
    (S.IDLE, "CallWanted"): (do.seize, None),
    **_same((S.NEW, S.BLOCKED, S.FAR_BLOCKED, S.BOTH_BLOCKED), ("CallWanted",), (do.no_channel, None)),
    # Out.
    (S.SEIZING, "bits 11"): (do.dial, S.DIALLING),
    (S.SEIZING, "bits 00"): (do.glare, S.GLARE),
    (S.SEIZING, "bits 01"): (do.far_faulty, S.CLEARING),
    (S.SEIZING, "timer seize_ack"): (do.no_ack, S.CLEARING),
    (S.SEIZING, "timer no_answer"): (do.abandon, S.ABANDONED),
    (S.SEIZING, "ReleaseWanted"): (do.abandon, S.ABANDONED),
    (S.ABANDONED, "bits 11"): (do.clear, S.CLEARING),
    (S.ABANDONED, "bits 01"): (do.clear, S.CLEARING),
    (S.ABANDONED, "bits 00"): (do.glare_abandoned, S.GLARE),
    (S.ABANDONED, "timer seize_ack"): (do.clear, S.CLEARING),
    (S.DIALLING, "register accepted"): (do.alert, S.PROGRESS),
    (S.DIALLING, "register refused"): (do.register_refused, S.CLEARING),
    (S.DIALLING, "register failed"): (do.register_failed, S.CLEARING),
    (S.DIALLING, "bits 01"): (do.nothing, S.ANSWERED_EARLY),  # bits are faster than tones
    (S.DIALLING, "bits 10"): (do.far_hung_up, S.CLEARING),
    (S.DIALLING, "bits 00"): (do.far_hung_up, S.CLEARING),
    (S.DIALLING, "timer no_answer"): (do.no_answer, S.CLEARING),
    (S.DIALLING, "ReleaseWanted"): (do.hang_up, S.CLEARING),
    (S.ANSWERED_EARLY, "register accepted"): (do.answered, S.ANSWERED_OUT),
    (S.ANSWERED_EARLY, "register refused"): (do.register_refused, S.CLEARING),
    (S.ANSWERED_EARLY, "register failed"): (do.register_failed, S.CLEARING),
    (S.ANSWERED_EARLY, "bits 11"): (do.far_hung_up, S.CLEARING),
    (S.ANSWERED_EARLY, "bits 10"): (do.far_hung_up, S.CLEARING),
    (S.ANSWERED_EARLY, "bits 00"): (do.far_hung_up, S.CLEARING),
    (S.ANSWERED_EARLY, "timer no_answer"): (do.no_answer, S.CLEARING),
    (S.ANSWERED_EARLY, "ReleaseWanted"): (do.hang_up, S.CLEARING),
    (S.PROGRESS, "bits 01"): (do.answered, S.ANSWERED_OUT),
    (S.PROGRESS, "bits 10"): (do.far_hung_up, S.CLEARING),
    (S.PROGRESS, "bits 00"): (do.far_hung_up, S.CLEARING),
    (S.PROGRESS, "timer no_answer"): (do.no_answer, S.CLEARING),
    (S.PROGRESS, "ReleaseWanted"): (do.hang_up, S.CLEARING),
    (S.ANSWERED_OUT, "bits 11"): (do.meter, S.METERING),
    (S.ANSWERED_OUT, "bits 00"): (do.meter, S.METERING),
    (S.ANSWERED_OUT, "bits 10"): (do.far_hung_up, S.CLEARING),
    (S.ANSWERED_OUT, "ReleaseWanted"): (do.hang_up, S.CLEARING),
    (S.METERING, "bits 01"): (do.nothing, S.ANSWERED_OUT),
    (S.METERING, "bits 10"): (do.far_hung_up, S.CLEARING),
    (S.METERING, "timer metering"): (do.far_hung_up, S.CLEARING),
    (S.METERING, "ReleaseWanted"): (do.hang_up, S.CLEARING),
    (S.GLARE, "timer glare"): (do.clear, S.CLEARING),
    (S.CLEARING, "bits 10"): (do.guard, S.GUARD),
    (S.CLEARING, "timer clearing"): (do.become_idle, None),  # counts as blocked until it is idle
    (S.GUARD, "timer guard"): (do.become_idle, None),
    (S.GUARD, "bits 00"): (do.idle_then_collect, S.COLLECTING),
    # In.
    (S.COLLECTING, "register offer"): (do.offer, S.OFFERED),
    (S.COLLECTING, "register set_up"): (do.offer_set_up, S.RINGING),
    (S.COLLECTING, "register failed"): (do.congested, S.REFUSED),
    **_same((S.COLLECTING, S.REFUSED, S.CLEARED_BACK), ("bits 10", "bits 11"), (do.cleared, S.GUARD)),
    **_same(_CALLED, ("bits 10", "bits 11"), (do.far_gone, S.GUARD)),
    **_same((S.OFFERED, S.ACCEPTING, S.ANSWERING, S.REFUSING), ("register failed",), (do.register_lost, S.REFUSED)),
    (S.OFFERED, "AnswerWanted"): (do.accept, S.ANSWERING),
    (S.OFFERED, "AlertWanted"): (do.accept, S.ACCEPTING),
    (S.OFFERED, "AlertWanted inband"): (do.accept, S.ACCEPTING),
    (S.OFFERED, "timer accept"): (do.accept, S.ACCEPTING),
    (S.OFFERED, "ReleaseWanted"): (do.refuse, S.REFUSING),
    (S.ACCEPTING, "register done"): (do.ring, S.RINGING),
    (S.ACCEPTING, "AnswerWanted"): (do.nothing, S.ANSWERING),
    (S.ACCEPTING, "ReleaseWanted"): (do.nothing, S.REFUSING),
    (S.ANSWERING, "register done"): (do.answer_soon, S.ANSWERING),
    (S.ANSWERING, "timer answer"): (do.answer, None),
    (S.ANSWERING, "ReleaseWanted"): (do.release_answering, None),
    (S.RINGING, "AlertWanted"): (do.ring, S.RINGING),
    (S.RINGING, "AlertWanted inband"): (do.ring, S.RINGING),
    (S.RINGING, "AnswerWanted"): (do.answer, None),
    (S.RINGING, "ReleaseWanted"): (do.release_ringing, S.REFUSED),
    (S.FIRST_ANSWER, "timer reanswer"): (do.clear_back_briefly, S.ANSWER_GAP),
    (S.FIRST_ANSWER, "ReleaseWanted"): (do.clear_back, S.CLEARED_BACK),
    (S.ANSWER_GAP, "timer reanswer"): (do.answer_again, S.ANSWERED_IN),
    (S.ANSWER_GAP, "ReleaseWanted"): (do.clear_back, S.CLEARED_BACK),
    (S.ANSWERED_IN, "ReleaseWanted"): (do.clear_back, S.CLEARED_BACK),
    (S.REFUSING, "register done"): (do.release_ringing, S.REFUSED),
    (S.REFUSING, "bits 10"): (do.refused_far_gone, S.GUARD),
    (S.REFUSING, "bits 11"): (do.refused_far_gone, S.GUARD),
    (S.REFUSED, "timer hush"): (do.hush, S.REFUSED),
    (S.CLEARED_BACK, "timer hush"): (do.hush, S.CLEARED_BACK),
    # Calls of an earlier process: who called is told by the far side's bits.
    (S.NEW, "adopt answered 01"): (do.adopt_out, S.ANSWERED_OUT),
    (S.NEW, "adopt answered 11"): (do.far_hung_up, S.CLEARING),
    (S.NEW, "adopt answered 00"): (do.adopt_in, S.ANSWERED_IN),
    (S.NEW, "adopt answered 10"): (do.far_gone, S.GUARD),
    (S.NEW, "adopt alerting 11"): (do.adopt_progress, S.PROGRESS),
    (S.NEW, "adopt alerting 01"): (do.adopt_answered, S.ANSWERED_OUT),
    (S.NEW, "adopt alerting 10"): (do.far_hung_up, S.CLEARING),
    (S.NEW, "adopt alerting 00"): (do.far_hung_up, S.CLEARING),
    (S.NEW, "adopt offered 00"): (do.adopt_ringing, S.RINGING),
    **_same((S.NEW,), ("adopt offered 10", "adopt offered 11", "adopt offered 01"), (do.far_gone, S.GUARD)),
    **_same((S.NEW,), [f"adopt dialling {bits}" for bits in ("10", "00", "11", "01", "unknown")], (do.lost, S.CLEARING)),
    **_same((S.NEW,), [f"adopt {phase} unknown" for phase in ("offered", "alerting", "answered")], (do.lost, S.CLEARING)),
}
# fmt: on


class R2Line(R2Machine):
    """One both-way channel with MFC/R2."""

    table: ClassVar[Table] = TABLE
