"""What the media tests share: an engine that is stepped, and calls on it. No thread runs unless a test starts one."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drivers.media import Clip, End, Engine, EngineConfig, EventKind, MediaEvent
from tests.media import audio

SMALL = EngineConfig(max_ports=64, max_lines=64, max_recordings=64, commands=256, events=1024)


class Wire:
    """A virtual line with the box's port (`near`) and the world's (`far`)."""

    def __init__(self, bench: "Bench") -> None:
        self.line = bench.engine.line_new()
        self.near, self.far = bench.engine.port_new(), bench.engine.port_new()
        bench.engine.attach_line(self.near, self.line, End.NEAR)
        bench.engine.attach_line(self.far, self.line, End.FAR)


class Bench:
    """An engine in step mode that keeps all events."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder = engine, folder
        self.events: list[MediaEvent] = []
        self._files = 0

    def wire(self) -> Wire:
        return Wire(self)

    def clip(self, codes: bytes) -> Clip:
        self._files += 1
        return self.engine.clips.open(audio.wav(self.folder / f"clip{self._files}.wav", codes))

    def step(self, frames: int) -> list[MediaEvent]:
        """Run frames; the events of them."""
        new: list[MediaEvent] = []
        for _ in range(frames):
            self.engine.step()
            new += self.engine.poll_events()
        self.events += new
        return new

    def step_until(self, kind: EventKind, frames: int = 3000) -> MediaEvent:
        for _ in range(frames):
            for event in self.step(1):
                if event.kind is kind:
                    return event
        raise AssertionError(f"no {kind.name} within {frames} frames; seen: {self.events[-5:]}")

    def of(self, kind: EventKind, port: int | None = None) -> list[MediaEvent]:
        return [event for event in self.events if event.kind is kind and port in (None, event.port)]

    def digits(self, port: int) -> str:
        return "".join(event.digit for event in self.of(EventKind.DIGIT, port))

    def hear(self, port: int, frames: int, before: Callable[[], object] = lambda: None) -> bytes:
        """What the line brings to this port in so many frames, in A-law."""
        self._files += 1
        path, record_id = self.folder / f"heard{self._files}.wav", 90000 + self._files
        self.engine.record(port, record_id, path, stereo=False)
        before()
        self.step(frames)
        self.engine.record_stop(record_id)
        self.step(1)
        return audio.read_recording(path)[1]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    engine = Engine(SMALL)
    yield Bench(engine, tmp_path)
    engine.close()


@pytest.fixture
def wire(bench: Bench) -> Wire:
    return bench.wire()
