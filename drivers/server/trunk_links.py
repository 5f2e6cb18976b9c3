"""Which D-channel serves which B-channels, and opening them. Line server's event loop only.

A D-channel that is missing or cannot be opened leaves its channels without a link; other spans are untouched.
"""

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from drivers.channel_text import channel_text
from drivers.config import GroupConfig
from drivers.errors import LineError
from drivers.io import ChannelSpec, Signalling
from drivers.links import Link
from drivers.server.lines import Lines
from drivers.server.presence import specs_of
from drivers.signalling.pri.config import PriConfig, config_of, numbers_of

if TYPE_CHECKING:
    from drivers.signalling.pri.span import PriSpan

log = logging.getLogger("careline.lines")


class TrunkLinks:
    """The links of all primary rate spans; `plan` before channels are added, `begin` after calls were taken over."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._spans: dict[int, PriSpan] = {}

    def plan(self, groups: tuple[GroupConfig, ...]) -> None:
        """A signaller for every D-channel of the card and the B-channels it serves, as far as they are in a group."""
        for about in [about for about in self._lines.faults if about.startswith(("links", "pri "))]:
            self._lines.mended(about)
        specs = {spec.number: spec for spec in specs_of(self._lines.card)}
        wanted = {number for group in groups for number in group.numbers}
        free = {number for number in wanted if number in specs and specs[number].signalling is Signalling.BCHAN}
        for spec in specs.values():
            if spec.signalling is not Signalling.DCHAN:
                continue
            known = self._lines.links.get(spec.number)
            free -= known.serves if known else self._plan_link(spec, free, specs)
        self._tell_missing(specs)
        if free:
            what = f"channels {channel_text(sorted(free))} have no D-channel"
            self._lines.fault("links", LineError("LIN-153", what, "Set up the span's D-channel (dchan), and name it in [[lines.pri]]"))
            for number in free:
                self._lines.spans[specs[number].span].link_up = False
            self._spans |= dict.fromkeys(free, self._span(PriConfig(), 0, free, specs))

    def _plan_link(self, spec: ChannelSpec, free: set[int], specs: dict[int, ChannelSpec]) -> set[int]:
        config = config_of(spec, self._lines.config.pri)
        served = numbers_of(config, spec, specs) & free
        span = self._span(config, spec.number, served, specs)
        self._spans |= dict.fromkeys(served, span)
        if served:
            self._lines.links[spec.number] = Link(spec, span, self._lines.performer, self._link_changed)
        return served

    def _span(self, config: PriConfig, d_channel: int, numbers: Iterable[int], specs: dict[int, ChannelSpec]) -> "PriSpan":
        from drivers.signalling.pri.span import PriSpan  # compiled; not there on a box that was set up without libpri

        slots = {number: specs[number].timeslot for number in sorted(numbers)}
        law = next((specs[number].law for number in slots), "alaw")
        return PriSpan(msgspec.structs.replace(config, d_channel=d_channel), slots, self._lines.clock, law)

    def _tell_missing(self, specs: dict[int, ChannelSpec]) -> None:
        links = [spec for spec in specs.values() if spec.signalling is Signalling.DCHAN]
        for at, config in enumerate(self._lines.config.pri):
            if not (config.span or config.d_channel) or any(config_of(spec, (config,)) is config for spec in links):
                continue
            where = f"channel {config.d_channel}" if config.d_channel else f"span {config.span}"
            have = channel_text(sorted(spec.number for spec in links)) or "none"
            what = f"lines.pri[{at}]: {where} is or has no D-channel of the card"
            self._lines.fault(f"pri {at}", LineError("LIN-153", what, f"D-channels there are: {have}"))

    def signaller(self, number: int) -> "PriSpan":
        return self._spans[number]

    def begin(self) -> None:
        """Open every D-channel that is not open and let it begin."""
        for link in self._lines.links.values():
            if link.io is None:
                self._open(link)

    def open_again(self, span: int) -> None:
        """A card that was pulled is back."""
        for link in self._lines.links.values():
            if link.spec.span == span and link.io is None:
                self._open(link)

    def close(self) -> None:
        for link in self._lines.links.values():
            link.close()

    def _open(self, link: Link) -> None:
        self._lines.spans[link.spec.span].link_up = False
        try:
            link.opened(self._lines.card.open_link(link.number, link.on_frame))
        except LineError as error:
            log.error("%s D-channel %d cannot be opened: %s. %s", error.code, link.number, error.what, error.remedy)

    def _link_changed(self, spec: ChannelSpec, up: bool) -> None:
        span = self._lines.spans[spec.span]
        span.link_up = up
        self._lines.span_changed(span)
