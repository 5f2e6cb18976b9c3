"""Follows the call agent: thread `live` listens at the control socket and keeps what it told last."""

import contextlib
import logging
import threading
from pathlib import Path

from appliance.control.client import ControlClient
from appliance.control.messages import (
    Health,
    HealthChanged,
    LiveCall,
    LiveCallChanged,
    LiveCallGone,
    LiveChannelChanged,
    LiveSnapshot,
    LiveSpanChanged,
)
from appliance.health.facts import Lines
from drivers.clock import Clock
from drivers.errors import CarelineError
from drivers.protocol import ChannelState, SpanState

RETRY_S = 0.5
QUIET_LIMIT_S = 15.0

log = logging.getLogger("careline.health")


class AgentWatch:
    """`start` once. What it knows may be asked from any thread."""

    def __init__(self, socket: Path, clock: Clock) -> None:
        self._socket, self._clock = socket, clock
        self._spans: dict[int, SpanState] = {}
        self._channels: dict[int, ChannelState] = {}
        self._calls: dict[str, LiveCall] = {}
        self._health: Health | None = None
        self._heard_s = clock.monotonic_s()
        self._connected = False
        self._lock = threading.Lock()
        self._ending = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name="live", daemon=True).start()

    def stop(self) -> None:
        self._ending.set()

    @property
    def quiet_s(self) -> float:
        """Since it said anything, or since this process began."""
        return self._clock.monotonic_s() - self._heard_s

    def lines(self) -> Lines | None:
        """None while nothing is heard of it."""
        with self._lock:
            if not self._connected or self._health is None:
                return None
            return Lines(
                spans=tuple(self._spans.values()),
                channels=tuple(self._channels.values()),
                checks=self._health.checks,
                calls=len(self._calls),
                ringing=sum(call.phase == "ringing" for call in self._calls.values()),
                tick_late_ms=self._health.tick_late_ms_p999,
                calls_today=self._health.calls_today,
            )

    def _run(self) -> None:
        while not self._ending.is_set():
            with contextlib.suppress(CarelineError), ControlClient(self._socket, "health") as client:
                for message in client.subscribe(QUIET_LIMIT_S):
                    self._take(message)
            with self._lock:
                self._connected = False
            self._ending.wait(RETRY_S)

    def _take(self, message: object) -> None:
        with self._lock:
            self._heard_s, self._connected = self._clock.monotonic_s(), True
            match message:
                case LiveSnapshot():
                    self._spans = {span.number: span for span in message.spans}
                    self._channels = {channel.number: channel for channel in message.channels}
                    self._calls = {call.call_id: call for call in message.calls}
                    self._health = message.health
                case LiveSpanChanged(span=span):
                    self._spans[span.number] = span
                case LiveChannelChanged(channel=channel):
                    self._channels[channel.number] = channel
                case LiveCallChanged(call=call):
                    self._calls[call.call_id] = call
                case LiveCallGone(call_id=call_id):
                    self._calls.pop(call_id, None)
                case HealthChanged(health=health):
                    self._health = health
