"""system.conf as `[[lines.spans]]` wants it. Pure."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from drivers.dahdi.setup import CardSetup, ChannelGroup, SpanLine, channel_numbers
from drivers.io import Signalling
from drivers.span_plans import SIGNALLINGS, SpanPlan

DIGITAL = (Signalling.BCHAN, Signalling.CAS)


def planned(setup: CardSetup, plans: Sequence[SpanPlan]) -> CardSetup:
    """Zones, companding and dynamic spans as they are; spans and channels by the plans, where there are any."""
    if not plans:
        return setup
    laws = {number: group.law for group in setup.groups for number in channel_numbers(group.channels)}
    before = {span.number: span for span in setup.spans}
    # A dynamic span has no line of its own, and which number it has the kernel alone knows.
    digital = [plan for plan in plans if set(plan.uses().values()) & set(DIGITAL) and (plan.span in before or not setup.dynamic_spans)]
    spans = tuple(_span_line(plan, before.get(plan.span, SpanLine(plan.span))) for plan in digital)
    return msgspec.structs.replace(setup, spans=spans, groups=tuple(group for plan in plans for group in _groups(plan, laws)))


def _span_line(plan: SpanPlan, before: SpanLine) -> SpanLine:
    """The framing of an E1 follows from its use; a T1 keeps its own. Source: system.conf(5)."""
    framing = before.framing if before.framing in ("d4", "esf") else "cas" if plan.cas else "ccs"
    return msgspec.structs.replace(before, timing=plan.timing, framing=framing, crc4=plan.crc4)


def _groups(plan: SpanPlan, laws: Mapping[int, str | None]) -> Iterator[ChannelGroup]:
    for name in SIGNALLINGS:
        text: str = getattr(plan, name)
        canceller = plan.echo_canceller if name != "dchan" else ""
        if text:
            law = laws.get(channel_numbers(text)[0])
            group = {"channels": text, "signalling": name, "law": law, "echo_canceller": canceller or None}
            yield msgspec.convert(group, ChannelGroup)
