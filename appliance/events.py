"""What happened in a call: past-tense frozen structs, the one stream that CDRs, statistics and the live view
are folded from.

`seq` rises by one per call and makes an event unique: the same (call_id, seq) arriving twice, after a crash,
is the same event and is dropped by the store. `at` is aware UTC. Plain values only; used by every thread.
"""

from datetime import datetime

import msgspec


class Happened(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Base of all events; the class name is the kind."""

    call_id: str
    seq: int
    at: datetime


class CallOffered(Happened, frozen=True, kw_only=True):
    """First event of every call. `at` is when the line rang. `ani`: the number that may be shown; `presentation` and `ani_source` in the
    words of drivers.protocol (allowed, restricted, unavailable; network, user, fsk, dtmf, mf, set), empty when the line told nothing."""

    leg: str
    group: str
    channel: int
    direction: str
    ani: str | None = None
    presentation: str = ""
    ani_source: str = ""
    dnis: str | None = None
    language: str = "zh"


class CallRouted(Happened, frozen=True, kw_only=True):
    """`service`: hotline, operator, after_hours, reject. `rule` names the row of the table that matched."""

    service: str
    rule: str


class CallAnswered(Happened, frozen=True, kw_only=True):
    pass


class PlaceEntered(Happened, frozen=True, kw_only=True):
    """The script stands at this node of its flow."""

    place: str


class PromptPlayed(Happened, frozen=True, kw_only=True):
    """`end`: finished, barged, failed."""

    prompts: tuple[str, ...]
    end: str


class DigitPressed(Happened, frozen=True, kw_only=True):
    """A key the script consumed, or one still waiting when the call ended. `leg_seq` is unique in the leg."""

    digit: str
    leg: str
    leg_seq: int


class SecretEntered(Happened, frozen=True, kw_only=True):
    """So many keys of a secret, a password say; which ones is known nowhere."""

    count: int

    @property
    def digit(self) -> str:
        """As it is shown."""
        return "•" * self.count


class KeyRefused(Happened, frozen=True, kw_only=True):
    """That key means nothing here."""

    digit: str


class CallerSilent(Happened, frozen=True, kw_only=True):
    """No key in the time allowed."""


class LanguageChosen(Happened, frozen=True, kw_only=True):
    language: str


class MessageLeft(Happened, frozen=True, kw_only=True):
    """`path` is relative to the recordings folder."""

    reference: str
    recording_id: str
    path: str
    duration_ms: int
    language: str
    ani: str | None = None


class MessageDiscarded(Happened, frozen=True, kw_only=True):
    """`reason`: too_short, empty, failed (it could not be written)."""

    recording_id: str
    path: str
    duration_ms: int
    reason: str


class TransferStarted(Happened, frozen=True, kw_only=True):
    """`leg` rings from here on, the caller hears it. `to`: the number dialled, or the group, or group/channel."""

    leg: str
    to: str
    group: str


class TransferAnswered(Happened, frozen=True, kw_only=True):
    leg: str
    channel: int | None = None


class TransferFailed(Happened, frozen=True, kw_only=True):
    """`outcome`: busy, no_answer, no_channel, unknown_destination, failed; abandoned: the call was over first."""

    leg: str
    outcome: str
    cause: int | None = None


class CallBridged(Happened, frozen=True, kw_only=True):
    leg: str
    native: bool


class CallUnbridged(Happened, frozen=True, kw_only=True):
    leg: str


class CallHeld(Happened, frozen=True, kw_only=True):
    """`leg` hears music."""

    leg: str


class CallUnheld(Happened, frozen=True, kw_only=True):
    leg: str


class CallHandedOver(Happened, frozen=True, kw_only=True):
    """After a consultation: the caller talks with `leg` from here on, no longer with `before`."""

    leg: str
    before: str


class CallPutBack(Happened, frozen=True, kw_only=True):
    """Whoever talked with the caller has him go on at that place of the flows."""

    place: str
    by: str


class CallConferred(Happened, frozen=True, kw_only=True):
    """These talk together."""

    legs: tuple[str, ...]


class RecordingStarted(Happened, frozen=True, kw_only=True):
    """`path` is relative to the recordings folder; `sides`: both, party."""

    recording_id: str
    path: str
    sides: str


class RecordingGapped(Happened, frozen=True, kw_only=True):
    recording_id: str
    lost_samples: int
    reason: str


class RecordingEnded(Happened, frozen=True, kw_only=True):
    recording_id: str
    path: str
    samples: int
    lost_samples: int = 0
    error: str = ""


class CallRecovered(Happened, frozen=True, kw_only=True):
    """A new call agent took the call over at this place."""

    place: str


class CallFailed(Happened, frozen=True, kw_only=True):
    """Something of ours went wrong; the call may go on. The three texts are those of a CarelineError."""

    code: str
    what: str
    remedy: str


class CallReleased(Happened, frozen=True, kw_only=True):
    """Last event of every call. `at` is when the line went idle. `ended_by`: caller, box, operator (whom the caller was transferred to)."""

    cause: int
    ended_by: str


AnyHappened = (
    CallOffered
    | CallRouted
    | CallAnswered
    | PlaceEntered
    | PromptPlayed
    | DigitPressed
    | SecretEntered
    | KeyRefused
    | CallerSilent
    | LanguageChosen
    | MessageLeft
    | MessageDiscarded
    | TransferStarted
    | TransferAnswered
    | TransferFailed
    | CallBridged
    | CallUnbridged
    | RecordingStarted
    | RecordingGapped
    | RecordingEnded
    | CallHeld
    | CallUnheld
    | CallHandedOver
    | CallPutBack
    | CallConferred
    | CallRecovered
    | CallFailed
    | CallReleased
)
