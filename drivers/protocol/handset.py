"""The handset socket: a telephone of the virtual card, for `careline handset` and the browser."""

from drivers.protocol.events import Refused
from drivers.protocol.states import Message


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


class HandsetFlash(Message, frozen=True, kw_only=True):
    """A set presses its hook for a moment."""


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


AnyHandsetRequest = HandsetDial | HandsetPickUp | HandsetFlash | HandsetKeys | HandsetSpeak | HandsetAudio | HandsetHangUp
AnyHandsetReply = HandsetState | HandsetAudio | HandsetKeysSent | HandsetSpoken | Refused
