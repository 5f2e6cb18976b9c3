"""What crosses the control socket between the call agent and its clients (web, console, command line): requests in, live state out.

Framing as in drivers.protocol (`encode`, `FrameReader`). A client that sends Subscribe gets one LiveSnapshot and from then on every change;
every other request is answered by Done or Failed with its `request_id`. Times are aware UTC.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from drivers.protocol import ChannelState, GroupState, LineTest, LineTestKind, Message, Refused, SetupChecked, SetupTold, SpanState

VERSION = 1


class Request(Message, frozen=True, kw_only=True):
    request_id: int = 0


class ControlHello(Request, frozen=True, kw_only=True):
    """First message. Answered by Done, or by Refused for another version."""

    version: int
    client: str


class Subscribe(Request, frozen=True, kw_only=True):
    pass


class LineTarget(msgspec.Struct, frozen=True, kw_only=True):
    """A channel, all channels of a span, or all of a trunk group: exactly one of them."""

    channel: int = 0
    span: int = 0
    group: str = ""

    def __str__(self) -> str:
        return f"channel {self.channel}" if self.channel else f"span {self.span}" if self.span else f"group {self.group}"


class SetLinesBlocked(Request, frozen=True, kw_only=True):
    """`at_once` ends the calls there are; otherwise they go on and no new one is taken."""

    target: LineTarget
    blocked: bool
    at_once: bool = False
    by: str


class ResetLineCounters(Request, frozen=True, kw_only=True):
    """Of the channels, and of the span itself when the target is one."""

    target: LineTarget
    by: str


class RunLineTest(Request, frozen=True, kw_only=True):
    """Begin a test; answered when it runs. LiveTestChanged tells how it goes. `test_id`: made up by the client.

    `number`, `whole_group`: of learn_tones, see StartLineTest.
    """

    test_id: str
    channel: int
    kind: LineTestKind
    limit_ms: int = 30_000
    number: str = ""
    whole_group: bool = False
    by: str


class AskLineSetup(Request, frozen=True, kw_only=True):
    """Answered by LineSetupTold and Done."""

    by: str


class TryLineSetup(Request, frozen=True, kw_only=True):
    """Check a set-up of the lines (`setup`: JSON) and, with `apply`, put it into use for a minute. Answered by LineSetupChecked, Done."""

    setup: bytes
    apply: bool = False
    by: str


class SettleLineSetup(Request, frozen=True, kw_only=True):
    """Keep the set-up that is being tried, or undo it."""

    keep: bool
    by: str


class EndLineTest(Request, frozen=True, kw_only=True):
    channel: int
    by: str


class HangUpCall(Request, frozen=True, kw_only=True):
    call_id: str
    by: str


class UseFlows(Request, frozen=True, kw_only=True):
    """New calls walk what was published last. Answered by FlowsTold, Done."""

    by: str


class UsePrompts(Request, frozen=True, kw_only=True):
    """Callers hear the versions of prompts that are in use now, from the next playing on. Answered by Done."""

    by: str


class ReadPromptUpload(Request, frozen=True, kw_only=True):
    """Make the file `upload` of data_dir/prompts/incoming, of that kind (wav, mp3, ogg, flac), to 8 kHz mono 16-bit samples: the file of
    the same name with `.pcm` behind it. Answered by Done."""

    upload: str
    kind: str


class PutCallBack(Request, frozen=True, kw_only=True):
    """Part the caller from whoever he talks with; he goes on at that place of the flows, with all that was found out."""

    call_id: str
    place: str
    by: str


class MusicRequest(Request, frozen=True, kw_only=True):
    """About music on hold; each is answered by MusicTold."""

    by: str = ""


class AskMusic(MusicRequest, frozen=True, kw_only=True):
    pass


class AddMusic(MusicRequest, frozen=True, kw_only=True):
    """Take the file `upload` of data_dir/music/incoming, of that kind (wav, mp3, ogg, flac), under this name; it is levelled."""

    name: str
    upload: str
    kind: str


class ChooseMusic(MusicRequest, frozen=True, kw_only=True):
    """Who is on hold hears it from now on. Empty: the music that comes with the box."""

    name: str


class RemoveMusic(MusicRequest, frozen=True, kw_only=True):
    name: str


class SetClosing(Request, frozen=True, kw_only=True):
    """The box is about to go down: new callers are told so, those who talk hear a tone now and then; or that is over. Answered by Done."""

    closing: bool
    by: str


class RunSelfCall(Request, frozen=True, kw_only=True):
    """The box calls itself and listens: over its inner line, or (`group` and `number`) out through that trunk group to its own number,
    which comes in with the caller's number `own_number`. Answered by SelfCallTold, Done; within `limit_ms` and 5 s."""

    limit_ms: int = 20_000
    group: str = ""
    number: str = ""
    own_number: str = ""
    by: str


class SelfCallEnd(StrEnum):
    """heard: answered, and a voice was heard. silent: answered, but nothing to hear. skipped: the lines are busy."""

    HEARD = "heard"
    SILENT = "silent"
    NOT_ANSWERED = "not_answered"
    FAILED = "failed"
    SKIPPED = "skipped"


class SelfCallTold(Message, frozen=True, kw_only=True):
    """`answered_ms`, `heard_ms`: since the call began."""

    end: SelfCallEnd
    at: datetime
    answered_ms: int | None = None
    heard_ms: int | None = None
    detail: str = ""


class AskHealth(Request, frozen=True, kw_only=True):
    """Answered by HealthChanged and Done."""


class Grade(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is well or not.

    `name` is a stable key that pages translate (line_server, engine, disk, store, prompts, flows, spans); `code` and the texts are for the
    person who mends it.
    """

    name: str
    grade: Grade
    code: str = ""
    detail: str = ""
    remedy: str = ""


class Health(msgspec.Struct, frozen=True, kw_only=True):
    at: datetime
    started_at: datetime
    checks: tuple[Check, ...]
    lines_connected: bool
    tick_late_ms_p999: float = 0.0
    underruns: int = 0
    disk_free_bytes: int = 0
    disk_total_bytes: int = 0
    calls_today: int = 0


class LiveCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call as it stands now. `place` is the flow's node key, `came` the last ones before and it; `phase` ringing, talking (to the flow),
    bridged, ending. `digits`: the last ones keyed, without secrets. `edition`: of the flows it walks."""

    call_id: str
    direction: str
    phase: str
    group: str
    channel: int
    ani: str | None
    dnis: str | None
    started_at: datetime
    answered_at: datetime | None
    language: str
    place: str
    digits: str
    operator_channel: int | None = None
    recording: bool = False
    came: tuple[str, ...] = ()
    edition: int = 0


class LiveSetup(msgspec.Struct, frozen=True, kw_only=True):
    """The set-up of lines that is being tried (`trying_until`), or what became of the last one (`kept`; None: nothing was tried yet)."""

    trying_until: datetime | None = None
    by: str = ""
    kept: bool | None = None
    code: str = ""
    what: str = ""
    remedy: str = ""


class LiveSnapshot(Message, frozen=True, kw_only=True):
    calls: tuple[LiveCall, ...]
    channels: tuple[ChannelState, ...]
    spans: tuple[SpanState, ...]
    groups: tuple[GroupState, ...]
    health: Health
    tests: tuple[LineTest, ...] = ()
    setup: LiveSetup = LiveSetup()


class LiveCallChanged(Message, frozen=True, kw_only=True):
    call: LiveCall


class LiveCallGone(Message, frozen=True, kw_only=True):
    """The call's record is in the store."""

    call_id: str


class LiveChannelChanged(Message, frozen=True, kw_only=True):
    channel: ChannelState


class LiveSpanChanged(Message, frozen=True, kw_only=True):
    span: SpanState


class LiveTestChanged(Message, frozen=True, kw_only=True):
    test: LineTest


class LiveSetupChanged(Message, frozen=True, kw_only=True):
    setup: LiveSetup


class LineSetupTold(Message, frozen=True, kw_only=True):
    request_id: int
    told: SetupTold


class LineSetupChecked(Message, frozen=True, kw_only=True):
    request_id: int
    checked: SetupChecked


class LineHistoryChanged(Message, frozen=True, kw_only=True):
    """An alarm or an action is new in the store."""


class HealthChanged(Message, frozen=True, kw_only=True):
    health: Health


class MusicEntry(msgspec.Struct, frozen=True, kw_only=True):
    """`name` is empty for the music that comes with the box. `path`: a mono 8 kHz A-law WAV."""

    name: str
    path: str
    chosen: bool


class MusicTold(Message, frozen=True, kw_only=True):
    entries: tuple[MusicEntry, ...]


class FlowsTold(Message, frozen=True, kw_only=True):
    """`edition`: what new calls walk; 0: the program's own flows."""

    edition: int


class Done(Message, frozen=True, kw_only=True):
    request_id: int


class Failed(Message, frozen=True, kw_only=True):
    request_id: int
    code: str
    what: str
    remedy: str


AnyRequest = (
    ControlHello
    | Subscribe
    | SetLinesBlocked
    | ResetLineCounters
    | RunLineTest
    | EndLineTest
    | AskLineSetup
    | TryLineSetup
    | SettleLineSetup
    | HangUpCall
    | UseFlows
    | UsePrompts
    | ReadPromptUpload
    | PutCallBack
    | AskHealth
    | RunSelfCall
    | SetClosing
    | AskMusic
    | AddMusic
    | ChooseMusic
    | RemoveMusic
)
AnyReply = (
    LiveSnapshot
    | LiveCallChanged
    | LiveCallGone
    | LiveChannelChanged
    | LiveSpanChanged
    | LiveTestChanged
    | LiveSetupChanged
    | LineSetupTold
    | LineSetupChecked
    | LineHistoryChanged
    | HealthChanged
    | SelfCallTold
    | MusicTold
    | FlowsTold
    | Done
    | Failed
    | Refused
)
