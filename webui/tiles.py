"""What the live pages show of a channel or a call, worked out from the live view. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from appliance.control.messages import LiveCall
from drivers.protocol import ChannelState
from webui.live import LiveView

PHASES = ("ringing", "talking", "bridged", "ending")
STATES = ("free", "busy", "blocked", "alarm", "test", *PHASES)


@dataclass(frozen=True)
class Tile:
    """One channel. `state` is one of STATES; a call on a blocked channel goes on, so it shows its phase and a lock."""

    channel: ChannelState
    state: str
    call: LiveCall | None


@dataclass(frozen=True)
class Counts:
    """Channels by what they can do now."""

    total: int
    free: int
    busy: int
    blocked: int
    alarm: int


def tile(view: LiveView, number: int) -> Tile:
    """Raises: KeyError for a channel that is not there."""
    channel = view.channels[number]
    call = view.call_on(number)
    return Tile(channel, _state(channel, call), call)


def tiles(view: LiveView) -> list[Tile]:
    return [tile(view, number) for number in sorted(view.channels)]


def counts(view: LiveView) -> Counts:
    return counts_of(tiles(view))


def counts_of(some: Iterable[Tile]) -> Counts:
    states = [one.state for one in some]
    busy = sum(state in (*PHASES, "busy", "test") for state in states)
    return Counts(len(states), states.count("free"), busy, states.count("blocked"), states.count("alarm"))


def _state(channel: ChannelState, call: LiveCall | None) -> str:
    if call is not None:
        return call.phase if call.phase in PHASES else "busy"
    if channel.alarms:
        return "alarm"
    if channel.test:
        return "test"
    if channel.leg is not None:
        return "busy"
    return "blocked" if channel.blocked else "free"
