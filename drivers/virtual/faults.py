"""Errors of the card in software, and what can be made to go wrong on its lines. Pure."""

from enum import StrEnum

from drivers.errors import LineError
from drivers.io import Signalling
from drivers.media import Fault as AudioFault


class Fault(StrEnum):
    """What can be wrong with a line.

    cut: wires cut, both ways, audio, signals and frames. freeze: the far end stands still, audio repeats, signals and frames wait until
    it is over. lost_hangup: the far end hangs up and the box is not told (a busy tone may still be heard). alarm: this channel's alarm.
    silence; noise (value dBm0); echo (value dB below the own signal); gain (value dB): audio towards one end or both.
    stall: the program at one end stands still: what it is sent is lost, and it sends nothing (audio alone).
    loss, corrupt (value: share of the frames, 0 to 1): frames of a D-channel that vanish, or arrive with a bad check sum.
    """

    CUT = "cut"
    FREEZE = "freeze"
    LOST_HANGUP = "lost_hangup"
    ALARM = "alarm"
    SILENCE = "silence"
    NOISE = "noise"
    ECHO = "echo"
    GAIN = "gain"
    STALL = "stall"
    LOSS = "loss"
    CORRUPT = "corrupt"


AUDIO_FAULTS: dict[Fault, AudioFault] = {
    Fault.CUT: AudioFault.CUT,
    Fault.FREEZE: AudioFault.FREEZE,
    Fault.SILENCE: AudioFault.SILENCE,
    Fault.NOISE: AudioFault.NOISE,
    Fault.ECHO: AudioFault.ECHO,
    Fault.GAIN: AudioFault.GAIN,
    Fault.STALL: AudioFault.STALL,
}


def no_channel(number: int, known: tuple[int, ...]) -> LineError:
    """There is none of that number."""
    span = f"{min(known)} to {max(known)}" if known else "none now: its spans are unplugged"
    return LineError("LIN-070", f"the virtual card has no channel {number}", f"Its channels are {span}; see [lines.virtual]")


def is_open(number: int) -> LineError:
    """Somebody has it already."""
    return LineError("LIN-072", f"channel {number} of the virtual card is open already", "Close it first")


def gone(number: int) -> LineError:
    """Its span was unplugged since it was opened."""
    what = f"channel {number} of the virtual card is gone: its span was unplugged"
    return LineError("LIN-085", what, "Plug the span in again; its channels must be opened again")


def other_signalling(number: int, found: Signalling, wanted: str) -> LineError:
    """The channel is of another kind than it is to be used for."""
    what = f"channel {number} of the virtual card is set up as {found.value}, not as {wanted}"
    return LineError("LIN-086", what, "Choose the span's `kind` in [lines.virtual], or use the channel for what it is")


def not_sendable(number: int, what: str, allowed: str) -> LineError:
    """Something that this line cannot carry was to be sent."""
    return LineError("LIN-087", f"channel {number} of the virtual card cannot send {what}", f"Allowed is {allowed}")


def no_span(span: int, count: int) -> LineError:
    """There is none of that number."""
    return LineError("LIN-088", f"the virtual card has no span {span}", f"Its spans are 1 to {count}; see [lines.virtual]")
