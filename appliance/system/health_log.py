"""The checks of the disk that nothing else logs, in the log when their grade changes. Runs in the call agent's event loop."""

import logging
from collections.abc import Iterable

from appliance.control.messages import Check, Grade

LOGGED = ("APP-050", "APP-051", "STO-006")
"""What else can be wrong is logged by whoever finds it."""

log = logging.getLogger("careline.calls")


class HealthLog:
    """Told of all checks, as often as they are made; says each of LOGGED once, and once more when it is over or has become worse."""

    def __init__(self) -> None:
        self._known: dict[str, Check] = {}

    def note(self, checks: Iterable[Check]) -> None:
        for check in checks:
            before = self._known.get(check.name)
            if check.code in LOGGED:
                self._known[check.name] = check
                if before is None or (before.code, before.grade) != (check.code, check.grade):
                    _say(check)
            elif before is not None and check.grade is Grade.OK:
                del self._known[check.name]
                log.warning("%s: the %s is well again", before.code, check.name)


def _say(check: Check) -> None:
    level = logging.ERROR if check.grade is Grade.FAILED else logging.WARNING
    log.log(level, "%s: %s. %s", check.code, check.detail, check.remedy)
