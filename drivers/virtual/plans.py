"""The card in software as `[[lines.spans]]` wants it. Pure."""

from collections.abc import Sequence

import msgspec

from drivers.errors import ConfigError
from drivers.io import Signalling
from drivers.span_plans import SpanPlan
from drivers.virtual.config import SpanConfig, SpanKind, VirtualConfig

LOOP_START = frozenset({Signalling.FXSLS, Signalling.FXOLS})


def planned(config: VirtualConfig, plans: Sequence[SpanPlan]) -> VirtualConfig:
    """The same spans, used as the plans say. Raises: ConfigError CFG-095, CFG-097."""
    spans = list(config.spans)
    for plan in plans:
        if not 1 <= plan.span <= len(spans):
            raise ConfigError("CFG-095", f"lines.spans: the card in software has no span {plan.span}", f"It has {len(spans)}")
        spans[plan.span - 1] = _planned(spans[plan.span - 1], plan)
    return msgspec.structs.replace(config, spans=tuple(spans))


def _planned(span: SpanConfig, plan: SpanPlan) -> SpanConfig:
    used = {signalling for signalling in plan.uses().values() if signalling is not Signalling.DCHAN}
    if not used:
        return span
    if len(used) > 1:
        what = f"lines.spans: span {plan.span} is {' and '.join(sorted(used))}"
        raise ConfigError("CFG-097", what, "The ports of a span of the card in software are all alike")
    (signalling,) = used
    if signalling is Signalling.BCHAN:
        return msgspec.structs.replace(span, kind=SpanKind.PRI)
    if signalling is Signalling.CAS:
        return msgspec.structs.replace(span, kind=SpanKind.CAS)
    return msgspec.structs.replace(span, supervised=signalling not in LOOP_START)
