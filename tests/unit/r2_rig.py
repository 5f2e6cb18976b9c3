"""Two R2 channels back to back on a simulated wire: bits and register signals arrive late, time is a heap. No card, no audio, no event
loop."""

import heapq
import random
from collections.abc import Callable
from functools import partial
from itertools import count

from drivers.signalling import (
    Action,
    BitsChanged,
    BlockWanted,
    EventUnexpected,
    Input,
    ListenForMf,
    MfHeard,
    SendMf,
    SetBits,
    SoundLost,
    StartTimer,
    StopTimer,
    TimerFired,
)
from drivers.signalling.r2 import R2Line, R2Span

DETECTION_MS = 14
IDLE_WORDS = 200_000
"""More events than any call makes: beyond it the two talk for ever."""


class Timeline:
    """Milliseconds from 0 and what is due when."""

    def __init__(self) -> None:
        self.now_ms = 0.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()

    def at(self, delay_ms: float, call: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self.now_ms + delay_ms, next(self._order), call))

    def run(self, until_ms: float | None = None) -> None:
        """Everything that is due up to then, or all there is."""
        for _ in range(IDLE_WORDS):
            if not self._due or (until_ms is not None and self._due[0][0] > until_ms):
                break
            self.now_ms, _, call = heapq.heappop(self._due)
            call()
        else:
            raise AssertionError("events without end")
        if until_ms is not None:
            self.now_ms = max(self.now_ms, until_ms)


class Detector:
    """The register signals that an end hears: of the set listened for, changes only. `noise`: what is heard instead."""

    def __init__(self) -> None:
        self.forward: bool | None = None
        self.on_line: tuple[str, bool] = ("", True)
        self.noise: str | None = None
        self.told = ""
        self.stands_still = False

    def hears(self) -> str:
        if self.stands_still:
            return self.told
        if self.noise is not None:
            return self.noise if self.forward is not None else ""
        signal, forward = self.on_line
        return signal if signal and forward == self.forward else ""


class End:
    """One R2 channel with its owner: does what it asks for and keeps the news."""

    def __init__(self, line: Timeline, span: R2Span, name: str) -> None:
        self.name = name
        self.signaller = R2Line(1, span, lambda: line.now_ms / 1000)
        self.news: list[Action] = []
        self.said: list[Action] = []
        self.detector = Detector()
        self.mf_out: tuple[str, bool] = ("", True)
        self.bits_out = 0
        self.far: End
        self.delay_ms: Callable[[], float] = lambda: 15.0
        self._line = line
        self._waiting: list[Callable[[], None]] = []
        self._timers: dict[str, int] = {}
        self._next_timer = count(1)
        self._last_bits_at = 0.0
        self._last_mf_at = 0.0

    @property
    def state(self) -> str:
        return self.signaller.state.value

    def tell(self, event: Input) -> None:
        for _, action in self.signaller.handle(1, event):
            self.perform(action)

    def kinds(self, *kinds: type[Action]) -> list[Action]:
        return [action for action in self.news if isinstance(action, kinds)]

    def perform(self, action: Action) -> None:
        self.said.append(action)
        match action:
            case SetBits(bits=bits):
                self._set_bits(bits)
            case SendMf(signal=signal, forward=forward):
                self._sound(signal, forward)
            case ListenForMf(forward=forward):
                self.detector.forward, self.detector.told = forward, ""
                self._line.at(DETECTION_MS, self.listen)
            case StartTimer(name=name, ms=ms):
                self._start(name, ms)
            case StopTimer(name=name):
                self._timers.pop(name, None)
            case EventUnexpected():
                raise AssertionError(f"{self.name}: {action}")
            case _:
                self.news.append(action)

    def _start(self, name: str, ms: float) -> None:
        number = self._timers[name] = next(self._next_timer)
        self._line.at(ms, lambda: self._fire(name, number))

    def _fire(self, name: str, number: int) -> None:
        if self.detector.stands_still:
            self._waiting.append(partial(self._fire, name, number))
        elif self._timers.get(name) == number:
            del self._timers[name]
            self.tell(TimerFired(name))

    @property
    def timers(self) -> set[str]:
        """Names of those that run."""
        return set(self._timers)

    def _set_bits(self, bits: int) -> None:
        self.bits_out = bits
        self._last_bits_at = max(self._last_bits_at, self._line.now_ms + self.delay_ms())
        self._line.at(self._last_bits_at - self._line.now_ms, lambda: self.far.sees(bits))

    def sees(self, bits: int) -> None:
        """The far side's bits."""
        if self.detector.stands_still:
            self._waiting.append(partial(self.tell, BitsChanged(bits)))
        else:
            self.tell(BitsChanged(bits))

    def _sound(self, signal: str, forward: bool) -> None:
        """A change of the sound travels like the one before it, never overtaking."""
        self.mf_out = (signal, forward)
        self._send_sound(signal, forward)

    def _send_sound(self, signal: str, forward: bool) -> None:
        self._last_mf_at = max(self._last_mf_at, self._line.now_ms + self.delay_ms())
        self._line.at(self._last_mf_at - self._line.now_ms, lambda: self.far.arrives(signal, forward))

    def arrives(self, signal: str, forward: bool) -> None:
        """This is on the line towards us from now on."""
        self.detector.on_line = (signal, forward)
        self._line.at(DETECTION_MS, self.listen)

    def stand_still(self, ms: float, ahead_ms: float, told: bool = True) -> None:
        """The machine this end runs on stands still from now on for so long: it hears nothing, does nothing, and what it sounds ends when
        its card has sent the `ahead_ms` that it had. `told`: it learns afterwards that sound was lost."""
        if self.detector.stands_still:
            return
        self.detector.stands_still = True
        self._line.at(ahead_ms, self._run_dry)
        self._line.at(ms, lambda: self._go_on(told and ms > ahead_ms))

    def _run_dry(self) -> None:
        if self.detector.stands_still:
            self._send_sound("", self.mf_out[1])

    def _go_on(self, told: bool) -> None:
        """Timers that ran out and bits that changed meanwhile come first, which is worst."""
        self.detector.stands_still = False
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each()
        if told:
            self.tell(SoundLost())
        self._send_sound(*self.mf_out)
        self._line.at(DETECTION_MS, self.listen)

    def disturb(self, ms: float, noise: str) -> None:
        """From now on for so long, what comes is not heard but this."""
        self.detector.noise = noise
        self._line.at(DETECTION_MS, self.listen)
        self._line.at(ms, self._clear_up)

    def _clear_up(self) -> None:
        self.detector.noise = None
        self._line.at(DETECTION_MS, self.listen)

    def listen(self) -> None:
        """What the media core reports: an end before a beginning."""
        heard, told = self.detector.hears(), self.detector.told
        if heard == told:
            return
        self.detector.told = heard
        if told:
            self.tell(MfHeard())
        if heard:
            self.tell(MfHeard(heard))


def settled(line: Timeline, *ends: End) -> None:
    """Both at rest: idle, silent, deaf, no timer."""
    line.run()
    for end in ends:
        assert end.state == "idle", f"{end.name}: {end.signaller.state_name(1)}"
        assert end.mf_out[0] == "", end.name
        assert end.detector.forward is None, end.name
        assert end.timers == set(), end.name
        assert end.bits_out >> 2 == 0b10, end.name


def trunk(
    near: R2Span | None = None, far: R2Span | None = None, seed: int = 0, delays_ms: tuple[float, float] = (10.0, 60.0)
) -> tuple[Timeline, End, End]:
    """Two ends joined and at rest, each change of bits or sound delayed at random within `delays_ms`."""
    line, rng = Timeline(), random.Random(seed)
    ends = End(line, near or R2Span(), "near"), End(line, far or near or R2Span(), "far")
    for end, other in zip(ends, reversed(ends), strict=True):
        end.far = other
        end.delay_ms = lambda: rng.uniform(*delays_ms)
    for end in ends:
        end.tell(BlockWanted(False))
    line.run()
    return line, *ends
