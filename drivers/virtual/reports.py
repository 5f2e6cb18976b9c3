"""What one end of the card tells: events of open channels and states of spans, always from the loop, never from within the call that
caused them. Used from the event loop only."""

import asyncio

from drivers.io import EventHandler, LineEvent, SpanHandler, SpanStatus


class Reports:
    """`open`: numbers of the channels that are open; the others tell nothing."""

    def __init__(self) -> None:
        self.open: set[int] = set()
        self._on_event: EventHandler | None = None
        self._on_span: SpanHandler | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, on_event: EventHandler, on_span: SpanHandler) -> None:
        """On the running loop."""
        self._on_event, self._on_span = on_event, on_span
        self._loop = asyncio.get_running_loop()

    def stop(self) -> None:
        """Nothing is told any more."""
        self._on_event = self._on_span = None

    def event(self, number: int, event: LineEvent) -> None:
        if self._loop is not None and number in self.open:
            self._loop.call_soon(self._deliver, number, event)

    def removed(self, number: int) -> None:
        """That channel's span was pulled: the last thing it tells, until it is opened anew."""
        if self._loop is not None and number in self.open:
            self._loop.call_soon(self._deliver, number, LineEvent.REMOVED)
            self._loop.call_soon(self.open.discard, number)

    def span(self, status: SpanStatus) -> None:
        if self._loop is not None and self._on_span is not None:
            self._loop.call_soon(self._on_span, status)

    def _deliver(self, number: int, event: LineEvent) -> None:
        if self._on_event is not None and number in self.open:
            self._on_event(number, event)
