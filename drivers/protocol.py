"""What crosses between the line server and the call agent: typed commands in, typed events out.

Frames on the unix socket are a 4-byte big-endian length and one msgpack message (`encode`, `Decoder`); in tests the same structs are
handed over in-process. The line server is the truth about lines; the call agent may die at any moment and rebuilds itself from
`Welcome.legs`, so:

* each leg carries an opaque `tag` that the call agent sets (its call id, where the script is);
* digits stay in `LegState.digits` until a `SetTag` says up to which `seq` they were consumed: none is lost, none acted on twice;
* a released leg stays in the snapshot until the call agent says `Forget` (its record is safe on disk).

Times: `*_at` are aware UTC. Sample counts are of 8000 Hz. Causes are Q.850 numbers.
Source of the cause values: ITU-T Q.850 table 1.
"""

import struct
from collections.abc import Iterator
from datetime import datetime
from enum import IntEnum, StrEnum

import msgspec

from drivers.errors import ProtocolError

VERSION = 1
MAX_FRAME_BYTES = 1 << 20


class Cause(IntEnum):
    """Why a call ended or failed. Source: Q.850."""

    NORMAL = 16
    USER_BUSY = 17
    NO_USER_RESPONSE = 18
    NO_ANSWER = 19
    REJECTED = 21
    DESTINATION_OUT_OF_ORDER = 27
    INVALID_NUMBER = 28
    NO_CHANNEL = 34
    NETWORK_OUT_OF_ORDER = 38
    TEMPORARY_FAILURE = 41
    CHANNEL_NOT_AVAILABLE = 44
    INTERWORKING = 127


class LegPhase(StrEnum):
    """Where a leg stands. offered: rings at the box; dialling/alerting: the box rings out; answered; released."""

    OFFERED = "offered"
    DIALLING = "dialling"
    ALERTING = "alerting"
    ANSWERED = "answered"
    RELEASED = "released"


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


class PlayEnd(StrEnum):
    FINISHED = "finished"
    BARGED = "barged"
    STOPPED = "stopped"
    FAILED = "failed"


class Sides(StrEnum):
    """What a recording holds: both sides in stereo (left the party, right what it hears) or the party alone."""

    BOTH = "both"
    PARTY = "party"


class Message(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Base of everything on the wire; the class name is the type."""


# --- parts of messages -------------------------------------------------------------------------------------------


class DigitPress(msgspec.Struct, frozen=True):
    """One key; `seq` rises by one per event of the leg."""

    seq: int
    digit: str
    at: datetime


class RecordingState(msgspec.Struct, frozen=True):
    recording_id: str
    path: str
    sides: Sides
    started_at: datetime
    samples: int = 0
    lost_samples: int = 0
    stopped: bool = False


class PlayState(msgspec.Struct, frozen=True):
    """The current or last play of a leg; `end` is None while it plays."""

    play_id: int
    end: PlayEnd | None = None


class LegState(msgspec.Struct, frozen=True, kw_only=True):
    """All that the line server knows of one leg."""

    leg: str
    channel: int
    group: str
    direction: Direction
    phase: LegPhase
    ani: str | None = None
    dnis: str | None = None
    offered_at: datetime
    answered_at: datetime | None = None
    released_at: datetime | None = None
    cause: int | None = None
    released_by_far_end: bool = False
    tag: bytes = b""
    digits: tuple[DigitPress, ...] = ()
    play: PlayState | None = None
    recordings: tuple[RecordingState, ...] = ()
    bridged_with: str | None = None
    native: bool = False


class ChannelState(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    name: str
    span: int
    group: str
    signalling: str
    leg: str | None = None
    blocked: bool = False
    alarms: tuple[str, ...] = ()
    last_cause: int | None = None
    failures: int = 0


class SpanState(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    name: str
    description: str
    channels: int
    alarms: tuple[str, ...] = ()
    alarm_since: datetime | None = None


class GroupState(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    channels: tuple[int, ...]
    hunting: str


# --- commands: call agent -> line server -------------------------------------------------------------------------


class Command(Message, frozen=True, kw_only=True):
    """Base of commands. One that cannot be done is answered by `CommandFailed` with the same `command_id`."""

    command_id: int = 0


class Hello(Command, frozen=True, kw_only=True):
    """First message of a client. Answered by Welcome or Refused (another version, or a client is there already)."""

    version: int
    client: str


class Answer(Command, frozen=True, kw_only=True):
    leg: str


class Release(Command, frozen=True, kw_only=True):
    leg: str
    cause: int = Cause.NORMAL


class Seize(Command, frozen=True, kw_only=True):
    """Call out: a free channel of the group (or exactly `channel`), then dial `number` (empty for an FXS set: it rings).

    The call agent names the leg.
    """

    leg: str
    group: str = ""
    channel: int | None = None
    number: str = ""
    caller: str | None = None
    no_answer_ms: int = 60_000
    tag: bytes = b""


class Clip(msgspec.Struct, frozen=True):
    """A WAV file (mono, 8 kHz, A-law, mu-law or 16-bit) or, with an empty path, that much silence."""

    path: str = ""
    silence_ms: int = 0


class Play(Command, frozen=True, kw_only=True):
    """Clips one after another without a gap; a digit in `barge_in_digits` stops it. loops 0: endless. `play_id` rises per leg."""

    leg: str
    play_id: int
    clips: tuple[Clip, ...]
    barge_in_digits: str = ""
    loops: int = 1


class StopPlay(Command, frozen=True, kw_only=True):
    leg: str


class PlayTone(Command, frozen=True, kw_only=True):
    """A country tone ("dial", "ringback", "busy", "congestion"); empty name: silence again."""

    leg: str
    tone: str = ""


class SendDigits(Command, frozen=True, kw_only=True):
    leg: str
    digits: str


class StartRecording(Command, frozen=True, kw_only=True):
    """`path` lies in the line server's recordings folder. A file that exists is continued, the time in between as silence."""

    leg: str
    recording_id: str
    path: str
    sides: Sides = Sides.BOTH


class StopRecording(Command, frozen=True, kw_only=True):
    leg: str
    recording_id: str


class Bridge(Command, frozen=True, kw_only=True):
    """Join two answered legs: in the card where it can (unless native is False), else in the media core."""

    leg: str
    other: str
    native: bool = True


class Unbridge(Command, frozen=True, kw_only=True):
    leg: str


class Tap(Command, frozen=True, kw_only=True):
    """`leg` hears both sides of `target`; empty target: no more."""

    leg: str
    target: str = ""


class Mute(Command, frozen=True, kw_only=True):
    leg: str
    rx: bool = False
    tx: bool = False


class Gain(Command, frozen=True, kw_only=True):
    leg: str
    rx_db: float = 0.0
    tx_db: float = 0.0


class DetectSpeech(Command, frozen=True, kw_only=True):
    """Ask for SpeechBegan and, after that long without speech, SilenceBegan; 0 switches off."""

    leg: str
    silence_ms: int = 0


class DetectTones(Command, frozen=True, kw_only=True):
    leg: str
    tones: tuple[str, ...] = ()


class SetTag(Command, frozen=True, kw_only=True):
    """Keep `tag` with the leg and drop the digits up to `consumed_seq`: both or neither."""

    leg: str
    tag: bytes
    consumed_seq: int = 0


class Forget(Command, frozen=True, kw_only=True):
    """The released leg's record is on disk; drop it."""

    leg: str


class BlockChannel(Command, frozen=True, kw_only=True):
    """Take no new call on this channel; a call that is there goes on."""

    channel: int
    blocked: bool = True


class Ping(Command, frozen=True, kw_only=True):
    pass


# --- events: line server -> call agent ---------------------------------------------------------------------------


class Event(Message, frozen=True, kw_only=True):
    """Base of events."""


class Welcome(Event, frozen=True, kw_only=True):
    version: int
    card: str
    started_at: datetime
    legs: tuple[LegState, ...]
    channels: tuple[ChannelState, ...]
    spans: tuple[SpanState, ...]
    groups: tuple[GroupState, ...]


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
    leg: str
    at: datetime


class Answered(Event, frozen=True, kw_only=True):
    leg: str
    at: datetime


class Digit(Event, frozen=True, kw_only=True):
    leg: str
    seq: int
    digit: str
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


class Unbridged(Event, frozen=True, kw_only=True):
    leg: str


class Released(Event, frozen=True, kw_only=True):
    leg: str
    cause: int
    by_far_end: bool
    at: datetime


class ChannelChanged(Event, frozen=True, kw_only=True):
    channel: ChannelState


class SpanChanged(Event, frozen=True, kw_only=True):
    span: SpanState


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
    pass


# --- handset socket: a telephone of the virtual card, for `careline handset` and the browser ---------------------


class HandsetDial(Message, frozen=True, kw_only=True):
    """First message on the handset socket. One connection is one telephone; when it closes the telephone hangs up.

    With `number`: a telephone of the outside world calls it (a trunk's number), shown as `caller`. With `channel` instead: the set on
    that FXS port of the box is taken over; it reports `ringing` when the box rings it. `stream`: what the telephone hears is sent.
    No path of a file ever crosses: audio does, so that the line server never opens a file for somebody else.
    """

    version: int
    number: str = ""
    channel: int | None = None
    caller: str = ""
    stream: bool = False


class HandsetPickUp(Message, frozen=True, kw_only=True):
    """A set goes off-hook: answers when it rings."""


class HandsetKeys(Message, frozen=True, kw_only=True):
    """Press keys as in-band DTMF; 'w' waits 500 ms."""

    keys: str
    on_ms: int = 100
    off_ms: int = 100


class HandsetSpeak(Message, frozen=True, kw_only=True):
    """Say this sample for sample, after what still waits to be said: A-law, at most a minute at a time. HandsetSpoken when it was said."""

    samples: bytes


class HandsetAudio(Message, frozen=True, kw_only=True):
    """A-law. To the line server: a microphone, said as it comes (60 ms are buffered, over 400 ms dropped). To the client: what is heard."""

    samples: bytes


class HandsetHangUp(Message, frozen=True, kw_only=True):
    pass


class HandsetState(Message, frozen=True, kw_only=True):
    """To the client: idle (a set on-hook), dialling, ringing, talking, busy, no_answer, ended; `detail` says why. After busy, no_answer
    and ended a tone is heard until the telephone hangs up."""

    state: str
    detail: str = ""


class HandsetKeysSent(Message, frozen=True, kw_only=True):
    pass


class HandsetSpoken(Message, frozen=True, kw_only=True):
    pass


AnyCommand = (
    Hello
    | Answer
    | Release
    | Seize
    | Play
    | StopPlay
    | PlayTone
    | SendDigits
    | StartRecording
    | StopRecording
    | Bridge
    | Unbridge
    | Tap
    | Mute
    | Gain
    | DetectSpeech
    | DetectTones
    | SetTag
    | Forget
    | BlockChannel
    | Ping
)
AnyEvent = (
    Welcome
    | Refused
    | CommandFailed
    | Offered
    | Alerting
    | Answered
    | Digit
    | PlayDone
    | DigitsSent
    | RecordingDone
    | RecordingGap
    | SpeechBegan
    | SilenceBegan
    | ToneDetected
    | Bridged
    | Unbridged
    | Released
    | ChannelChanged
    | SpanChanged
    | EngineReport
    | Pong
)
AnyHandsetRequest = HandsetDial | HandsetPickUp | HandsetKeys | HandsetSpeak | HandsetAudio | HandsetHangUp
AnyHandsetReply = HandsetState | HandsetAudio | HandsetKeysSent | HandsetSpoken | Refused


def encode(message: msgspec.Struct) -> bytes:
    """One frame: length and body."""
    body = msgspec.msgpack.encode(message)
    return struct.pack(">I", len(body)) + body


class FrameReader:
    """Cuts a byte stream into messages of the given union; holds at most one unfinished frame.

    Raises: ProtocolError for a length over MAX_FRAME_BYTES or a body that is not one of the messages; the connection is then useless.
    """

    def __init__(self, messages: object) -> None:
        self._decode = msgspec.msgpack.Decoder(messages).decode
        self._buffer = bytearray()

    def feed(self, received: bytes) -> Iterator[object]:
        """Messages completed by these bytes, in order."""
        self._buffer += received
        while len(self._buffer) >= 4:
            (length,) = struct.unpack_from(">I", self._buffer)
            if length > MAX_FRAME_BYTES:
                raise ProtocolError(
                    "LIN-020",
                    f"a frame of {length} bytes on the socket",
                    "Connect a Careline program of this version",
                )
            if len(self._buffer) < 4 + length:
                return
            body = bytes(self._buffer[4 : 4 + length])
            del self._buffer[: 4 + length]
            yield self._message(body)

    def _message(self, body: bytes) -> object:
        try:
            return self._decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ProtocolError(
                "LIN-021",
                f"not a message on the socket: {error}",
                "Connect a Careline program of this version",
            ) from error
