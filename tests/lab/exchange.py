"""The exchange at the far end of the box's lines, and the telephone sets at the far end of its set ports, for scenarios.

Guest only, in the scenario's process, never in the box's: media core and card are the product's own, so CPU seconds of this process
are those of one side. One event loop (the scenario's) and the core's two threads. Everything each line did is kept with its time, to
be compared with what the box wrote down.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from drivers.dahdi.card import DahdiCard
from drivers.dahdi.channel import DahdiChannel
from drivers.errors import LineError
from drivers.io import Hook, LineEvent
from drivers.media import Engine, EngineConfig, EventKind, Law, MediaEvent, Tone
from drivers.protocol import Caller
from drivers.signalling import callerid
from tests.lab.sound import Ear

POLL_S = 0.1
HEAR_POLL_S = 0.4
HOOK_RETRY_S = 0.1
WAIT_S = 60.0
QUIET_S = 2.3  # a ring within 2 s of on-hook is hidden by the driver
HOOK_LIMIT_S = 20.0
WRITE_AHEAD = 12  # of 16 blocks: the emulator's host stalls the whole guest now and then
LIFT_S = 1.0
QUEUED_S = WRITE_AHEAD * 0.02 + 0.1  # told when the last block is queued; it is heard so much later


class Seen(NamedTuple):
    """A kernel event and when it was taken (epoch seconds)."""

    at_s: float
    event: LineEvent


class FarEnd:
    """One channel of the far side. Subclasses say whether it is the exchange's end of a line or a set."""

    def __init__(self, exchange: "Exchange", number: int) -> None:
        self._exchange = exchange
        self.number = number
        self.io: DahdiChannel = exchange.card.open(number)
        self.port = exchange.engine.port_new(Law.ALAW)
        self.seen: list[Seen] = []
        self.keys = ""
        self.tones: list[Tone] = []
        self.callers: list[Caller] = []
        self.ear: Ear | None = None
        self.idle_since_s = time.time()
        self._ids: list[int] = []
        self._finished: set[int] = set()

    # --- what comes in -----------------------------------------------------------------------------------------------

    def line_event(self, event: LineEvent) -> None:
        self.seen.append(Seen(time.time(), event))

    def media_event(self, event: MediaEvent) -> None:
        """Ends of plays, recordings and key presses; what is detected; line events go through the card."""
        if event.kind is EventKind.LINE_EVENT:
            self._exchange.card.line_event(self.number, LineEvent(event.value))
        elif event.kind in (EventKind.PLAY_DONE, EventKind.RECORD_DONE):
            self._finished.add(event.id)
        elif event.kind is EventKind.DIGITS_SENT:
            self._finished.add(0)
        elif event.kind is EventKind.DIGIT:
            self.keys += event.digit
        elif event.kind is EventKind.TONE and event.value2:
            self.tones.append(Tone(event.value))
        elif event.kind is EventKind.CALLER_ID and (caller := callerid.from_message(self._exchange.engine.take_caller_id(self.port))):
            self.callers.append(caller)

    # --- what scenarios do ---------------------------------------------------------------------------------------------

    async def until(self, what: str, reached: Callable[[], bool], limit_s: float = WAIT_S) -> None:
        """Wait for a condition. Raises: AssertionError with all that was seen on this line."""
        deadline_s = time.monotonic() + limit_s
        while not reached():
            assert time.monotonic() < deadline_s, f"far end {self.number}: no {what} within {limit_s:.0f} s; {self.story()}"
            await asyncio.sleep(POLL_S)

    async def event(self, event: LineEvent, since: int = 0, limit_s: float = WAIT_S) -> float:
        """Wait for that event among `seen[since:]`; its time."""
        await self.until(event.name, lambda: self.saw(event, since), limit_s)
        return next(seen.at_s for seen in self.seen[since:] if seen.event is event)

    def saw(self, event: LineEvent, since: int = 0) -> bool:
        return any(seen.event is event for seen in self.seen[since:])

    def story(self) -> str:
        """Its last events."""
        return ", ".join(f"{seen.at_s:.2f} {seen.event.name}" for seen in self.seen[-12:])

    async def hook(self, hook: Hook) -> None:
        """Change the loop; the driver refuses while it is still changing."""
        deadline_s = time.monotonic() + HOOK_LIMIT_S
        while True:
            try:
                return self.io.set_hook(hook)
            except LineError as error:
                if error.code != "LIN-108" or time.monotonic() > deadline_s:
                    raise
            await asyncio.sleep(HOOK_RETRY_S)

    async def quiet(self) -> None:
        """Wait until the box's driver tells of a ring on this line again."""
        await asyncio.sleep(max(0.0, self.idle_since_s + QUIET_S - time.time()))

    def listen(self) -> Ear:
        """Take the line's audio from now on into a file of its own."""
        path = self._exchange.folder / f"heard-{self.number}-{self._exchange.next_id()}.wav"
        path.unlink(missing_ok=True)  # an earlier exchange's: its sound must not be taken for this call's
        self._ids.append(self._exchange.next_id())
        self._exchange.engine.record(self.port, self._ids[-1], path, stereo=False)
        self.ear = Ear(path)
        return self.ear

    async def hears(self, clip: bytes, limit_s: float = WAIT_S) -> int:
        """Wait until the end of that A-law clip was heard, after what was heard before; where it began, in samples."""
        assert self.ear is not None
        found = self.ear.find(clip)
        deadline_s = time.monotonic() + limit_s
        while found < 0:
            assert time.monotonic() < deadline_s, self._not_heard(clip)
            await asyncio.sleep(HEAR_POLL_S)
            found = self.ear.find(clip)
        return found

    def _not_heard(self, clip: bytes) -> str:
        assert self.ear is not None
        what = f"a clip of {len(clip)} samples among {len(self.ear.heard())} heard: {self.ear.lacking(clip)}"
        return f"far end {self.number}: {what}; events {self.story()}"

    def detect(self) -> None:
        """Keys, tones of the country and caller id heard from now on, in `keys`, `tones` and `callers`."""
        engine = self._exchange.engine
        engine.detect_digits(self.port)
        engine.detect_tones(self.port, (Tone.DIAL, Tone.RINGBACK, Tone.BUSY, Tone.CONGESTION), "cn")
        engine.detect_caller_id(self.port)

    async def press(self, keys: str) -> float:
        """Send keys as tones; the time when the first began."""
        self._finished.discard(0)
        began_s = time.time()
        self._exchange.engine.send_digits(self.port, keys, on_ms=80, off_ms=80)
        await self.until("end of keys", lambda: 0 in self._finished)
        await asyncio.sleep(QUEUED_S)
        return began_s

    async def speak(self, path: Path, limit_s: float = WAIT_S) -> None:
        """Play a WAV file into the line, to its end."""
        play = self._exchange.next_id()
        self._exchange.engine.play(self.port, play, [self._exchange.engine.clips.open(path)])
        await self.until("end of speech", lambda: play in self._finished, limit_s)

    async def rest(self) -> None:
        """On-hook, audio off, the file of what was heard closed."""
        await self.hook(Hook.ON)
        self.idle_since_s = time.time()
        ids, self._ids = self._ids, []
        for each in ids:
            self._exchange.engine.record_stop(each)
        await self.until("end of recording", lambda: set(ids) <= self._finished)
        self.io.detach()


class Line(FarEnd):
    """The exchange's end of a line of the box (FXS port, fxoks): it rings the box."""

    def __init__(self, exchange: "Exchange", number: int) -> None:
        super().__init__(exchange, number)
        self.rung_at_s = self.answered_at_s = self.ended_at_s = 0.0

    async def ring(self, limit_s: float = WAIT_S) -> Ear:
        """Call the box and wait until it answers. All that is heard on the line goes into the Ear."""
        await self.quiet()
        self.io.attach(self.port)
        ear = self.listen()
        since = len(self.seen)
        await self.hook(Hook.RING)
        self.rung_at_s = time.time()
        self.answered_at_s = await self.event(LineEvent.RINGOFFHOOK, since, limit_s)
        await self.hook(Hook.OFF)
        return ear

    async def stop_ringing(self) -> None:
        """The caller gave up before the box answered."""
        self.ended_at_s = time.time()
        await self.rest()

    async def hang_up(self) -> None:
        """The caller hangs up first; waits until the box's loop is open too."""
        self.ended_at_s = time.time()
        since = len(self.seen)
        await self.rest()
        await asyncio.sleep(QUIET_S)
        assert not self.saw(LineEvent.RINGOFFHOOK, since), f"line {self.number} seized by the box: {self.story()}"

    @property
    def box_hung_up(self) -> bool:
        """The box has opened its loop, in this call."""
        return any(seen.event is LineEvent.ONHOOK and seen.at_s > self.answered_at_s for seen in self.seen)

    async def box_hangs_up(self, limit_s: float = WAIT_S) -> None:
        """Wait until the box has hung up (told 1.26 s late: it might have been a flash), then do so too."""
        await self.until("hang-up by the box", lambda: self.box_hung_up, limit_s)
        self.ended_at_s = time.time()
        await self.rest()


class Phone(FarEnd):
    """A telephone set at one of the box's FXS ports (its end is an FXO port, fxsks)."""

    _lifted = 0

    async def answer(self, limit_s: float = WAIT_S) -> Ear:
        """Wait for ringing and lift, no sooner than a person would."""
        since = self._lifted = len(self.seen)
        await self.event(LineEvent.RINGBEGIN, since, limit_s)
        await asyncio.sleep(LIFT_S)
        self.io.attach(self.port)
        ear = self.listen()
        await self.hook(Hook.OFF)
        return ear

    async def lift(self) -> Ear:
        """Somebody wants to dial."""
        await self.quiet()
        self._lifted = len(self.seen)
        self.io.attach(self.port)
        ear = self.listen()
        await self.hook(Hook.OFF)
        await asyncio.sleep(LIFT_S)
        return ear

    async def box_hangs_up(self, limit_s: float = WAIT_S) -> None:
        """Wait until the box has opened the loop, then put the set down."""
        await self.event(LineEvent.ONHOOK, self._lifted, limit_s)
        await self.rest()


class Exchange:
    """All far ends of the box. An asynchronous context manager; leaving it puts everything on-hook."""

    def __init__(self, lines: Sequence[int], sets: Sequence[int], folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        ports = len(lines) + len(sets)
        self.engine = Engine(EngineConfig(max_ports=ports, max_lines=1, max_recordings=2 * ports, flush_ms=200))
        self.card = DahdiCard(self.engine, write_ahead=WRITE_AHEAD)
        self._last_id = 0
        self.lines = [Line(self, number) for number in lines]
        self.phones = [Phone(self, number) for number in sets]
        self._by_number: dict[int, FarEnd] = {each.number: each for each in (*self.lines, *self.phones)}
        self._by_port = {each.port: each for each in self._by_number.values()}

    async def __aenter__(self) -> "Exchange":
        self.card.start(lambda number, event: self._by_number[number].line_event(event), lambda _: None)
        self.engine.start()
        asyncio.get_running_loop().add_reader(self.engine.eventfd, self._media_ready)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.card.close()
        await asyncio.sleep(0.5)
        asyncio.get_running_loop().remove_reader(self.engine.eventfd)
        self.engine.close()

    def next_id(self) -> int:
        """A fresh id for a play or a recording."""
        self._last_id += 1
        return self._last_id

    async def together(self, script: Callable[[Line], Awaitable[None]], lines: Sequence[Line] = ()) -> None:
        """The script on all lines at once. Raises: the first failure, when all are over."""
        done = await asyncio.gather(*(script(line) for line in lines or self.lines), return_exceptions=True)
        failures = [each for each in done if isinstance(each, BaseException)]
        for failure in failures[:1]:
            failure.add_note(f"{len(failures)} of {len(done)} lines failed")
            raise failure

    def _media_ready(self) -> None:
        os.eventfd_read(self.engine.eventfd)
        while events := self.engine.poll_events():
            for event in events:
                far_end = self._by_port.get(event.port)
                if far_end is not None:
                    far_end.media_event(event)
