"""The walks people took through flows on paper, as long as the web process runs: for what they have seen of a flow. Used by every request
thread."""

import threading
from collections import OrderedDict
from datetime import date, timedelta

from appliance.ivr.actions import Value
from appliance.ivr.flow import Flow, FlowSet

PEOPLE_MOST, WALKS_MOST = 50, 50
_SAMPLES: dict[str, Value] = {"money": 1250, "digits": "1001", "number": 3, "ordinal": 1, "time": "14:30", "duration": 90}

Taken = tuple[str, str, tuple[str, ...]]
"""Entry, language and answers of a walk."""
Whose = tuple[str, str, int, int]
"""A session, and the flow, its version and how often it was saved."""


class WalksTaken:
    """The last walks of each person and version; a walk that another goes on from is that other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: OrderedDict[Whose, list[Taken]] = OrderedDict()

    def add(self, whose: Whose, walk: Taken) -> list[Taken]:
        """All walks so far, this one among them."""
        with self._lock:
            before = self._taken.pop(whose, [])
            kept = [one for one in before if not _goes_on(one, walk)]
            if not any(_goes_on(walk, one) for one in kept):
                kept.append(walk)
            self._taken[whose] = kept[-WALKS_MOST:]
            while len(self._taken) > PEOPLE_MOST:
                self._taken.popitem(last=False)
            return list(self._taken[whose])


def _goes_on(first: Taken, later: Taken) -> bool:
    return first[:2] == later[:2] and later[2][: len(first[2])] == first[2]


def samples(flows: FlowSet, today: date) -> dict[str, Value]:
    """Something to say for each variable, by how it is said."""
    days: dict[str, Value] = {"date": str(today + timedelta(days=1)), "day": str(today)}
    said = (text for flow in flows.flows.values() for node in flow.places.values() for text in node.says() if text.startswith("{"))
    pairs = (text.strip("{}").partition(":") for text in said)
    return {variable: value for kind, _, variable in pairs if (value := {**_SAMPLES, **days}.get(kind)) is not None and variable}


def given_before(flow: Flow, known: dict[str, Value]) -> dict[str, Value]:
    """What whoever goes into this flow has found out."""
    return {name: known.get(name, f"‹{name}›") for name in flow.needs}
