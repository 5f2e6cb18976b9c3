"""Recordings: both sides on one clock, valid at any moment, continued after a crash, true to time when the disk is not there."""

import errno
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from drivers.errors import MediaError
from drivers.media import Engine, EngineConfig, EventKind, Law, MediaEvent
from tests.media import audio
from tests.media.conftest import Bench, Wire

COUNT = bytes(range(256)) * 40
SILENT = bytes([audio.ALAW_SILENCE])


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """A disk with so much room: writing beyond is EFBIG (python ignores the signal)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def finish(bench: Bench, record_id: int) -> MediaEvent:
    bench.engine.record_stop(record_id)
    return bench.step_until(EventKind.RECORD_DONE, 700)


def test_both_sides_on_one_clock(bench: Bench, wire: Wire) -> None:
    path = bench.folder / "both.wav"
    bench.engine.record(wire.near, 1, path)
    bench.engine.play(wire.near, 1, [bench.clip(COUNT)])
    bench.engine.play(wire.far, 2, [bench.clip(COUNT[::-1])])
    bench.step(50)
    done = finish(bench, 1)
    channels, codes = audio.read_recording(path)
    assert (channels, done.samples, done.value) == (2, 8000, 0)
    assert codes[0::2] == SILENT * 160 + COUNT[::-1][:7840]  # what the party says is a frame under way
    assert codes[1::2] == COUNT[:8000]


def test_mono_is_what_the_party_says(bench: Bench, wire: Wire) -> None:
    bench.engine.play(wire.near, 1, [bench.clip(COUNT)])
    assert bench.hear(wire.near, 20, lambda: bench.engine.play(wire.far, 2, [bench.clip(COUNT)]))[160:] == COUNT[:3040]


def test_two_recordings_of_one_port(bench: Bench, wire: Wire) -> None:
    bench.engine.play(wire.far, 2, [bench.clip(COUNT)])
    bench.engine.record(wire.near, 1, bench.folder / "call.wav")
    bench.step(5)
    message = bench.hear(wire.near, 10)
    finish(bench, 1)
    _, call = audio.read_recording(bench.folder / "call.wav")
    assert call[0::2][800:2400] == message == COUNT[640:2240]


def test_limits_of_recordings(bench: Bench, wire: Wire) -> None:
    for number in range(4):
        bench.engine.record(wire.near, number, bench.folder / f"{number}.wav")
    with pytest.raises(MediaError, match="MED-012"):
        bench.engine.record(wire.near, 5, bench.folder / "5.wav")
    with pytest.raises(MediaError, match="MED-014"):
        bench.engine.record(wire.far, 2, bench.folder / "2.wav")
    with pytest.raises(MediaError, match="MED-011"):
        bench.engine.record_stop(77)


def test_a_file_is_continued_after_a_gap(bench: Bench, wire: Wire) -> None:
    path = bench.folder / "parts.wav"
    bench.engine.play(wire.far, 1, [bench.clip(COUNT)])
    bench.step(1)
    for number, gap in ((1, 0), (2, 777)):
        bench.engine.record(wire.near, number, path, stereo=False, gap_samples=gap)
        bench.step(10)
        done = finish(bench, number)
    assert done.samples == 3200 + 777
    codes = audio.read_recording(path)[1]
    assert codes[:1600] == COUNT[:1600]
    assert codes[1600:2377] == SILENT * 777
    assert codes[2377:] in COUNT


def test_audio_beyond_the_header_of_a_crashed_file_is_kept(bench: Bench, wire: Wire) -> None:
    path = bench.folder / "crashed.wav"
    bench.engine.record(wire.near, 1, path, stereo=True)
    bench.step(10)
    finish(bench, 1)
    with path.open("ab") as file:
        file.write(b"\x11\x22" * 50 + b"\x33")  # written, header not yet, and half a sample pair
    bench.engine.record(wire.near, 2, path, stereo=True)
    bench.step(10)
    assert finish(bench, 2).samples == 3200 + 50
    assert audio.read_recording(path)[1][3200:3300] == b"\x11\x22" * 50


@pytest.mark.parametrize("content", [b"not a recording at all, but something that was here before, longer than a header"])
def test_a_foreign_file_is_not_touched(bench: Bench, wire: Wire, content: bytes) -> None:
    path = bench.folder / "foreign.wav"
    path.write_bytes(content)
    bench.engine.record(wire.near, 1, path)
    bench.step(100)
    done = finish(bench, 1)
    assert (done.value, done.samples) == (errno.EEXIST, 0)
    assert [(gap.value, gap.samples) for gap in bench.of(EventKind.RECORD_GAP)] == [(errno.EEXIST, 0)]
    assert path.read_bytes() == content


def test_mono_does_not_continue_stereo(bench: Bench, wire: Wire) -> None:
    path = bench.folder / "shape.wav"
    bench.engine.record(wire.near, 1, path, stereo=True)
    bench.step(5)
    finish(bench, 1)
    bench.engine.record(wire.near, 2, path, stereo=False)
    assert finish(bench, 2).value == errno.EEXIST


def test_a_folder_that_is_not_there_yet(bench: Bench, wire: Wire) -> None:
    path = bench.folder / "later" / "call.wav"
    bench.engine.play(wire.far, 1, [bench.clip(COUNT)])
    bench.engine.record(wire.near, 1, path, stereo=False)
    gap = bench.step_until(EventKind.RECORD_GAP, 60)
    assert (gap.value, gap.samples) == (errno.ENOENT, 0)
    path.parent.mkdir()
    bench.step(50)
    assert finish(bench, 1).value == 0
    assert audio.read_recording(path)[1][160:5000] == COUNT[:4840]


def test_a_disk_without_room_is_given_up_after_stop(bench: Bench, wire: Wire) -> None:
    bench.engine.record(wire.near, 1, "/dev/full")
    bench.step(100)
    done = finish(bench, 1)
    assert (done.value, done.samples) == (errno.ENOSPC, 0)
    assert bench.of(EventKind.RECORD_GAP)[0].value == errno.ENOSPC


def test_room_comes_back_in_time(bench: Bench, wire: Wire) -> None:
    path = bench.folder / "short.wav"
    bench.engine.play(wire.far, 1, [bench.clip(COUNT)], loops=0)
    bench.engine.record(wire.near, 1, path, stereo=False)
    with files_limited_to(20_000):
        bench.step(300)
    bench.step(100)
    done = finish(bench, 1)
    assert (done.value, done.samples) == (0, 64_000)
    assert audio.read_recording(path)[1][160:] == (COUNT * 7)[: 64_000 - 160]  # the ring held it: nothing lost
    assert [(gap.value, gap.samples) for gap in bench.of(EventKind.RECORD_GAP)] == [(errno.EFBIG, 0)]


def test_room_comes_back_late_and_the_time_is_kept(bench: Bench, wire: Wire) -> None:
    path = bench.folder / "late.wav"
    bench.engine.play(wire.far, 1, [bench.clip(COUNT)], loops=0)
    bench.engine.record(wire.near, 1, path, stereo=False)
    with files_limited_to(20_000):
        bench.step(1400)
        assert audio.read_recording(path)[0] == 1
    bench.step(100)
    done = finish(bench, 1)
    assert (done.value, done.samples) == (0, 240_000)
    lost = [gap for gap in bench.of(EventKind.RECORD_GAP) if gap.samples]
    assert sum(gap.samples for gap in lost) == bench.engine.stats().record_gap_samples > 0
    codes = audio.read_recording(path)[1]
    expected = SILENT * 160 + (COUNT * 24)[: 240_000 - 160]
    wrong = [i for i in range(0, 240_000, 160) if codes[i : i + 160] != expected[i : i + 160]]
    assert len(wrong) * 160 == sum(gap.samples for gap in lost)
    assert all(codes[i : i + 160] == SILENT * 160 for i in wrong)


def test_a_stop_during_the_gap_keeps_the_length(bench: Bench, wire: Wire) -> None:
    bench.engine.record(wire.near, 1, bench.folder / "gap.wav", stereo=True)
    with files_limited_to(20_000):
        bench.step(1400)
        bench.engine.record_stop(1)
        bench.step(5)
    assert bench.step_until(EventKind.RECORD_DONE).samples == 224_000


def test_a_muted_party_is_not_recorded(bench: Bench, wire: Wire) -> None:
    bench.engine.play(wire.far, 1, [bench.clip(COUNT)])
    bench.engine.mute(wire.near, rx=True)
    assert set(bench.hear(wire.near, 20)) == {audio.ALAW_SILENCE}


def test_a_detached_port_keeps_the_time(bench: Bench, wire: Wire) -> None:
    bench.engine.play(wire.far, 1, [bench.clip(COUNT)])
    bench.engine.record(wire.near, 1, bench.folder / "hold.wav", stereo=False)
    bench.step(10)
    bench.engine.detach(wire.near)
    bench.step(20)
    done = finish(bench, 1)
    assert done.samples == 4800
    codes = audio.read_recording(bench.folder / "hold.wav")[1]
    assert codes[160:1600] == COUNT[:1440]
    assert codes[1600:] == SILENT * 3200


def test_a_freed_port_finishes_its_recordings(bench: Bench, wire: Wire) -> None:
    bench.engine.record(wire.near, 1, bench.folder / "freed.wav")
    bench.step(10)
    bench.engine.port_free(wire.near)
    assert bench.step_until(EventKind.RECORD_DONE, 3).samples == 1600
    with pytest.raises(MediaError, match="MED-011"):
        bench.engine.record_stop(1)


def test_mu_law_is_recorded_as_a_law(bench: Bench) -> None:
    port = bench.engine.port_new(Law.ULAW)
    bench.engine.play(port, 1, [bench.clip(COUNT)])
    bench.engine.record(port, 1, bench.folder / "u.wav")
    bench.step(5)
    finish(bench, 1)
    _, codes = audio.read_recording(bench.folder / "u.wav")
    error = audio.from_alaw(codes[1::2]).astype(int) - audio.from_alaw(COUNT[:800])
    assert max(abs(error)) <= 1024
    assert set(codes[0::2]) == {audio.ALAW_SILENCE}


def test_freeing_the_engine_loses_nothing(tmp_path: Path) -> None:
    engine = Engine(EngineConfig(max_ports=2, max_lines=1, max_recordings=2))
    port = engine.port_new()
    engine.play(port, 1, [engine.clips.open(audio.wav(tmp_path / "p.wav", COUNT))])
    engine.record(port, 1, tmp_path / "end.wav")
    engine.step(37)
    engine.close()
    assert audio.read_recording(tmp_path / "end.wav")[1][1::2] == COUNT[: 37 * 160]


RECORD_FOR_EVER = """
import sys, time
from drivers.media import Engine, EngineConfig
from pathlib import Path
folder = Path(sys.argv[1])
with Engine(EngineConfig(flush_ms=100)) as engine:
    clip = engine.clips.open(folder / "prompt.wav")
    for number in range(8):
        port = engine.port_new()
        engine.play(port, number, [clip], loops=0)
        engine.record(port, number, folder / f"{number}.wav", gap_samples=1000)
    print("ready", flush=True)
    time.sleep(30)
"""


@pytest.mark.parametrize("after_s", [0.35, 0.5, 0.8])
def test_kill_minus_nine_leaves_valid_files(tmp_path: Path, after_s: float) -> None:
    audio.wav(tmp_path / "prompt.wav", COUNT)
    process = subprocess.Popen([sys.executable, "-c", RECORD_FOR_EVER, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"
    time.sleep(after_s)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    process.stdout.close()
    for number in range(8):
        channels, codes = audio.read_recording(tmp_path / f"{number}.wav")
        assert channels == 2
        assert len(codes) / 16000 >= 0.125 + after_s - 0.34  # gap, and all but two flushes and a block
        assert codes[1::2][1000:] == COUNT[: len(codes) // 2 - 1000]
