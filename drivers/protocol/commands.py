"""Commands: call agent to line server."""

import msgspec

from drivers.protocol.line_care import LineTestKind
from drivers.protocol.states import Cause, Message, Sides, TransferWhen


class Command(Message, frozen=True, kw_only=True):
    """Base of commands. One that cannot be done is answered by `CommandFailed` with the same `command_id`."""

    command_id: int = 0


class Hello(Command, frozen=True, kw_only=True):
    """First message of a client. Answered by Welcome or Refused (another version, or a client is there already)."""

    version: int
    client: str


class Answer(Command, frozen=True, kw_only=True):
    leg: str


class Alert(Command, frozen=True, kw_only=True):
    """Tell the caller's network that it rings here; `inband`: and that there is something to hear before the answer."""

    leg: str
    inband: bool = False


class Flash(Command, frozen=True, kw_only=True):
    """A hook flash towards the switch this leg's line belongs to."""

    leg: str


class TransferInSwitch(Command, frozen=True, kw_only=True):
    """Ask the switch to join the far ends of two legs and release both; if it does not, Transferred says so."""

    leg: str
    other: str
    transfer_id: int = 0


class TransferByFlash(Command, frozen=True, kw_only=True):
    """Behind a switch: hand the leg's caller to `number` by hook flash and digits. Answered by Transferred, or Released when the caller
    has gone meanwhile. `when` the box lets go; after `no_answer_ms` without an answer it takes the caller back. `transfer_id` rises per
    leg; one that was begun before is not begun again."""

    leg: str
    number: str
    transfer_id: int = 0
    when: TransferWhen = TransferWhen.ANSWERED
    no_answer_ms: int = 30_000


class Release(Command, frozen=True, kw_only=True):
    leg: str
    cause: int = Cause.NORMAL


class Seize(Command, frozen=True, kw_only=True):
    """Call out: a free channel of the group (or exactly `channel`), then dial `number` (empty for an FXS set: it rings).

    The call agent names the leg. `ring`: the kind of call, as `[lines.sets.rings]` names it, for a set's ring cadence.
    """

    leg: str
    group: str = ""
    channel: int | None = None
    number: str = ""
    caller: str | None = None
    no_answer_ms: int = 60_000
    tag: bytes = b""
    ring: str = ""


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
    """A tone of the country ("dial", "ringback", "busy", "congestion"), or one for sets ("stutter", "waiting", "howler", "beep");
    empty name: silence again."""

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


class Confer(Command, frozen=True, kw_only=True):
    """`leg` joins `other` and whom it talks with: each hears all the others. Empty: it leaves; two who are left are joined as by Bridge."""

    leg: str
    other: str = ""


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


class MaskDigits(Command, frozen=True, kw_only=True):
    """A secret is keyed: while `on`, nobody hears or records the leg's party, nor what it said since the first digit that waits; its digits
    are told as `secret` and kept nowhere. Off: when there was no key for `quiet_ms`. What waits at the beginning is dropped."""

    leg: str
    on: bool
    quiet_ms: int = 100


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
    """Take no new call on this channel, because a person says so; a call that is there goes on, or ends now (`at_once`)."""

    channel: int
    blocked: bool = True
    at_once: bool = False


class ResetCounters(Command, frozen=True, kw_only=True):
    """Count calls and failures of this channel anew, or the errors of this span."""

    channel: int = 0
    span: int = 0


class StartLineTest(Command, frozen=True, kw_only=True):
    """Test an idle channel for at most `limit_ms`; it takes no call meanwhile. LineTestReported tells how it goes.

    learn_tones calls `number`; with `whole_group` what it learns holds for all lines of the channel's group.
    """

    test_id: str
    channel: int
    kind: LineTestKind
    limit_ms: int = 30_000
    number: str = ""
    whole_group: bool = False


class StopLineTest(Command, frozen=True, kw_only=True):
    """Stop the test that runs on this channel, if there is one."""

    channel: int


class CollectNumber(Command, frozen=True, kw_only=True):
    """Give a set that is in a call dial tone and take another number, by the dial plan; answered by NumberDialled, or by HookFlashed.
    Who it talked with should be parted from it before."""

    leg: str


class ShowMessages(Command, frozen=True, kw_only=True):
    """Show the set on this channel that messages wait for it: lamp, and stutter dial tone. Forgotten when the line server restarts."""

    channel: int
    waiting: bool = True


class AskSetup(Command, frozen=True, kw_only=True):
    """Answered by SetupTold."""


class TrySetup(Command, frozen=True, kw_only=True):
    """A new set-up of the lines (`setup`: JSON, see drivers.config.LineSetup): checked, and answered by SetupChecked or CommandFailed.

    `apply`: also put into use, touching only the channels concerned; undone unless SettleSetup(keep=True) comes within `confirm_s`.
    """

    setup: bytes
    apply: bool = False
    confirm_s: int = 60


class SettleSetup(Command, frozen=True, kw_only=True):
    """Keep the set-up that is being tried, or undo it now."""

    keep: bool


class Ping(Command, frozen=True, kw_only=True):
    pass


AnyCommand = (
    Hello
    | Answer
    | Alert
    | Flash
    | TransferInSwitch
    | TransferByFlash
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
    | Confer
    | Tap
    | Mute
    | MaskDigits
    | Gain
    | DetectSpeech
    | DetectTones
    | SetTag
    | Forget
    | BlockChannel
    | ResetCounters
    | StartLineTest
    | StopLineTest
    | CollectNumber
    | ShowMessages
    | AskSetup
    | TrySetup
    | SettleSetup
    | Ping
)
