"""The live state as the web knows it: one thread listens at the control socket, any number of browsers watch.

Thread `live` alone changes the state. A browser's request thread holds a `Watcher`: the set of parts that changed since it last
looked. That set is all a slow browser can pile up, so nothing grows and nothing waits for it; it is shown the newest state only.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from appliance.control.messages import (
    Health,
    HealthChanged,
    LineHistoryChanged,
    LiveCall,
    LiveCallChanged,
    LiveCallGone,
    LiveChannelChanged,
    LiveSetup,
    LiveSetupChanged,
    LiveSnapshot,
    LiveSpanChanged,
    LiveTestChanged,
)
from drivers.errors import CarelineError
from drivers.protocol import ChannelState, GroupState, LineTest, SpanState

RETRY_S = 1.0
Source = Callable[[], Iterator[object]]

log = logging.getLogger("careline.web.live")


@dataclass(frozen=True)
class Trouble:
    """Why nothing comes from the call agent."""

    code: str
    what: str
    remedy: str


STARTING = Trouble("APP-030", "not connected to the call agent yet", "Wait a moment")


@dataclass(frozen=True)
class LiveView:
    """Everything at one instant. `trouble` not None: the call agent is away, the rest is what it said last."""

    calls: dict[str, LiveCall] = field(default_factory=dict)
    channels: dict[int, ChannelState] = field(default_factory=dict)
    spans: dict[int, SpanState] = field(default_factory=dict)
    groups: dict[str, GroupState] = field(default_factory=dict)
    tests: dict[int, LineTest] = field(default_factory=dict)
    setup: LiveSetup = field(default_factory=LiveSetup)
    health: Health | None = None
    trouble: Trouble | None = STARTING

    def call_on(self, channel: int) -> LiveCall | None:
        """The call this channel carries, as its caller's leg or as its operator's."""
        found = (call for call in self.calls.values() if channel in (call.channel, call.operator_channel))
        return next(found, None)


class Watcher:
    """The parts that changed since one browser last looked: "state", "calls", "spans", "health", "history" (of lines), "everything",
    "channel-7", "test-7" (of that channel), and for a call that goes on "call " with its id."""

    def __init__(self) -> None:
        self._parts: set[str] = {"everything"}
        self._news = threading.Condition()

    def add(self, parts: frozenset[str]) -> None:
        with self._news:
            self._parts |= parts
            self._news.notify()

    def wait(self, limit_s: float) -> frozenset[str]:
        """The parts that changed; empty after `limit_s` without any."""
        with self._news:
            self._news.wait_for(lambda: bool(self._parts), limit_s)
            parts, self._parts = frozenset(self._parts), set()
        return parts


class LiveHub:
    """Keeps a LiveView up to date from `source` and wakes the watchers."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._view = LiveView()
        self._watchers: set[Watcher] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the browsers' streams at their next look; the thread ends with the process, it may be waiting for the call agent."""
        self._stop.set()
        self._tell(frozenset({"state"}))

    @property
    def running(self) -> bool:
        return not self._stop.is_set()

    @property
    def watchers(self) -> int:
        return len(self._watchers)

    def view(self) -> LiveView:
        return self._view

    @contextmanager
    def watch(self) -> Iterator[Watcher]:
        watcher = Watcher()
        with self._lock:
            self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            with self._lock:
                self._watchers.discard(watcher)

    def _run(self) -> None:
        while self.running:
            trouble = self._listen()
            if self._view.trouble != trouble:
                log.warning("%s: %s. %s", trouble.code, trouble.what, trouble.remedy)
                self._show(replace(self._view, trouble=trouble), "everything")
            self._stop.wait(RETRY_S)

    def _listen(self) -> Trouble:
        """Follow the source to its end; returns why it ended."""
        try:
            for message in self._source():
                self._apply(message)
            return Trouble("APP-030", "the call agent closed the connection", "Start careline-calls")
        except CarelineError as error:
            return Trouble(error.code, error.what, error.remedy)
        except Exception:  # the outer border of an event's subscriber: it listens again
            log.exception("WEB-010: a live message could not be used")
            return Trouble("WEB-010", "a live message could not be used", "See the log of careline-web")

    def _apply(self, message: object) -> None:
        view = self._view
        match message:
            case LiveSnapshot():
                self._show(_from_snapshot(message), "everything")
            case LiveCallChanged(call=call):
                before = view.calls.get(call.call_id)
                part = "calls" if before is None else f"call {call.call_id}"
                self._show(replace(view, calls=view.calls | {call.call_id: call}), part, *_channels_of(call, before))
            case LiveCallGone(call_id=call_id):
                gone = view.calls.get(call_id)
                left = {key: call for key, call in view.calls.items() if key != call_id}
                self._show(replace(view, calls=left), "calls", *_channels_of(gone))
            case LiveChannelChanged(channel=channel):
                self._show(replace(view, channels=view.channels | {channel.number: channel}), *_part_of(channel, view))
            case LiveSpanChanged(span=span):
                self._show(replace(view, spans=view.spans | {span.number: span}), "spans")
            case LiveTestChanged(test=test):
                self._show(replace(view, tests=view.tests | {test.channel: test}), f"test-{test.channel}")
            case LiveSetupChanged(setup=setup):
                self._show(replace(view, setup=setup), "state")
            case LineHistoryChanged():
                self._show(view, "history")
            case HealthChanged(health=health):
                self._show(replace(view, health=health), "health")

    def _show(self, view: LiveView, *parts: str) -> None:
        self._view = view
        self._tell(frozenset(parts))

    def _tell(self, parts: frozenset[str]) -> None:
        with self._lock:
            watchers = tuple(self._watchers)
        for watcher in watchers:
            watcher.add(parts)


def _from_snapshot(snapshot: LiveSnapshot) -> LiveView:
    return LiveView(
        calls={call.call_id: call for call in snapshot.calls},
        channels={channel.number: channel for channel in snapshot.channels},
        spans={span.number: span for span in snapshot.spans},
        groups={group.name: group for group in snapshot.groups},
        tests={test.channel: test for test in snapshot.tests},
        setup=snapshot.setup,
        health=snapshot.health,
        trouble=None,
    )


def _channels_of(*calls: LiveCall | None) -> list[str]:
    numbers = {number for call in calls if call for number in (call.channel, call.operator_channel)}
    return [f"channel-{number}" for number in numbers if number is not None]


def _part_of(channel: ChannelState, view: LiveView) -> tuple[str, ...]:
    """A channel not seen before changes the whole wall of tiles."""
    return (f"channel-{channel.number}",) if channel.number in view.channels else ("everything",)
