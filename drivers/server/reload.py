"""The lines set up anew while the box runs: channels that change are closed and opened again, all others do not notice.

Line server's event loop only; the card itself may take its time (`reconfigure`).
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Protocol, runtime_checkable

import msgspec

from drivers.config import GroupConfig, LinesConfig
from drivers.errors import CarelineError, LineError
from drivers.groups import TrunkGroup
from drivers.io import ChannelSpec, Signalling
from drivers.protocol import Cause, LinesReplaced, SpanFound
from drivers.server.adoption import FXO_SIGNALLED, FXS_SIGNALLED, Adoption, groups_for, plan_in_use
from drivers.server.lines import Lines
from drivers.server.presence import spans_of, specs_of
from drivers.server.trunk_links import TrunkLinks
from drivers.signalling.pri.config import PriConfig, config_of, numbers_of
from drivers.signalling.r2 import R2Span, span_of
from drivers.span import Span
from drivers.span_plans import SpanPlan
from drivers.spans import Channel

log = logging.getLogger("careline.lines")

AS_FOUND = (SpanPlan(span=0).timing, SpanPlan(span=0).crc4, SpanPlan(span=0).echo_canceller)
"""Of a span that no plan is about."""


@runtime_checkable
class Configurable(Protocol):
    """A card whose channels can be set up while others carry calls."""

    def found(self) -> tuple[SpanFound, ...]:
        """What there is. Raises: LineError."""

    async def reconfigure(self, lines: LinesConfig) -> None:
        """Make the channels what the configuration says; those that change are closed. Raises: CarelineError."""


def predicted(found: Iterable[SpanFound], plans: Iterable[SpanPlan], specs: Mapping[int, ChannelSpec]) -> dict[int, ChannelSpec]:
    """The channels there will be; those of a card that is pulled are as they were. `specs`: the channels there are."""
    wanted = {plan.span: plan.uses() for plan in plans}
    found = tuple(found)
    away = {spec.span for spec in specs.values()} - {span.number for span in found}
    there: dict[int, ChannelSpec] = {number: spec for number, spec in specs.items() if spec.span in away}
    for span in found:
        now = {port.number: Signalling(port.now) for port in span.ports if port.now}
        uses = wanted.get(span.number, now)
        for port in span.ports:
            if port.number in uses:
                law = specs[port.number].law if port.number in specs else "alaw"
                there[port.number] = ChannelSpec(port.number, span.number, port.timeslot, uses[port.number], port.name, law)
    return there


def keys_of(lines: LinesConfig, specs: Mapping[int, ChannelSpec]) -> dict[int, object]:
    """What each channel of the groups, and each D-channel, is made of: where that differs it must be made anew."""
    groups = groups_for(lines.groups, tuple(specs.values()))
    owner = {number: group for group in groups for number in group.numbers if number in specs}
    wired = {number: (plan.timing, plan.crc4, plan.echo_canceller) for plan in lines.spans for number in plan.uses()}
    keys: dict[int, object] = {number: (_key(lines, specs[number], group), wired.get(number, AS_FOUND)) for number, group in owner.items()}
    for spec in specs.values():
        if spec.signalling is Signalling.DCHAN:
            config = config_of(spec, lines.pri)
            served = frozenset(numbers_of(config, spec, specs) & owner.keys())
            link = (_rules(config), spec.number, served, wired.get(spec.number, AS_FOUND))
            keys |= dict.fromkeys((spec.number, *served), link)
    return keys


def _key(lines: LinesConfig, spec: ChannelSpec, group: GroupConfig) -> object:
    if spec.signalling in FXS_SIGNALLED:
        return spec.signalling, lines.profile_of(spec.number, group)
    if spec.signalling in FXO_SIGNALLED:
        return spec.signalling, lines.sets
    if spec.signalling is Signalling.CAS:
        return spec.signalling, _rules(span_of(lines.r2, spec.number, spec.span))
    return spec.signalling


def _rules(section: PriConfig | R2Span) -> PriConfig | R2Span:
    """Without what says which channels it is about: a section of a span's own with the rules it had anyway changes nothing."""
    common = msgspec.structs.replace(section, span=0, channels="")
    return msgspec.structs.replace(common, d_channel=0) if isinstance(common, PriConfig) else common


class Reload:
    """Changes over from one configuration to the next."""

    def __init__(self, lines: Lines, adoption: Adoption, links: TrunkLinks) -> None:
        self._lines = lines
        self._adoption = adoption
        self._links = links

    def complete(self, wanted: LinesConfig) -> None:
        """Channels that were missing are there now: open them, leave the others alone."""
        self._open(wanted)

    def touched(self, wanted: LinesConfig, specs: Mapping[int, ChannelSpec]) -> set[int]:
        """Channels and D-channels that change, come or go."""
        before = keys_of(self._lines.config, self.specs())
        after = keys_of(wanted, specs)
        return {number for number in {*before, *after} if before.get(number) != after.get(number)}

    def busy(self, touched: Iterable[int]) -> list[int]:
        """Those of them with a call or a test."""
        channels = self._lines.channels
        return sorted(number for number in touched if number in channels and (channels[number].leg or channels[number].test))

    async def apply(self, wanted: LinesConfig, specs: Mapping[int, ChannelSpec]) -> None:
        """Calls on channels that change end. Raises: CarelineError; all is as before then, as far as the card allows."""
        before, touched = self._lines.config, self.touched(wanted, specs)
        card = self._lines.card
        assert isinstance(card, Configurable)
        self._close(touched)
        done = False
        try:
            await card.reconfigure(wanted)
            self._open(wanted)
            done = True
        finally:
            if not done:
                self._close(touched)
                await self._go_back(card, before)

    async def _go_back(self, card: Configurable, before: LinesConfig) -> None:
        try:
            await card.reconfigure(before)
        except CarelineError as error:
            log.error("LIN-176 the card cannot be set up as it was: %s", error)
        self._open(before)

    def specs(self) -> dict[int, ChannelSpec]:
        """Channels of the card, and those the line server has of one that is pulled."""
        lines = self._lines
        known = [channel.spec for channel in lines.channels.values()] + [link.spec for link in lines.links.values()]
        return {spec.number: spec for spec in (*known, *specs_of(lines.card))}

    # --- closing -----------------------------------------------------------------------------------------------------

    def _close(self, touched: set[int]) -> None:
        lines = self._lines
        for number, link in tuple(lines.links.items()):
            if number in touched:
                link.close()
                del lines.links[number]
                lines.spans[link.spec.span].link_up = None
        for number in touched & lines.channels.keys():
            channel = lines.channels[number]
            if channel.leg:
                channel.release(Cause.TEMPORARY_FAILURE)
            self._adoption.give_up(channel)
            del lines.channels[number]
            lines.tests.pop(number, None)

    # --- opening -----------------------------------------------------------------------------------------------------

    def _open(self, wanted: LinesConfig) -> None:
        """Raises: LineError LIN-034, ConfigError."""
        lines, specs = self._lines, self.specs()
        groups = groups_for(wanted.groups, tuple(specs.values()))
        plan = plan_in_use(wanted.dial_plan, groups)
        missing = [number for group in groups for number in group.numbers if number not in specs]
        if missing:
            raise LineError("LIN-177", f"the card has no channel {missing[0]} after it was set up", "See the kernel's log; set it up again")
        lines.config, lines.number_plan = wanted, plan
        self._look_at_spans()
        self._links.plan(groups)
        fresh = [self._place(specs[number], group) for group in groups for number in group.numbers]
        self._group(groups)
        self._links.begin()
        for channel in fresh:
            channel.on_span_alarms(lines.spans[channel.spec.span].status.alarms)
            channel.begin()
        self._tell()

    def _place(self, spec: ChannelSpec, group: GroupConfig) -> Channel:
        """A channel that stays gets its group's new rules, any other is opened."""
        channel = self._lines.channels.get(spec.number)
        if channel is None:
            return self._adoption.add(spec, group)
        channel.regroup(group, self._lines.number_plan)
        return channel

    def _group(self, groups: Iterable[GroupConfig]) -> None:
        lines, before = self._lines, dict(self._lines.groups)
        lines.groups.clear()
        for group in groups:
            channels = tuple(lines.channels[number] for number in group.numbers)
            old = before.get(group.name)
            same = old is not None and old.config == group and old.channels == channels
            lines.groups[group.name] = old if old is not None and same else TrunkGroup(group, channels)

    def _look_at_spans(self) -> None:
        lines = self._lines
        for status in spans_of(lines.card):
            if status.number in lines.spans:
                lines.spans[status.number].update(status, lines.clock.now())
            else:
                lines.spans[status.number] = Span(status, lines.clock.now())

    def _tell(self) -> None:
        lines = self._lines
        lines.told.clear()
        channels = tuple(lines.channels[number].state() for number in sorted(lines.channels))
        lines.told.update({channel.number: channel for channel in channels})
        spans = tuple(span.state() for span in lines.spans.values())
        groups = tuple(group.state() for group in lines.groups.values())
        lines.outbox.emit(LinesReplaced(channels=channels, spans=spans, groups=groups, number_plan=lines.number_plan))
