"""What all parts of the line server share: channels, groups, spans, the book of legs, the way out for events. Event loop only."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec

from drivers.clock import Clock
from drivers.config import LinesConfig
from drivers.errors import CarelineError, LineError
from drivers.groups import TrunkGroup
from drivers.io import Card
from drivers.legs import LegBook
from drivers.links import Link
from drivers.numbers import Numbering
from drivers.ports import Media, Port
from drivers.protocol import (
    VERSION,
    BlockedBy,
    ChannelChanged,
    ChannelState,
    LegPhase,
    LegState,
    LineFault,
    LineTest,
    NumberPlan,
    PlayEnd,
    PlayState,
    SpanChanged,
    Welcome,
)
from drivers.server.outbox import Outbox
from drivers.settings import Paths
from drivers.span import Span
from drivers.spans import Channel

log = logging.getLogger("careline.lines")

KEEP_AGAIN_S = 10.0
BLOCKED = "blocked channels"


class Lines:
    """State of the line server. `plays`: engine's play id to (leg, play id of the call agent); -1 is a play of our own.

    `leg_quieter` is told of a play or recording that has ended.
    `inner`: those of the line from the box to itself, which are never shown (inner_line.py).
    `told`: channels as the call agent knows them; `tests`: the last line test of each channel.
    """

    def __init__(self, config: LinesConfig, paths: Paths, card: Card, media: Media, clock: Clock) -> None:
        self.config = config
        self.paths = paths
        self.card = card
        self.media = media
        self.clock = clock
        self.started_at: datetime = clock.now()
        self.book = LegBook(Path(paths.run_dir) / "legs")
        self.outbox = Outbox(self.book, config.max_kept_events)
        self.channels: dict[int, Channel] = {}
        self.inner: dict[int, Channel] = {}
        self.links: dict[int, Link] = {}
        self.groups: dict[str, TrunkGroup[Channel]] = {}
        self.spans: dict[int, Span] = {}
        self.number_plan = NumberPlan()
        self.numbering = Numbering(config.numbers, config.dial_plan.emergency)
        self.plays: dict[int, tuple[str, int]] = {}
        self.told: dict[int, ChannelState] = {}
        self.tests: dict[int, LineTest] = {}
        self.faults: dict[str, LineFault] = {}
        self._blocked = Path(paths.data_dir) / "blocked.json"
        self._keep_again: asyncio.TimerHandle | None = None
        self._legs_named = 0
        self.leg_quieter: Callable[[str], None]

    def leg_name(self) -> str:
        """Unique over restarts: when this process started, and a count."""
        self._legs_named += 1
        return f"{int(self.started_at.timestamp() * 1000):x}-{self._legs_named}"

    def channel_of(self, leg: str) -> Channel:
        """The channel a leg is on. Raises: LineError LIN-030, LIN-031 when the leg is over."""
        state = self.book.state(leg)
        channel = self.channel_with_number(state.channel)
        if channel is None or channel.leg != leg:
            raise LineError("LIN-031", f"leg {leg} is {state.phase.value}: no channel", "Nothing to do: the call is over")
        return channel

    def keep_blocked(self) -> None:
        """A channel that a person blocked stays blocked over a restart, of the machine too.

        Raises: LineError LIN-186 when that cannot be written down; it is tried again until it is, and told as a fault meanwhile.
        """
        self.keep_no_more()
        try:
            self._write_blocked()
        except OSError as error:
            what = f"what is blocked now will not outlast a restart: {self._blocked} cannot be written ({error.strerror})"
            fault = LineError("LIN-186", what, "Free space there; it is written as soon as it can be")
            if BLOCKED not in self.faults:
                self.fault(BLOCKED, fault)
            self._keep_again = asyncio.get_running_loop().call_later(KEEP_AGAIN_S, self._try_to_keep_blocked)
            raise fault from error
        self.mended(BLOCKED)

    def keep_no_more(self) -> None:
        """Nothing is tried again."""
        if self._keep_again:
            self._keep_again.cancel()

    def _try_to_keep_blocked(self) -> None:
        with contextlib.suppress(LineError):
            self.keep_blocked()

    def _write_blocked(self) -> None:
        """Raises: OSError."""
        numbers = sorted(channel.number for channel in self.channels.values() if channel.care.blocked_by is BlockedBy.PERSON)
        fresh = self._blocked.with_suffix(".new")
        fresh.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(msgspec.json.encode(numbers))
        fresh.replace(self._blocked)

    def blocked_before(self) -> frozenset[int]:
        """What an earlier process kept; none when it cannot be read."""
        try:
            return frozenset(msgspec.json.decode(self._blocked.read_bytes(), type=list[int]))
        except (OSError, msgspec.MsgspecError):
            return frozenset()

    def performer(self, number: int) -> Channel | Link:
        """Who has that number on the card: a channel, or a D-channel."""
        return self.channel_with_number(number) or self.links[number]

    def channel_with_number(self, number: int) -> Channel | None:
        """Shown or not; None: there is none."""
        return self.channels.get(number) or self.inner.get(number)

    def channel_with(self, leg: str) -> Channel | None:
        """Shown or not: the one that leg is on."""
        return next((channel for channel in (*self.channels.values(), *self.inner.values()) if channel.leg == leg), None)

    def channel(self, number: int) -> Channel:
        """One that is shown. Raises: LineError LIN-033."""
        if number not in self.channels:
            raise LineError("LIN-033", f"there is no channel {number}", "See the snapshot for the channels there are")
        return self.channels[number]

    def known_channel(self, number: int) -> Channel:
        """Shown or not. Raises: LineError LIN-033."""
        return self.inner.get(number) or self.channel(number)

    def channel_at(self, port: int) -> Channel | None:
        """Whose media port that is."""
        number = self.media.channel_at.get(port)
        return None if number is None else self.channel_with_number(number)

    def port_of(self, leg: str) -> Port:
        """Raises: LineError LIN-030, LIN-031."""
        return self.channel_of(leg).port

    def state_in(self, leg: str, *phases: LegPhase) -> LegState:
        """The leg, which must be in one of these phases. Raises: LineError LIN-030, LIN-031."""
        state = self.book.state(leg)
        if state.phase not in phases:
            wanted = " or ".join(phase.value for phase in phases)
            raise LineError("LIN-031", f"leg {leg} is {state.phase.value}, not {wanted}", "Wait for the event that says so")
        return state

    def fault(self, about: str, error: CarelineError) -> None:
        """Something of the set-up cannot be used; told until `mended`."""
        log.error("%s %s. %s", error.code, error.what, error.remedy)
        self.faults[about] = LineFault(code=error.code, what=error.what, remedy=error.remedy)

    def mended(self, about: str) -> None:
        self.faults.pop(about, None)

    def channel_changed(self, channel: Channel) -> None:
        if channel.number in self.inner:
            return
        state = self.told[channel.number] = channel.state()
        self.outbox.emit(ChannelChanged(channel=state))

    def span_changed(self, span: Span) -> None:
        self.outbox.emit(SpanChanged(span=span.state()))

    def begin_play(self, leg: str, play_id: int) -> int:
        """Note a play; answers the engine's id for it."""
        play = self.media.next_id()
        self.plays[play] = (leg, play_id)
        return play

    def end_play(self, leg: str, play_id: int, end: PlayEnd) -> None:
        """Keep how the leg's play ended, unless a later one plays already."""
        if leg in self.book:
            current = self.book.state(leg).play
            if current is not None and current.play_id == play_id:
                self.book.update(leg, play=PlayState(play_id, end))
                self.leg_quieter(leg)

    def welcome(self) -> Welcome:
        return Welcome(
            version=VERSION,
            card=self.config.card,
            at=self.clock.now(),
            started_at=self.started_at,
            legs=self.book.states(),
            channels=tuple(channel.state() for channel in self.channels.values()),
            spans=tuple(span.state() for span in self.spans.values()),
            groups=tuple(group.state() for group in self.groups.values()),
            tests=tuple(self.tests.values()),
            faults=tuple(self.faults.values()),
            number_plan=self.number_plan,
        )
