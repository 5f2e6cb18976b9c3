"""What every telephone of the virtual world can do: press keys, speak, listen, and tell how its call stands.

`OutsideTelephone` and `WiredSet` (telephone.py) add how a call comes about. Used from the event loop only.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from drivers.errors import LineError
from drivers.media import EventKind, MediaEvent, Tone
from drivers.virtual.audio import FarPorts
from drivers.virtual.config import Answering
from drivers.virtual.timer import Timer
from drivers.virtual.wav import in_memory, wav_file

KEY_LOW_DBM0, KEY_HIGH_DBM0 = -9.0, -7.0  # Source: YD/T 514 has low group -9 +-3 dBm, high group 2 dB above
KEYS_PER_COMMAND = 60
KEYS = frozenset("0123456789*#ABCDw")
KEY_MS = range(10, 10_001)
WAIT_LIMIT_S = 120.0


class Phase(StrEnum):
    """How a telephone's call stands. ringing: this telephone rings, or the one it called does; ended: the other side is gone
    and the busy tone is heard until this one hangs up."""

    IDLE = "idle"
    DIALLING = "dialling"
    RINGING = "ringing"
    TALKING = "talking"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    ENDED = "ended"


def _check_keys(keys: str, on_ms: int, off_ms: int) -> None:
    if wrong := "".join(sorted(set(keys) - KEYS)):  # not all of them: they may be of a secret
        raise LineError("LIN-082", f"no telephone has keys {wrong!r}", "Press 0-9, *, #, A-D; w waits 500 ms")
    if not (on_ms in KEY_MS and off_ms in KEY_MS):
        raise LineError("LIN-082", f"keys of {on_ms} ms, {off_ms} ms apart", f"Press {KEY_MS.start} to {KEY_MS.stop - 1} ms")


StateHandler = Callable[["Handset"], None]


class Handset:
    """One telephone. `phase` and `detail` are the truth; every change calls `on_state` and wakes whoever waits."""

    def __init__(self, number: str, ports: FarPorts, answering: Answering, after_ms: int, say: str) -> None:
        self.number = number
        self.phase, self.detail = Phase.IDLE, ""
        self.answering, self.after_ms, self.say = answering, after_ms, say
        self.on_state: list[StateHandler] = []
        self.heard_digits = ""
        self.heard_tones: list[Tone] = []
        self.port: int | None = None
        self._ports = ports
        self._engine = ports.engine
        self._play = 0
        self._speaking = False
        self._keys: deque[tuple[str, int, int]] = deque()
        self._recording: int | None = None
        self._waiters: list[asyncio.Event] = []
        self._auto_answer = Timer(self._decide)

    # --- the call ---

    def answer(self) -> None:
        """Go off-hook while it rings; nothing when it does not."""
        raise NotImplementedError

    def hang_up(self) -> None:
        """Go on-hook, whatever it was doing."""
        raise NotImplementedError

    async def reached(self, *phases: Phase, limit_s: float = WAIT_LIMIT_S) -> Phase:
        """Wait until the phase is one of these. Raises: TimeoutError."""
        await self._until(lambda: self.phase in phases, limit_s)
        return self.phase

    # --- what it says ---

    def press(self, keys: str, on_ms: int = 100, off_ms: int = 100) -> None:
        """Press keys one after another, after those that still wait; 'w' pauses 500 ms. Nothing while it is on-hook.

        Raises: LineError LIN-082 for keys no telephone has, or times nobody can press.
        """
        _check_keys(keys, on_ms, off_ms)
        if self.port is None:
            return
        idle = not self._keys
        starts = range(0, len(keys), KEYS_PER_COMMAND)
        self._keys += [(keys[at : at + KEYS_PER_COMMAND], on_ms, off_ms) for at in starts]
        if idle and self._keys:
            self._send_keys()

    def speak(self, path: Path | str, loops: int = 1) -> None:
        """Speak a WAV file from its beginning; loops 0: endless. Raises: MediaError when it cannot be read."""
        if self.port is None:
            return
        clip = self._engine.clips.open(path)
        self._play = self._ports.next_id()
        self._engine.play(self.port, self._play, [clip], "", loops)
        self._engine.clips.close(clip)  # the core keeps it until it was played
        self._speaking = True

    def speak_samples(self, samples: bytes) -> None:
        """Speak G.711 audio in the law of the card, as `speak` does."""
        with in_memory(wav_file(samples, self._ports.law)) as path:
            self.speak(path)

    def stop_speaking(self) -> None:
        if self.port is not None and self._speaking:
            self._engine.play_stop(self.port)

    async def keys_sent(self, limit_s: float = WAIT_LIMIT_S) -> None:
        """Wait until every key was sent. Raises: TimeoutError."""
        await self._until(lambda: not self._keys, limit_s)

    async def spoken(self, limit_s: float = WAIT_LIMIT_S) -> None:
        """Wait until nothing is being spoken. Raises: TimeoutError."""
        await self._until(lambda: not self._speaking, limit_s)

    # --- what it hears ---

    def listen(self, path: Path | str) -> None:
        """Record until `stop_listening` or on-hook: left what it hears, right what it says. A file that exists is continued."""
        if self.port is None:
            return
        self.stop_listening()
        self._recording = self._ports.next_id()
        self._engine.record(self.port, self._recording, str(path), True, 0)

    def stop_listening(self) -> None:
        if self._recording is not None:
            self._engine.record_stop(self._recording)
            self._recording = None

    def detect(self, country: str, tones: tuple[Tone, ...] = ()) -> None:
        """Collect keys heard in `heard_digits`, and those tones in `heard_tones`, until on-hook."""
        if self.port is not None:
            self._engine.detect_digits(self.port, True)
            self._engine.detect_tones(self.port, tones, country)

    async def heard(self, digits: str, limit_s: float = WAIT_LIMIT_S) -> None:
        """Wait until these keys were heard, after `detect`. Raises: TimeoutError."""
        await self._until(lambda: digits in self.heard_digits, limit_s)

    # --- audio of a program in its place ---

    def stream(self, on: bool) -> None:
        if self.port is not None:
            self._engine.stream(self.port, on)

    def stream_write(self, samples: bytes) -> int:
        """A-law that this telephone says; how many samples were taken."""
        return 0 if self.port is None else self._engine.stream_write(self.port, samples)

    def stream_read(self, max_samples: int) -> bytes:
        """A-law that this telephone heard and that was not read yet."""
        return b"" if self.port is None else self._engine.stream_read(self.port, max_samples)

    # --- for the kinds of telephone ---

    def _set_phase(self, phase: Phase, detail: str = "") -> None:
        self.phase, self.detail = phase, detail
        for handler in tuple(self.on_state):
            handler(self)
        self._wake()

    def _begins_to_ring(self, detail: str) -> None:
        self._set_phase(Phase.RINGING, detail)
        self._will_decide()

    def _will_decide(self) -> None:
        if self.answering in (Answering.ANSWER, Answering.REJECT):
            self._auto_answer.start(self.after_ms)

    def _decide(self) -> None:
        """It rang long enough."""
        if self.answering is Answering.REJECT:
            self.hang_up()
        else:
            self.answer()

    def _begins_to_talk(self) -> None:
        self._set_phase(Phase.TALKING)
        if self.say:
            self.speak(self.say)

    def _take_port(self) -> int:
        if self.port is None:
            self.port = self._ports.take(self._media_event)
        return self.port

    def _give_port_back(self) -> None:
        """On-hook: nothing is said or heard any more."""
        self._auto_answer.stop()
        if self.port is None:
            return
        self.stop_listening()
        self._engine.stream(self.port, False)
        self._engine.play_stop(self.port)
        self._engine.detect_tones(self.port, (), self._ports.country)
        self._ports.give_back(self.port, sending=bool(self._keys))
        self.port = None
        self._keys.clear()
        self._speaking = False

    def _send_keys(self) -> None:
        keys, on_ms, off_ms = self._keys[0]
        if self.port is not None:
            self._engine.send_digits(self.port, keys, on_ms, off_ms, KEY_LOW_DBM0, KEY_HIGH_DBM0)

    def _media_event(self, event: MediaEvent) -> None:
        if event.kind is EventKind.DIGITS_SENT and self._keys:
            self._keys.popleft()
            if self._keys:
                self._send_keys()
        elif event.kind is EventKind.PLAY_DONE and event.id == self._play:
            self._speaking = False
        elif event.kind is EventKind.DIGIT:
            self.heard_digits += event.digit
        elif event.kind is EventKind.TONE and event.value2:
            self.heard_tones.append(Tone(event.value))
        self._wake()

    def _wake(self) -> None:
        for waiter in self._waiters:
            waiter.set()

    async def _until(self, reached: Callable[[], bool], limit_s: float) -> None:
        waiter = asyncio.Event()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(limit_s):
                while not reached():
                    waiter.clear()
                    await waiter.wait()
        except TimeoutError:
            raise TimeoutError(f"telephone {self.number} still {self.phase} after {limit_s} s") from None
        finally:
            self._waiters.remove(waiter)
