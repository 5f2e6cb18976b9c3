"""Which alarms there are, from what the line server tells of spans and channels: begins and ends, as values. Pure.

What is not told (an end while nobody listened) follows from comparing the next snapshot with what was open.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from drivers.protocol import BlockedBy, ChannelState, SpanState

BLOCKED, LINK_DOWN = "blocked", "link_down"


class AlarmKey(msgspec.Struct, frozen=True, order=True):
    """What is in alarm: `subject` span or channel, its number, and the alarm's word."""

    subject: str
    number: int
    alarm: str


class AlarmChange(msgspec.Struct, frozen=True):
    """An alarm began, or (`began` False) ended, at `at`."""

    key: AlarmKey
    began: bool
    at: datetime


class Alarms:
    """The alarms that are open. Every method answers what changed, in order."""

    def __init__(self, open_: Iterable[AlarmKey] = ()) -> None:
        self.open = set(open_)
        self._spans: dict[int, tuple[str, ...]] = {}

    def snapshot(self, spans: Iterable[SpanState], channels: Iterable[ChannelState], at: datetime) -> list[AlarmChange]:
        """All there is now: what is not in it any more has ended meanwhile."""
        spans, channels = tuple(spans), tuple(channels)
        self._spans = {span.number: span.alarms for span in spans}
        since = {span.number: span.alarm_since for span in spans}
        now = {key for span in spans for key in _of_span(span)} | {key for each in channels for key in self._of_channel(each)}
        begins = {key: (since.get(key.number) if key.subject == "span" and key.alarm != LINK_DOWN else None) or at for key in now}
        return self._become(now, self.open, begins, at)

    def span(self, span: SpanState, at: datetime) -> list[AlarmChange]:
        self._spans[span.number] = span.alarms
        return self._of_one("span", span.number, _of_span(span), at)

    def channel(self, channel: ChannelState, at: datetime) -> list[AlarmChange]:
        return self._of_one("channel", channel.number, self._of_channel(channel), at)

    def _of_one(self, subject: str, number: int, now: set[AlarmKey], at: datetime) -> list[AlarmChange]:
        before = {key for key in self.open if (key.subject, key.number) == (subject, number)}
        return self._become(now, before, {}, at)

    def _become(self, now: set[AlarmKey], before: set[AlarmKey], begins: dict[AlarmKey, datetime], at: datetime) -> list[AlarmChange]:
        changes = [AlarmChange(key, False, at) for key in sorted(before - now)]
        changes += [AlarmChange(key, True, begins.get(key, at)) for key in sorted(now - before)]
        self.open = (self.open - before) | now
        return changes

    def _of_channel(self, channel: ChannelState) -> set[AlarmKey]:
        """Its own ones: while its span is in alarm that is told once, as the span's."""
        own = set() if self._spans.get(channel.span) else set(channel.alarms)
        own |= {BLOCKED} if channel.blocked_by is BlockedBy.FAILURES else set()
        return {AlarmKey("channel", channel.number, alarm) for alarm in own}


def _of_span(span: SpanState) -> set[AlarmKey]:
    words = (*span.alarms, *((LINK_DOWN,) if span.link_up is False else ()))
    return {AlarmKey("span", span.number, alarm) for alarm in words}
