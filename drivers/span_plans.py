"""What the channels of each span are used for (`[[lines.spans]]`): the same words for every card. Pure.

Each driver makes its own configuration of it (`planned` in drivers.virtual.plans and drivers.dahdi.plans).
"""

from collections.abc import Sequence

import msgspec

from drivers.channel_text import channel_numbers, channel_text
from drivers.errors import ConfigError
from drivers.io import Signalling
from drivers.protocol import SpanFound

SIGNALLINGS = tuple(signalling.value for signalling in Signalling)


class SpanPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One span: channel numbers by signalling, as "1-15,17-31"; a channel that is not named is not used.

    Of digital spans: timing (0: the far end takes its clock from us; 1: our first choice to take the clock from), crc4 (multiframes with
    check sums, G.704). echo_canceller: its name ("mg2"), empty for none.
    """

    span: int
    fxsks: str = ""
    fxsls: str = ""
    fxoks: str = ""
    fxols: str = ""
    bchan: str = ""
    dchan: str = ""
    cas: str = ""
    timing: int = 1
    crc4: bool = True
    echo_canceller: str = ""

    def channels(self, signalling: str) -> tuple[int, ...]:
        """Raises: ValueError."""
        text: str = getattr(self, signalling)
        return channel_numbers(text) if text else ()

    def uses(self) -> dict[int, Signalling]:
        """Signalling of every channel named. Raises: ValueError."""
        return {number: Signalling(name) for name in SIGNALLINGS for number in self.channels(name)}


def check_plans(plans: Sequence[SpanPlan], file: str) -> None:
    """Raises: ConfigError CFG-090 channels cannot be read, CFG-091 a channel used twice, CFG-092 a span there twice, CFG-093 B-channels
    without a D-channel or more than one, CFG-094 B-channels and bits on one span."""
    owner: dict[int, str] = {}
    spans: set[int] = set()
    for at, plan in enumerate(plans):
        where = f"{file}: lines.spans[{at}]"
        if plan.span in spans:
            raise ConfigError("CFG-092", f"{where}: span {plan.span} is there twice", "Give each span one section")
        spans.add(plan.span)
        for name in SIGNALLINGS:
            _check_channels(plan, name, where, owner)
        _check_links(plan, where)


def check_found(plans: Sequence[SpanPlan], found: Sequence[SpanFound], file: str) -> None:
    """That the cards have these channels, and their ports can do it. Raises: ConfigError CFG-095, CFG-096."""
    spans = {span.number: span for span in found}
    for at, plan in enumerate(plans):
        where = f"{file}: lines.spans[{at}]"
        if plan.span not in spans:
            have = ", ".join(map(str, spans)) or "none"
            raise ConfigError("CFG-095", f"{where}: there is no span {plan.span}", f"Spans found: {have}; is the card plugged in?")
        _check_ports(plan, spans[plan.span], where)


def plan_of(span: SpanFound) -> SpanPlan:
    """As it is used now."""
    used = {name: channel_text([port.number for port in span.ports if port.now == name]) for name in SIGNALLINGS}
    return msgspec.convert({"span": span.number, **used}, SpanPlan)


def _check_channels(plan: SpanPlan, name: str, where: str, owner: dict[int, str]) -> None:
    try:
        numbers = plan.channels(name)
    except ValueError as error:
        raise ConfigError("CFG-090", f"{where}.{name}: {error}", 'Write numbers and ranges, as in "1-15,17-31"') from error
    for number in numbers:
        if number in owner:
            raise ConfigError("CFG-091", f"{where}.{name}: channel {number} is {owner[number]} already", "Use each channel once")
        owner[number] = f"{name} of span {plan.span}"


def _check_links(plan: SpanPlan, where: str) -> None:
    links, bearers = plan.channels("dchan"), plan.channels("bchan")
    if bearers and len(links) != 1:
        what = f"{where}: span {plan.span} has {len(bearers)} B-channels and {len(links)} D-channels"
        raise ConfigError("CFG-093", what, "Use timeslot 16 of an E1 (24 of a T1) as dchan")
    if links and not bearers:
        raise ConfigError("CFG-093", f"{where}: span {plan.span} has a D-channel and no B-channel", "Use its other timeslots as bchan")
    if bearers and plan.cas:
        raise ConfigError("CFG-094", f"{where}: span {plan.span} has B-channels and channels with bits", "Use the span for one of them")


def _check_ports(plan: SpanPlan, span: SpanFound, where: str) -> None:
    ports = {port.number: port for port in span.ports}
    for number, signalling in plan.uses().items():
        port = ports.get(number)
        if port is None:
            have = channel_text(sorted(ports))
            raise ConfigError("CFG-095", f"{where}: channel {number} is not on span {plan.span}", f"Its channels are {have}")
        if signalling.value not in port.can:
            what = f"{where}: channel {number} cannot be {signalling.value}"
            raise ConfigError("CFG-096", what, f"This port can be {', '.join(port.can) or 'nothing'}")
