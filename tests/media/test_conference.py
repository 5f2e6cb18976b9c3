"""Conferences: each hears all the others and not itself; joining, leaving, prompts, recordings."""

from pathlib import Path

import pytest

from drivers.errors import MediaError
from tests.media import audio
from tests.media.conftest import Bench, Wire
from tests.media.test_mix import heard, steady, strength_dbm0

TONES = (400, 1000, 1700, 2300)


def talking(bench: Bench, count: int = 3) -> list[Wire]:
    """So many parties, each with a tone of its own."""
    wires = [bench.wire() for _ in range(count)]
    for wire, hz in zip(wires, TONES, strict=False):
        bench.engine.tone(wire.far, steady(hz))
    return wires


def confer(bench: Bench, wires: list[Wire]) -> None:
    for wire in wires[1:]:
        bench.engine.confer(wire.near, wires[0].near)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_each_hears_all_the_others(bench: Bench, count: int) -> None:
    wires = talking(bench, count)
    confer(bench, wires)
    for wire, own in zip(wires, TONES, strict=False):
        assert heard(bench.hear(wire.far, 40)) == set(TONES[:count]) - {own}


def test_every_voice_is_as_loud_as_over_a_bridge(bench: Bench) -> None:
    wires = talking(bench)
    confer(bench, wires)
    codes = bench.hear(wires[2].far, 40)
    assert strength_dbm0(codes, 400) == pytest.approx(-16, abs=0.3)
    assert strength_dbm0(codes, 1000) == pytest.approx(-16, abs=0.3)


def test_who_leaves_hears_nobody_and_the_others_go_on(bench: Bench) -> None:
    wires = talking(bench)
    confer(bench, wires)
    bench.step(5)
    bench.engine.confer(wires[1].near, -1)
    bench.step(2)
    assert heard(bench.hear(wires[0].far, 40)) == {1700}
    assert heard(bench.hear(wires[1].far, 40)) == set()
    bench.engine.confer(wires[0].near, -1)
    bench.step(2)
    assert heard(bench.hear(wires[2].far, 40)) == set()


def test_a_bridge_becomes_a_conference_and_a_bridge_again_without_a_gap(bench: Bench) -> None:
    a, b, c = talking(bench)
    bench.engine.bridge(a.near, b.near)
    bench.step(10)

    def change() -> None:
        bench.step(20)
        bench.engine.confer(b.near, a.near)
        bench.engine.confer(c.near, a.near)
        bench.step(20)
        bench.engine.bridge(a.near, b.near)

    codes = bench.hear(b.far, 60, change)
    assert audio.longest_silence(codes) <= audio.FRAME


def test_a_port_that_goes_leaves_its_conference(bench: Bench) -> None:
    wires = talking(bench)
    confer(bench, wires)
    bench.step(2)
    bench.engine.port_free(wires[0].near)
    bench.step(2)
    assert heard(bench.hear(wires[1].far, 40)) == {1700}


def test_muted_parties_are_not_heard_but_hear(bench: Bench) -> None:
    wires = talking(bench)
    confer(bench, wires)
    bench.engine.mute(wires[1].near, rx=True)
    bench.step(2)
    assert heard(bench.hear(wires[0].far, 40)) == {1700}
    assert heard(bench.hear(wires[1].far, 40)) == {400, 1700}


def test_a_recording_holds_what_its_party_says_and_hears(bench: Bench, tmp_path: Path) -> None:
    wires = talking(bench)
    confer(bench, wires)
    bench.engine.record(wires[0].near, 7, tmp_path / "all.wav")
    bench.step(100)
    bench.engine.record_stop(7)
    bench.step(5)
    both = audio.read_recording(tmp_path / "all.wav")[1]
    assert (heard(both[::2]), heard(both[1::2])) == ({400}, {1000, 1700})


def test_nobody_confers_with_a_port_that_is_not_there(bench: Bench) -> None:
    wire = bench.wire()
    for other in (wire.near, 9999):
        with pytest.raises(MediaError):
            bench.engine.confer(wire.near, other)
