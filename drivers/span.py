"""A span and how it has been. Pure; line server's event loop only."""

from datetime import datetime

from drivers.io import SpanStatus
from drivers.protocol import SpanErrors, SpanState


class Span:
    """One span and how it has been."""

    def __init__(self, status: SpanStatus, now: datetime) -> None:
        self.status = status
        self.alarm_since = now if status.alarms else None
        self.errors: SpanErrors | None = None
        self.link_up: bool | None = None

    def update(self, status: SpanStatus, now: datetime) -> bool:
        """Take the new status; True when the alarms changed."""
        changed = status.alarms != self.status.alarms
        self.status = status
        if not status.alarms:
            self.alarm_since = None
        elif self.alarm_since is None:
            self.alarm_since = now
        return changed

    def state(self) -> SpanState:
        status = self.status
        return SpanState(
            number=status.number,
            name=status.name,
            description=status.description,
            channels=status.channels,
            alarms=status.alarms,
            alarm_since=self.alarm_since,
            errors=self.errors,
            link_up=self.link_up,
        )
