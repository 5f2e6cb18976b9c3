"""The card in software as `[[lines.spans]]` wants it. Pure."""

from collections.abc import Iterator, Sequence

import msgspec

from drivers.channel_text import channel_text
from drivers.errors import ConfigError
from drivers.io import Signalling
from drivers.span_plans import SpanPlan
from drivers.virtual.config import DIGITAL, E1_SIGNALLING_TIMESLOT, SpanConfig, SpanKind, VirtualConfig

CAN = {
    SpanKind.FXO: ("fxsks", "fxsls"),
    SpanKind.E1: ("fxsks", "fxsls"),
    SpanKind.FXS: ("fxoks", "fxols"),
    SpanKind.PRI: ("bchan", "cas"),
    SpanKind.CAS: ("bchan", "cas"),
}
LOOP_START = frozenset({Signalling.FXSLS, Signalling.FXOLS})


def planned(config: VirtualConfig, plans: Sequence[SpanPlan]) -> VirtualConfig:
    """The same spans, used as the plans say. Raises: ConfigError CFG-095 no such span or channel, CFG-096, CFG-097."""
    spans = list(config.spans)
    for plan in plans:
        if not 1 <= plan.span <= len(spans):
            raise ConfigError("CFG-095", f"lines.spans: the card in software has no span {plan.span}", f"It has {len(spans)}")
        _check_ports(config, plan)
        spans[plan.span - 1] = _planned(spans[plan.span - 1], plan)
    return msgspec.structs.replace(config, spans=tuple(spans))


def _check_ports(config: VirtualConfig, plan: SpanPlan) -> None:
    ports = {number: can for number, _, can in ports_of(config, plan.span)}
    for number, signalling in sorted(plan.uses().items()):
        if number not in ports:
            what = f"lines.spans: channel {number} is not on span {plan.span} of the card in software"
            raise ConfigError("CFG-095", what, f"Its channels are {channel_text(sorted(ports))}")
        if (signalling is Signalling.DCHAN) != (ports[number] == ("dchan",)):
            what = f"lines.spans: channel {number} of the card in software cannot be {signalling.value}"
            raise ConfigError("CFG-096", what, f"It can be {', '.join(ports[number])}")


def _planned(span: SpanConfig, plan: SpanPlan) -> SpanConfig:
    used = {signalling for signalling in plan.uses().values() if signalling is not Signalling.DCHAN}
    if not used:
        return span
    if len(used) > 1:
        what = f"lines.spans: span {plan.span} is {' and '.join(sorted(used))}"
        raise ConfigError("CFG-097", what, "The ports of a span of the card in software are all alike")
    (signalling,) = used
    if signalling.value not in CAN[span.kind]:
        what = f"lines.spans: span {plan.span} of the card in software is {span.kind.value} and cannot be {signalling.value}"
        raise ConfigError("CFG-097", what, f"It can be {', '.join(CAN[span.kind])}")
    if span.is_digital:
        return msgspec.structs.replace(span, kind=SpanKind.PRI if signalling is Signalling.BCHAN else SpanKind.CAS)
    return msgspec.structs.replace(span, supervised=signalling not in LOOP_START)


def ports_of(config: VirtualConfig, span: int) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Channel number, timeslot and what it can be, of every port of that span."""
    kind, first = config.spans[span - 1].kind, config.first_channel(span)
    slots = range(1, 1 + config.spans[span - 1].size) if kind in DIGITAL else config.spans[span - 1].timeslots
    for slot in slots:
        yield first + slot - 1, slot, ("dchan",) if kind in DIGITAL and slot == E1_SIGNALLING_TIMESLOT else CAN[kind]
