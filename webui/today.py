"""Today's calls, counted from the store for the counters and the chart. One count serves all browsers for two seconds."""

import threading
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from appliance.store.models import CallRecord, VoiceMessage
from drivers.clock import Clock
from drivers.protocol import Direction

FRESH_S = 2.0
OUTCOMES = ("completed", "message", "operator", "operator_missed", "abandoned", "failed")


@dataclass(frozen=True)
class Today:
    """Calls that came in on lines.

    `total` counts those that go on too; `by_hour` has 24 counts for each outcome, of ended calls; `unheard` messages of any day.
    """

    total: int
    outcomes: dict[str, int]
    by_hour: dict[str, list[int]]
    unheard: int


class TodayCounter:
    """Counts since midnight in the hospital's zone. Used by every request thread."""

    def __init__(self, clock: Clock, zone: ZoneInfo) -> None:
        self._clock = clock
        self._zone = zone
        self._lock = threading.Lock()
        self._kept: tuple[float, Today] | None = None

    def counts(self) -> Today:
        now_s = self._clock.monotonic_s()
        with self._lock:
            if self._kept is None or now_s - self._kept[0] >= FRESH_S:
                self._kept = (now_s, self._counted())
            return self._kept[1]

    def _counted(self) -> Today:
        rows = self._rows()
        by_hour = {outcome: [0] * 24 for outcome in OUTCOMES}
        for outcome, started_at in rows:
            if outcome in by_hour:
                by_hour[outcome][started_at.astimezone(self._zone).hour] += 1
        outcomes = Counter(outcome for outcome, _ in rows if outcome in by_hour)
        unheard = VoiceMessage.select().where(VoiceMessage.heard_at.is_null()).count()
        return Today(len(rows), dict(outcomes), by_hour, unheard)

    def _rows(self) -> list[tuple[str, datetime]]:
        midnight = self._clock.now().astimezone(self._zone).replace(hour=0, minute=0, second=0, microsecond=0)
        query = CallRecord.select(CallRecord.outcome, CallRecord.started_at, CallRecord.ended_at)
        rows = query.where(CallRecord.started_at >= midnight.astimezone(UTC), CallRecord.direction == Direction.INBOUND)
        return [(row.outcome if row.ended_at else "", row.started_at) for row in rows]
