"""What spans are used for, in the words of every card: checked, and turned into system.conf."""

import pytest

from drivers.dahdi import plans as dahdi_plans
from drivers.dahdi.setup import CardSetup, ChannelGroup, DynamicSpan, SpanLine, render
from drivers.errors import ConfigError
from drivers.io import Signalling
from drivers.protocol import PortFound, SpanFound
from drivers.span_plans import SpanPlan, check_found, check_plans, plan_of

E1 = SpanPlan(span=1, bchan="1-15,17-31", dchan="16", crc4=False)
R2 = SpanPlan(span=2, cas="32-46,48-62")
PORTS = SpanPlan(span=3, fxsks="63-64", fxoks="65-66", echo_canceller="mg2")


def test_system_conf_says_what_the_plans_say() -> None:
    text = render(dahdi_plans.planned(CardSetup(), (E1, R2, PORTS)))
    for line in (
        "span=1,1,0,ccs,hdb3",
        "span=2,1,0,cas,hdb3,crc4",
        "bchan=1-15,17-31",
        "dchan=16",
        "cas=32-46,48-62:1101",
        "fxsks=63-64",
        "fxoks=65-66",
        "echocanceller=mg2,63-64",
        "loadzone=cn",
    ):
        assert line in text.splitlines(), line
    assert "echocanceller=mg2,16" not in text


def test_no_plan_leaves_the_card_section_as_it_is() -> None:
    setup = CardSetup(groups=(ChannelGroup("1-4", Signalling.FXSKS),))
    assert dahdi_plans.planned(setup, ()) is setup


def test_what_plans_do_not_say_stays() -> None:
    setup = CardSetup(
        spans=(SpanLine(1, timing=2, framing="esf", coding="b8zs"),),
        groups=(ChannelGroup("1-15,17-31", Signalling.CAS, law="alaw"),),
        zones=("us",),
    )
    planned = dahdi_plans.planned(setup, (E1,))
    assert planned.spans == (SpanLine(1, timing=1, framing="esf", coding="b8zs", crc4=False),)
    assert [(group.signalling, group.law) for group in planned.groups] == [(Signalling.BCHAN, "alaw"), (Signalling.DCHAN, None)]
    assert planned.zones == ("us",)


def test_dynamic_spans_have_no_line_of_their_own() -> None:
    setup = CardSetup(dynamic_spans=(DynamicSpan("loc", "1:0", 31),))
    assert dahdi_plans.planned(setup, (E1,)).spans == ()


def test_plan_of_a_span_as_it_is_found() -> None:
    ports = tuple(PortFound(number=n, timeslot=n, name=f"P{n}", can=("fxsks",), now="fxsks" if n != 3 else "") for n in range(1, 5))
    found = SpanFound(number=1, name="A", description="", digital=False, ports=ports)
    assert plan_of(found) == SpanPlan(span=1, fxsks="1-2,4")
    check_found((plan_of(found),), (found,), "f")
    with pytest.raises(ConfigError, match=r"CFG-096.*channel 3 cannot be fxsls"):
        check_found((SpanPlan(span=1, fxsls="3"),), (found,), "f")


@pytest.mark.parametrize(
    ("code", "plans"),
    [
        ("CFG-090", (SpanPlan(span=1, fxsks="4-1"),)),
        ("CFG-091", (SpanPlan(span=1, fxsks="1-4", fxsls="4"),)),
        ("CFG-092", (SpanPlan(span=1), SpanPlan(span=1))),
        ("CFG-093", (SpanPlan(span=1, bchan="1-15"),)),
        ("CFG-093", (SpanPlan(span=1, bchan="1-15", dchan="16-17"),)),
        ("CFG-094", (SpanPlan(span=1, bchan="1-15", dchan="16", cas="17-31"),)),
    ],
)
def test_plans_that_cannot_be(code: str, plans: tuple[SpanPlan, ...]) -> None:
    with pytest.raises(ConfigError, match=code) as raised:
        check_plans(plans, "careline.toml")
    assert raised.value.remedy
