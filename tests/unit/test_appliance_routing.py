"""The routing table: first match wins, why, and rows no call reaches."""

import pytest

from appliance.calendar import DayState
from appliance.routing import CallFacts, Miss, Route, RoutingTable

TABLE = RoutingTable(
    (
        Route(name="nuisance", service="reject", ani="1380000*"),
        Route(name="withheld at night", service="reject", ani="withheld", when="not_open"),
        Route(name="front desk", service="operator", dnis="8001", group="front"),
        Route(name="holidays", service="after_hours", when="holiday"),
        Route(name="hotline", service="hotline", dnis="96120"),
        Route(name="closed", service="after_hours", when="not_open"),
    )
)


@pytest.mark.parametrize(
    ("group", "dnis", "ani", "state", "service", "route"),
    [
        ("trunk", "96120", "13800001234", "open", "reject", "nuisance"),
        ("trunk", "96120", None, "closed", "reject", "withheld at night"),
        ("trunk", "96120", "", "holiday", "reject", "withheld at night"),
        ("trunk", "96120", None, "open", "hotline", "hotline"),
        ("front", "8001", "010", "open", "operator", "front desk"),
        ("trunk", "8001", "010", "open", "hotline", "otherwise"),
        ("front", "8001", "010", "holiday", "operator", "front desk"),
        ("trunk", "96120", "010", "holiday", "after_hours", "holidays"),
        ("trunk", "96120", "010", "closed", "hotline", "hotline"),
        ("trunk", None, "010", "closed", "after_hours", "closed"),
        ("trunk", None, "010", "open", "hotline", "otherwise"),
    ],
)
def test_first_match_wins(group: str, dnis: str | None, ani: str | None, state: str, service: str, route: str) -> None:
    decision = TABLE.decide(CallFacts(group=group, dnis=dnis, ani=ani, state=DayState(state)))
    assert (decision.service, decision.route) == (service, route)


def test_says_why() -> None:
    decision = TABLE.decide(CallFacts(group="trunk", dnis="96120", ani="010", state=DayState.CLOSED))
    assert decision.misses == (
        Miss("nuisance", "ani"),
        Miss("withheld at night", "ani"),
        Miss("front desk", "group"),
        Miss("holidays", "when"),
    )
    assert decision.explain() == (
        "nuisance: other ani; withheld at night: other ani; front desk: other group; holidays: other when; hotline: hotline"
    )


@pytest.mark.parametrize(
    ("above", "below", "unreachable"),
    [
        (Route(name="a", service="hotline"), Route(name="b", service="reject", ani="138*"), True),
        (Route(name="a", service="hotline", ani="13*"), Route(name="b", service="reject", ani="138*"), True),
        (Route(name="a", service="hotline", ani="138*"), Route(name="b", service="reject", ani="13*"), False),
        (Route(name="a", service="hotline", ani="138*"), Route(name="b", service="reject", ani="withheld"), False),
        (Route(name="a", service="hotline", dnis="1"), Route(name="b", service="reject"), False),
        (Route(name="a", service="hotline", when="not_open"), Route(name="b", service="reject", when="holiday"), True),
        (Route(name="a", service="hotline", when="holiday"), Route(name="b", service="reject", when="not_open"), False),
        (Route(name="a", service="hotline", group="x"), Route(name="b", service="reject", group="y"), False),
    ],
)
def test_rows_no_call_reaches(above: Route, below: Route, unreachable: bool) -> None:
    found = RoutingTable((above, below)).unreachable()
    assert [(each.route, each.by) for each in found] == ([("b", "a")] if unreachable else [])
