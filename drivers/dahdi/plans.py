"""system.conf as `[[lines.spans]]` wants it. Pure."""

from collections.abc import Iterator, Sequence

import msgspec

from drivers.dahdi.setup import CardSetup, ChannelGroup, SpanLine
from drivers.io import Signalling
from drivers.span_plans import SIGNALLINGS, SpanPlan

DIGITAL = (Signalling.BCHAN, Signalling.CAS)


def planned(setup: CardSetup, plans: Sequence[SpanPlan]) -> CardSetup:
    """Zones and dynamic spans as they are; spans and channels by the plans, where there are any."""
    if not plans:
        return setup
    spans = tuple(_span_line(plan) for plan in plans if set(plan.uses().values()) & set(DIGITAL))
    return msgspec.structs.replace(setup, spans=spans, groups=tuple(group for plan in plans for group in _groups(plan)))


def _span_line(plan: SpanPlan) -> SpanLine:
    """E1 with HDB3; the framing follows from the use. Source: system.conf(5)."""
    return SpanLine(number=plan.span, timing=plan.timing, framing="cas" if plan.cas else "ccs", crc4=plan.crc4)


def _groups(plan: SpanPlan) -> Iterator[ChannelGroup]:
    for name in SIGNALLINGS:
        text: str = getattr(plan, name)
        canceller = plan.echo_canceller if name != "dchan" else ""
        if text:
            yield ChannelGroup(channels=text, signalling=Signalling(name), echo_canceller=canceller or None)
