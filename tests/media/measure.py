"""Measures the media core in real time: `python -m tests.media.measure [--channels 240] [--seconds 30] [--speech FILE.wav]`.

Every channel is a virtual line: the box's port plays without end, detects digits and records both sides; the world's port speaks
into it. Prints one JSON object: share of one core of each thread, lateness, underruns.
"""

import argparse
import json
import tempfile
import threading
import time
from pathlib import Path

from drivers.media import Clip, End, Engine, EngineConfig
from tests.media import audio


def wire(engine: Engine, number: int, prompt: Clip, talk: Clip, folder: Path) -> None:
    line, near, far = engine.line_new(), engine.port_new(), engine.port_new()
    engine.attach_line(near, line, End.NEAR)
    engine.attach_line(far, line, End.FAR)
    engine.detect_digits(near)
    engine.record(near, number, folder / f"{number}.wav")
    engine.play(near, number, [prompt], "0123456789*#", loops=0)
    engine.play(far, number, [talk], loops=0)


def hog(until: float) -> None:
    while time.monotonic() < until:
        pass


def figures(engine: Engine, seconds: float, hogged: bool) -> dict[str, float]:
    before = engine.stats()
    engine.reset_stats()
    if hogged:
        threading.Thread(target=hog, args=(time.monotonic() + seconds,)).start()
        hog(time.monotonic() + seconds)
    else:
        time.sleep(seconds)
    after = engine.stats()
    tick, writer = after.tick_cpu_ns - before.tick_cpu_ns, after.writer_cpu_ns - before.writer_cpu_ns
    return {
        "engine_core_pct": round((tick + writer) / seconds / 1e7, 2),
        "tick_core_pct": round(tick / seconds / 1e7, 2),
        "writer_core_pct": round(writer / seconds / 1e7, 2),
        "tick_busy_us_p50": after.tick_busy_us_p50,
        "tick_busy_us_p999": after.tick_busy_us_p999,
        "tick_late_ms_p999": after.tick_late_ms_p999,
        "tick_late_ms_max": after.tick_late_ms_max,
        "late_ticks": after.late_ticks,
        "underruns": after.underruns,
        "record_gap_samples": after.record_gap_samples,
        "realtime": after.realtime,
        "memory_locked": after.memory_locked,
    }


def measure(channels: int, seconds: float, folder: Path, talk: Path, hogged: bool) -> dict[str, float]:
    config = EngineConfig(max_ports=2 * channels, max_lines=channels, max_recordings=channels)
    with Engine(config) as engine:
        prompt = engine.clips.open(audio.wav(folder / "prompt.wav", audio.to_alaw(audio.speech(20, seed=7))))
        talking = engine.clips.open(talk)
        for number in range(channels):
            wire(engine, number, prompt, talking, folder)
        time.sleep(2)
        result = figures(engine, seconds, hogged)
        result["false_digits"] = sum(event.kind == 2 for event in engine.poll_events())
        return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--channels", type=int, default=240)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--speech", type=Path, help="what the callers say; made up when not given")
    parser.add_argument("--hog", action="store_true", help="keep the interpreter busy meanwhile")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        talk = arguments.speech or audio.wav(folder / "talk.wav", audio.to_alaw(audio.speech(30, seed=3)))
        print(json.dumps(measure(arguments.channels, arguments.seconds, folder, talk, arguments.hog), indent=1))


if __name__ == "__main__":
    main()
