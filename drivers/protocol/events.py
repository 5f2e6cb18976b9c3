"""Events: line server to call agent."""

from datetime import datetime

from drivers.protocol.line_care import FieldFound, LineFault, LineTest, SpanFound
from drivers.protocol.number_plan import NumberPlan
from drivers.protocol.states import ChannelState, GroupState, LegState, Message, PlayEnd, SpanState, TransferOutcome


class Event(Message, frozen=True, kw_only=True):
    """Base of events."""


class Welcome(Event, frozen=True, kw_only=True):
    """The state of everything at the moment `at`: a call offered earlier is in `legs`, or is over."""

    version: int
    card: str
    at: datetime
    started_at: datetime
    legs: tuple[LegState, ...]
    channels: tuple[ChannelState, ...]
    spans: tuple[SpanState, ...]
    groups: tuple[GroupState, ...]
    number_plan: NumberPlan = NumberPlan()
    tests: tuple[LineTest, ...] = ()
    faults: tuple[LineFault, ...] = ()


class Refused(Event, frozen=True, kw_only=True):
    """The connection ends after this."""

    code: str
    what: str
    remedy: str


class CommandFailed(Event, frozen=True, kw_only=True):
    command_id: int
    leg: str = ""
    code: str
    what: str
    remedy: str


class Offered(Event, frozen=True, kw_only=True):
    state: LegState


class Alerting(Event, frozen=True, kw_only=True):
    """The far side rings; `inband`: its ringing (or an announcement) can be heard."""

    leg: str
    at: datetime
    inband: bool = False


class Answered(Event, frozen=True, kw_only=True):
    leg: str
    at: datetime


class Digit(Event, frozen=True, kw_only=True):
    """A key. `secret`: part of one, keyed while masked (MaskDigits); nothing may show or keep it."""

    leg: str
    seq: int
    digit: str
    at: datetime
    secret: bool = False

    def __repr__(self) -> str:
        return f"Digit(leg={self.leg!r}, seq={self.seq}, digit={'*' if self.secret else self.digit!r})"


class HookFlashed(Event, frozen=True, kw_only=True):
    """A set in a call pressed its hook for a moment."""

    leg: str
    at: datetime


class NumberDialled(Event, frozen=True, kw_only=True):
    """What CollectNumber came to. Not `valid`: the number leads nowhere, or (empty) nothing was dialled in time."""

    leg: str
    number: str
    valid: bool
    at: datetime


class PlayDone(Event, frozen=True, kw_only=True):
    leg: str
    play_id: int
    end: PlayEnd
    digit: str = ""
    samples: int = 0


class DigitsSent(Event, frozen=True, kw_only=True):
    leg: str


class RecordingDone(Event, frozen=True, kw_only=True):
    leg: str
    recording_id: str
    path: str
    samples: int
    lost_samples: int = 0
    error: str = ""


class RecordingGap(Event, frozen=True, kw_only=True):
    """So much is silence in the file; `lost_samples` 0: writing begins to fail, and what is spoken waits in memory for a while."""

    leg: str
    recording_id: str
    lost_samples: int
    reason: str


class SpeechBegan(Event, frozen=True, kw_only=True):
    leg: str


class SilenceBegan(Event, frozen=True, kw_only=True):
    leg: str
    silence_ms: int


class ToneDetected(Event, frozen=True, kw_only=True):
    leg: str
    tone: str
    on: bool


class Bridged(Event, frozen=True, kw_only=True):
    leg: str
    other: str
    native: bool


class Conferred(Event, frozen=True, kw_only=True):
    """With whom the leg is in conference now; nobody: it is in none."""

    leg: str
    others: tuple[str, ...]


class Unbridged(Event, frozen=True, kw_only=True):
    leg: str


class Transferred(Event, frozen=True, kw_only=True):
    """What came of a transfer in the switch. TRANSFERRED is followed by Released."""

    leg: str
    outcome: TransferOutcome
    transfer_id: int = 0


class Released(Event, frozen=True, kw_only=True):
    leg: str
    cause: int
    by_far_end: bool
    at: datetime


class ChannelChanged(Event, frozen=True, kw_only=True):
    channel: ChannelState


class SpanChanged(Event, frozen=True, kw_only=True):
    span: SpanState


class LineTestReported(Event, frozen=True, kw_only=True):
    """About once a second while a test runs, and at its end."""

    test: LineTest


class SetupTold(Event, frozen=True, kw_only=True):
    """The set-up in use (`setup`: JSON, see drivers.config.LineSetup), what the cards are, and which keys the tables of groups, pri and r2
    have. `trying_until` not None: a new one is being tried, `setup` is that one."""

    command_id: int
    setup: bytes
    card: str
    found: tuple[SpanFound, ...]
    fields: dict[str, tuple[FieldFound, ...]]
    trying_until: datetime | None = None


class SetupChecked(Event, frozen=True, kw_only=True):
    """The set-up is good. `diff`: unified, against the one in use; `touched`: channels that are set up anew; `busy`: those of them that
    carry a call or a test, so that it cannot be applied now. `trying_until`: when it was applied."""

    command_id: int
    diff: str
    touched: tuple[int, ...] = ()
    busy: tuple[int, ...] = ()
    trying_until: datetime | None = None


class SetupSettled(Event, frozen=True, kw_only=True):
    """The set-up that was tried is in use for good (`kept`), or undone. `code`, `what`: why, if nobody asked for it."""

    kept: bool
    code: str = ""
    what: str = ""
    remedy: str = ""


class LinesReplaced(Event, frozen=True, kw_only=True):
    """The lines were set up anew: these are all there are. Calls on channels that stayed go on."""

    channels: tuple[ChannelState, ...]
    spans: tuple[SpanState, ...]
    groups: tuple[GroupState, ...]
    number_plan: NumberPlan = NumberPlan()


class LineFaultsChanged(Event, frozen=True, kw_only=True):
    """All there are now."""

    faults: tuple[LineFault, ...]


class EngineReport(Event, frozen=True, kw_only=True):
    """Health of the media core, sent every 5 s and when something was lost."""

    ticks: int
    late_ticks: int
    tick_late_ms_p999: float
    underruns: int
    events_lost: int
    record_gap_samples: int
    disk_ms_max: float
    realtime: bool


class Pong(Event, frozen=True, kw_only=True):
    """Answers the Ping of that id: every command sent before it is carried out, or was answered by CommandFailed."""

    command_id: int = 0


AnyEvent = (
    Welcome
    | Refused
    | CommandFailed
    | Offered
    | Alerting
    | Answered
    | Digit
    | HookFlashed
    | NumberDialled
    | PlayDone
    | DigitsSent
    | RecordingDone
    | RecordingGap
    | SpeechBegan
    | SilenceBegan
    | ToneDetected
    | Bridged
    | Conferred
    | Unbridged
    | Transferred
    | Released
    | ChannelChanged
    | SpanChanged
    | LineTestReported
    | SetupTold
    | SetupChecked
    | SetupSettled
    | LinesReplaced
    | LineFaultsChanged
    | EngineReport
    | Pong
)
