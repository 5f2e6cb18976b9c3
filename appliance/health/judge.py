"""When what is wrong is an alarm, and when it is over: hold-on and hold-off times of each rule, so that nothing flaps. Pure; monotonic time
comes in.
"""

from collections.abc import Iterable, Mapping

import msgspec

from appliance.health.facts import Facts
from appliance.health.looks import LOOKS, Finding, Key
from appliance.store.alarm_rules import RuleNow, Severity


class Raised(msgspec.Struct, frozen=True):
    """An alarm begins. `lasted_s`: what it is about began so long ago."""

    rule: str
    finding: Finding
    severity: Severity
    lasted_s: float = 0.0


class Cleared(msgspec.Struct, frozen=True):
    """An alarm is over."""

    rule: str
    key: Key


Change = Raised | Cleared


class _Watched:
    """One thing that is or was wrong. `since_s`: for so long it is wrong; `gone_s`: it is not any more."""

    def __init__(self, since_s: float) -> None:
        self.since_s = since_s
        self.gone_s: float | None = None
        self.raised = False


class Judge:
    """`adopt` alarms that an earlier process left: each ends when it is not found any more."""

    def __init__(self) -> None:
        self._watched: dict[str, dict[Key, _Watched]] = {name: {} for name in LOOKS}

    def adopt(self, open_: Iterable[tuple[str, Key]]) -> None:
        """The store was read later than the first look."""
        for name, key in open_:
            self._watched.setdefault(name, {}).setdefault(key, _Watched(0.0)).raised = True

    def raised(self) -> list[tuple[str, Key]]:
        """Every alarm that lasts, by rule."""
        return [(name, key) for name, watched in self._watched.items() for key, each in watched.items() if each.raised]

    def look(self, facts: Facts, rules: Mapping[str, RuleNow], now_s: float) -> list[Change]:
        """What changed. A rule that is off, or not there any more, has no alarm."""
        changes: list[Change] = []
        for name, watched in self._watched.items():
            rule = rules.get(name)
            if rule is None or not rule.on or name not in LOOKS:
                changes += self._drop(name)
                continue
            found = LOOKS[name](facts, rule)
            if found is not None:
                changes += self._weigh(rule, watched, {finding.key: finding for finding in found}, now_s)
        return changes

    def _drop(self, name: str) -> list[Change]:
        watched, self._watched[name] = self._watched[name], {}
        return [Cleared(name, key) for key, each in watched.items() if each.raised]

    def _weigh(self, rule: RuleNow, watched: dict[Key, _Watched], found: Mapping[Key, Finding], now_s: float) -> list[Change]:
        changes: list[Change] = []
        for key, finding in found.items():
            each = watched.setdefault(key, _Watched(now_s))
            each.gone_s = None
            if not each.raised and now_s - each.since_s >= rule.hold_on_s:
                each.raised = True
                changes.append(Raised(rule.rule.name, finding, rule.severity, now_s - each.since_s))
        for key in [key for key in watched if key not in found]:
            each = watched[key]
            each.gone_s = now_s if each.gone_s is None else each.gone_s
            if not each.raised or now_s - each.gone_s >= rule.hold_off_s:
                del watched[key]
                changes += [Cleared(rule.rule.name, key)] if each.raised else []
        return changes
