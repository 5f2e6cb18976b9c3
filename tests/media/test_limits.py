"""Full rings, used-up numbers, wrong calls and unreadable prompts: each a clear error, nothing hangs, nothing is half done."""

import os
import select
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from drivers.errors import MediaError
from drivers.media import End, Engine, EngineConfig, EventKind, Fault
from tests.media import audio
from tests.media.conftest import Bench, Wire

COUNT = bytes(range(256)) * 4


def fill_ring(command: Callable[[int], None]) -> int:
    """Give commands until one is refused; how many were taken."""
    for number in range(1000):
        try:
            command(number)
        except MediaError as refused:
            if refused.code != "MED-010":
                raise
            return number
    raise AssertionError("1000 commands fit into a ring of 256")


def test_a_full_command_ring_refuses_and_recovers(bench: Bench, wire: Wire) -> None:
    clip = bench.clip(COUNT)
    accepted = fill_ring(lambda number: bench.engine.play(wire.near, number, [clip]))
    with pytest.raises(MediaError, match="MED-010") as refused:
        bench.engine.play_stop(wire.near)
    assert "20 ms" in refused.value.remedy
    assert bench.engine.stats().commands_refused == 2
    bench.step(1)
    ended = [event.id for event in bench.of(EventKind.PLAY_DONE)]
    assert ended == list(range(accepted - 1))  # each but the last was replaced, in order
    bench.engine.play(wire.near, 5000, [clip])


def test_refused_new_ports_and_lines_are_not_used_up(bench: Bench) -> None:
    for _ in range(2):
        fill_ring(lambda _: bench.engine.line_free(bench.engine.line_new()))
        with pytest.raises(MediaError, match="MED-010"):
            bench.engine.port_new()
        bench.step(1)
    assert bench.engine.port_new() == 0


def test_lost_events_are_counted_and_told(tmp_path: Path) -> None:
    engine = Engine(EngineConfig(max_ports=4, max_lines=1, max_recordings=1, commands=64, events=8))
    port = engine.port_new()
    clip = engine.clips.open(audio.wav(tmp_path / "c.wav", COUNT))
    for number in range(21):
        engine.play(port, number, [clip])
    engine.step()
    assert [event.id for event in engine.poll_events()] == list(range(8))
    engine.play_stop(port)
    engine.step()
    lost, done = engine.poll_events()
    assert (lost.kind, lost.port, lost.value) == (EventKind.EVENTS_LOST, -1, 12)
    assert done.id == 20
    assert engine.stats().events_lost == 12
    engine.close()


def test_the_eventfd_is_readable_while_events_wait(bench: Bench, wire: Wire) -> None:
    def readable() -> bool:
        return bool(select.select([bench.engine.eventfd], [], [], 0)[0])

    clip = bench.clip(COUNT)
    assert not readable()
    for _ in range(2):
        for number in range(150):
            bench.engine.play(wire.near, number, [clip])
        bench.engine.step()
    assert len(bench.engine.poll_events()) == 256
    assert readable()
    bench.engine.poll_events()
    assert not readable()


def test_numbers_run_out_and_come_back(bench: Bench) -> None:
    ports = [bench.engine.port_new() for _ in range(64)]
    with pytest.raises(MediaError, match="MED-012"):
        bench.engine.port_new()
    bench.engine.port_free(ports[17])
    assert bench.engine.port_new() == ports[17]
    bench.step(2)
    assert bench.engine.stats().ports_active == 64


def test_unknown_ports(bench: Bench, wire: Wire) -> None:
    for call in (
        lambda: bench.engine.play_stop(99),
        lambda: bench.engine.bridge(wire.near, 40),
        lambda: bench.engine.tap(wire.near, 50),
        lambda: bench.engine.attach_line(wire.near, 9, End.NEAR),
        lambda: bench.engine.line_cross(0, 9),
        lambda: bench.engine.stream(-1),
        lambda: bench.engine.port_free(-5),
    ):
        with pytest.raises(MediaError, match="MED-011"):
            call()


def test_impossible_arguments(bench: Bench, wire: Wire) -> None:
    for call in (
        lambda: bench.engine.send_digits(wire.near, "12x"),
        lambda: bench.engine.send_digits(wire.near, ""),
        lambda: bench.engine.gain(wire.near, rx_db=99),
        lambda: bench.engine.gain(wire.near, tx_db=float("nan")),
        lambda: bench.engine.bridge(wire.near, wire.near),
        lambda: bench.engine.line_fault(wire.line, End.NEAR, Fault.GAIN, value=500),
        lambda: bench.engine.detect_speech(wire.near, silence_ms=-1),
        lambda: bench.engine.record(wire.near, 1, ""),
        lambda: bench.engine.attach_fd(wire.near, 999, 2, 0, 0),
    ):
        with pytest.raises(MediaError, match="MED-014"):
            call()
    with pytest.raises(MediaError, match="MED-012"):
        bench.engine.send_digits(wire.near, "1" * 65)


def test_an_engine_of_impossible_size() -> None:
    with pytest.raises(MediaError, match=r"MED-016.*max_ports=0"):
        Engine(EngineConfig(max_ports=0))


def test_a_started_engine_is_not_stepped() -> None:
    with Engine(EngineConfig(max_ports=2)) as engine:
        with pytest.raises(MediaError, match="MED-015"):
            engine.step()
        with pytest.raises(MediaError, match="MED-015"):
            engine.start()
        engine.stop()
        with pytest.raises(MediaError, match="MED-015"):
            engine.stop()
        engine.step()


def test_a_freed_port_tells_its_play(bench: Bench, wire: Wire) -> None:
    bench.engine.play(wire.near, 4, [bench.clip(COUNT)])
    bench.step(2)
    bench.engine.port_free(wire.near)
    assert [(e.kind, e.id, e.samples) for e in bench.step(1)] == [(EventKind.PLAY_DONE, 4, 320)]


GOOD = b"RIFF" + struct.pack("<I", 36 + 8) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 6, 1, 8000, 8000, 1, 8)
DATA = b"data" + struct.pack("<I", 8) + b"\xd5" * 8


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "only 0 bytes"),
        (b"RIFX" + (GOOD + DATA)[4:], "RIFF and WAVE"),
        (GOOD[:12] + DATA, "'fmt ' chunk is missing"),
        (GOOD, "'data' chunk is missing"),
        (GOOD + DATA[:-3], "claims 8 bytes, but 5"),
        (GOOD + b"LIST" + struct.pack("<I", 0xFFFFFFFF) + DATA, "claims 4294967295 bytes"),
        (GOOD[:20] + struct.pack("<H", 17) + GOOD[22:] + DATA, "audio format 17"),
        (GOOD[:22] + struct.pack("<H", 2) + GOOD[24:] + DATA, "2 channels"),
        (GOOD[:24] + struct.pack("<I", 44100) + GOOD[28:] + DATA, "44100 Hz"),
        (GOOD[:34] + struct.pack("<H", 16) + DATA, "16 bits"),
    ],
)
def test_a_corrupt_wav_names_file_field_and_remedy(bench: Bench, content: bytes, fault: str) -> None:
    path = bench.folder / "corrupt.wav"
    path.write_bytes(content)
    with pytest.raises(MediaError, match="MED-021") as refused:
        bench.engine.clips.open(path)
    assert str(path) in refused.value.what
    assert fault in refused.value.what
    assert "A-law" in refused.value.remedy


def test_other_chunks_are_passed_over(bench: Bench) -> None:
    path = bench.folder / "extra.wav"
    path.write_bytes(GOOD + b"LIST" + struct.pack("<I", 3) + b"abc\0" + DATA)
    assert bench.engine.clips.open(path).samples == 8


@pytest.mark.parametrize("name", ["missing.wav", "."])
def test_a_prompt_that_cannot_be_read(bench: Bench, name: str) -> None:
    with pytest.raises(MediaError, match="MED-02"):
        bench.engine.clips.open(bench.folder / name)


def test_a_pipe_is_no_prompt_and_holds_nothing_up(bench: Bench) -> None:
    os.mkfifo(bench.folder / "pipe.wav")
    with pytest.raises(MediaError, match="MED-020"):
        bench.engine.clips.open(bench.folder / "pipe.wav")
