"""How the lines are, looked at again and again: error counters of spans, channels whose state nobody told, blocks whose time is over.

Line server's event loop only. What happens at once (alarms, calls, blocks) is told where it happens; this tells the rest.
"""

import asyncio
import logging
from typing import Protocol, runtime_checkable

import msgspec

from drivers.errors import LineError
from drivers.protocol import LineFault, LineFaultsChanged, SpanErrors
from drivers.server.lines import Lines

log = logging.getLogger("careline.lines")

LOOK_S = 1.0
SPANS_EVERY = 5  # looks
COUNTERS = ("bipolar_violations", "crc4_errors", "e_bit_errors", "frame_errors", "irq_misses")


@runtime_checkable
class CountsErrors(Protocol):
    """A card that counts what goes wrong on its spans."""

    def span_errors(self, span: int) -> SpanErrors | None:
        """Since the card was started; None when it counts nothing, or is gone. Raises: LineError."""


class Health:
    """Begins with `start`; `reset` counts a span's errors anew."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._counting = lines.card if isinstance(lines.card, CountsErrors) else None  # asked once: a protocol's instance check is slow
        self._base: dict[int, SpanErrors] = {}
        self._looks = 0
        self._faults: tuple[LineFault, ...] = ()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """On the running event loop."""
        self._look_at_spans()
        self._later()

    def close(self) -> None:
        if self._timer:
            self._timer.cancel()

    def reset(self, span: int) -> None:
        """From now on errors of this span count from 0."""
        if (raw := self._raw(span)) is not None:
            self._base[span] = msgspec.structs.replace(raw, since=self._lines.clock.now())
        self._look_at(span)

    def _later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(LOOK_S, self._look)

    def _look(self) -> None:
        self._looks += 1
        for channel in self._lines.channels.values():
            if channel.care.may_try_again():
                log.warning("LIN-171 channel %d takes calls again after %d failures in a row", channel.number, channel.care.failures)
                channel.blocked_changed()
            if channel.state() != self._lines.told.get(channel.number):
                self._lines.channel_changed(channel)
        self._tell_faults()
        if self._looks % SPANS_EVERY == 0:
            self._look_at_spans()
        self._later()

    def _tell_faults(self) -> None:
        faults = tuple(self._lines.faults.values())
        if faults != self._faults:
            self._faults = faults
            self._lines.outbox.emit(LineFaultsChanged(faults=faults))

    def _look_at_spans(self) -> None:
        for span in self._lines.spans:
            self._look_at(span)

    def _look_at(self, number: int) -> None:
        raw = self._raw(number)
        if raw is None:
            return
        base = self._base.setdefault(number, msgspec.structs.replace(raw, since=self._lines.clock.now()))
        if any(getattr(raw, name) < getattr(base, name) for name in COUNTERS):  # the card was started anew
            base = self._base[number] = SpanErrors(since=self._lines.clock.now())
        span = self._lines.spans[number]
        errors = SpanErrors(since=base.since, **{name: getattr(raw, name) - getattr(base, name) for name in COUNTERS})
        if errors != span.errors:
            span.errors = errors
            self._lines.span_changed(span)

    def _raw(self, span: int) -> SpanErrors | None:
        if self._counting is None or "removed" in self._lines.spans[span].status.alarms:
            return None
        try:
            return self._counting.span_errors(span)
        except LineError as error:
            log.debug("span %d: %s", span, error)
            return None
