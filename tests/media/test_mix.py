"""What a party hears when more than one sounds: bridges, prompts over them, gain, mute, taps, native bridges, line faults."""

import numpy as np
import pytest

from drivers.errors import MediaError
from drivers.media import Cadence, End, EventKind, Fault, ToneStep
from tests.media import audio
from tests.media.conftest import Bench, Wire

COUNT = bytes(range(256)) * 20


def steady(hz: float, dbm0: float = -16) -> Cadence:
    return Cadence((ToneStep(hz, dbm0=dbm0),))


def strength_dbm0(codes: bytes, hz: float) -> float:
    """Level of one frequency in what is heard, without the first 200 ms."""
    pcm = audio.from_alaw(codes)[1600:].astype(float)
    turning = np.exp(-2j * np.pi * hz * np.arange(len(pcm)) / 8000)
    return float(20 * np.log10(np.abs(np.mean(pcm * turning)) * np.sqrt(2) / audio.rms_of(0) + 1e-9))


def heard(codes: bytes) -> set[int]:
    """Which of the test's frequencies can be heard at all (> -40 dBm0)."""
    return {hz for hz in (400, 600, 1000, 1300, 1700, 2300) if strength_dbm0(codes, hz) > -40}


def test_a_bridge_passes_every_code(bench: Bench) -> None:
    a, b = bench.wire(), bench.wire()
    bench.engine.bridge(a.near, b.near)
    codes = bench.hear(b.far, 40, lambda: bench.engine.play(a.far, 1, [bench.clip(COUNT)]))
    assert codes[320 : 320 + 5120] == COUNT  # two lines, a frame each; nothing for the bridge itself


def test_a_bridge_goes_both_ways_and_ends(bench: Bench) -> None:
    a, b = bench.wire(), bench.wire()
    bench.engine.bridge(a.near, b.near)
    bench.engine.tone(a.far, steady(400))
    bench.engine.tone(b.far, steady(1000))
    assert heard(bench.hear(b.far, 40)) == {400}
    assert heard(bench.hear(a.far, 40)) == {1000}
    bench.engine.unbridge(a.near)
    bench.step(1)
    assert heard(bench.hear(b.far, 40)) == heard(bench.hear(a.far, 40)) == set()


def test_a_new_bridge_parts_the_old(bench: Bench) -> None:
    a, b, c = bench.wire(), bench.wire(), bench.wire()
    bench.engine.tone(a.far, steady(400))
    bench.engine.bridge(a.near, b.near)
    bench.step(5)
    bench.engine.bridge(a.near, c.near)
    bench.step(2)
    assert heard(bench.hear(b.far, 40)) == set()
    assert heard(bench.hear(c.far, 40)) == {400}


def test_prompts_are_heard_over_a_bridge(bench: Bench) -> None:
    a, b = bench.wire(), bench.wire()
    bench.engine.bridge(a.near, b.near)
    bench.engine.tone(b.far, steady(1000))
    bench.engine.play(a.near, 1, [bench.clip(audio.to_alaw(audio.sine(400, -16, 2000)))])
    both = bench.hear(a.far, 60)
    assert heard(both) == {400, 1000}
    assert abs(strength_dbm0(both, 400) - -16) < 0.5
    assert abs(strength_dbm0(both, 1000) - -16) < 0.5


def test_too_loud_a_sum_saturates(bench: Bench, wire: Wire) -> None:
    bench.engine.play(wire.near, 1, [bench.clip(audio.to_alaw(audio.sine(400, 2, 1000)))])
    bench.engine.tone(wire.near, steady(400, 2))
    pcm = audio.from_alaw(bench.hear(wire.far, 40))[320:6000]
    assert np.max(pcm) == 32256
    assert np.min(pcm) == -32256
    assert np.max(np.abs(np.diff(pcm.astype(int)))) < 32256  # no wrap around


@pytest.mark.parametrize("gain_db", [-12.0, 6.0])
def test_gain(bench: Bench, gain_db: float) -> None:
    a, b = bench.wire(), bench.wire()
    bench.engine.bridge(a.near, b.near)
    bench.engine.tone(a.far, steady(400, -20))
    bench.engine.gain(a.near, rx_db=gain_db)
    assert abs(strength_dbm0(bench.hear(b.far, 40), 400) - (-20 + gain_db)) < 0.5
    bench.engine.gain(a.near)
    bench.engine.gain(b.near, tx_db=gain_db)
    bench.step(2)
    assert abs(strength_dbm0(bench.hear(b.far, 40), 400) - (-20 + gain_db)) < 0.5


def test_mute(bench: Bench) -> None:
    a, b = bench.wire(), bench.wire()
    bench.engine.bridge(a.near, b.near)
    bench.engine.detect_digits(a.near)
    bench.engine.tone(b.far, steady(1000))
    bench.engine.mute(a.near, rx=True)
    assert heard(bench.hear(b.far, 40, lambda: bench.engine.tone(a.far, steady(400)))) == set()
    assert heard(bench.hear(a.far, 40)) == {1000}
    bench.engine.tone(a.far, None)
    bench.engine.send_digits(a.far, "8")
    bench.step(20)
    assert bench.digits(a.near) == "8"
    bench.engine.mute(a.near, tx=True)
    bench.step(2)
    assert set(bench.hear(a.far, 40)) == {audio.ALAW_SILENCE}


def test_a_tap_hears_both_sides_and_is_not_heard(bench: Bench) -> None:
    a, b, listener, other = bench.wire(), bench.wire(), bench.wire(), bench.wire()
    bench.engine.bridge(a.near, b.near)
    for hz, wire in ((400, a), (1000, b), (1700, listener)):
        bench.engine.tone(wire.far, steady(hz))
    bench.engine.tap(listener.near, a.near)
    bench.engine.tap(other.near, a.near)
    assert heard(bench.hear(listener.far, 40)) == {400, 1000}
    assert heard(bench.hear(other.far, 40)) == {400, 1000}
    assert heard(bench.hear(a.far, 40)) == {1000}
    bench.engine.tap(listener.near, -1)
    bench.step(2)
    assert heard(bench.hear(listener.far, 40)) == set()


def test_a_tap_ends_with_its_target(bench: Bench) -> None:
    a, listener = bench.wire(), bench.wire()
    bench.engine.tap(listener.near, a.near)
    bench.step(2)
    bench.engine.port_free(a.near)
    bench.step(5)
    assert set(bench.hear(listener.far, 10)) == {audio.ALAW_SILENCE}


def test_native_bridge_is_recorded_and_tapped_from_the_partner(bench: Bench) -> None:
    a, b, listener = bench.wire(), bench.wire(), bench.wire()
    bench.engine.tone(a.far, steady(400))
    bench.engine.tone(b.far, steady(1000))
    bench.engine.line_cross(a.line, b.line)
    bench.engine.native_peer(a.near, b.near)
    bench.engine.tap(listener.near, b.near)
    bench.engine.record(a.near, 1, bench.folder / "native.wav")
    assert heard(bench.hear(a.far, 40)) == {1000}
    assert heard(bench.hear(b.far, 40)) == {400}
    assert heard(bench.hear(listener.far, 40)) == {400, 1000}
    bench.engine.record_stop(1)
    bench.step(2)
    _, sides = audio.read_recording(bench.folder / "native.wav")
    assert heard(sides[0::2]) == {400}
    assert heard(sides[1::2]) == {1000}
    bench.engine.line_cross(a.line, -1)
    bench.engine.native_peer(a.near, -1)
    bench.step(2)
    assert heard(bench.hear(a.far, 40)) == set()


def test_the_order_of_ports_does_not_matter(bench: Bench) -> None:
    """The partner's number is below or above: the way takes as long."""
    engine = bench.engine
    ports = [engine.port_new() for _ in range(4)]
    first, second = engine.line_new(), engine.line_new()
    for port, line, end in zip(ports, (first, second, first, second), (0, 1, 1, 0), strict=True):
        engine.attach_line(port, line, End(end))
    engine.bridge(ports[0], ports[3])
    there = bench.hear(ports[1], 10, lambda: engine.play(ports[2], 1, [bench.clip(COUNT)]))
    back = bench.hear(ports[2], 10, lambda: engine.play(ports[1], 2, [bench.clip(COUNT)]))
    assert there == back


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.SILENCE])
def test_a_dead_direction(bench: Bench, wire: Wire, fault: Fault) -> None:
    bench.engine.tone(wire.far, steady(400))
    bench.engine.line_fault(wire.line, End.NEAR, fault)
    assert set(bench.hear(wire.near, 20)) == {audio.ALAW_SILENCE}
    bench.engine.line_fault(wire.line, End.NEAR, fault, on=False)
    bench.step(1)
    assert heard(bench.hear(wire.near, 40)) == {400}


def test_a_frozen_far_end_repeats_itself(bench: Bench, wire: Wire) -> None:
    bench.engine.play(wire.far, 1, [bench.clip(COUNT)])
    bench.step(5)
    codes = bench.hear(wire.near, 20, lambda: bench.engine.line_fault(wire.line, End.NEAR, Fault.FREEZE))
    assert codes == codes[:160] * 20
    assert codes[:160] in COUNT


def test_noise_echo_and_gain_of_a_line(bench: Bench, wire: Wire) -> None:
    bench.engine.line_fault(wire.line, End.NEAR, Fault.NOISE, value=-30)
    assert abs(audio.level_dbm0(audio.from_alaw(bench.hear(wire.near, 50))[160:]) - -30) < 0.3
    bench.engine.line_fault(wire.line, End.NEAR, Fault.NOISE, on=False)
    bench.engine.line_fault(wire.line, End.NEAR, Fault.ECHO, value=10)
    bench.engine.line_fault(wire.line, End.NEAR, Fault.GAIN, value=-6)
    bench.engine.tone(wire.near, steady(400))
    bench.engine.tone(wire.far, steady(1000))
    codes = bench.hear(wire.near, 50)
    assert abs(strength_dbm0(codes, 400) - -26) < 0.5
    assert abs(strength_dbm0(codes, 1000) - -22) < 0.5


def test_a_line_that_goes_detaches_its_ports(bench: Bench, wire: Wire) -> None:
    bench.engine.line_free(wire.line)
    bench.step(1)
    assert {(event.port, event.value) for event in bench.of(EventKind.IO_ERROR)} == {(wire.near, 19), (wire.far, 19)}
    with pytest.raises(MediaError, match="MED-011"):
        bench.engine.attach_line(wire.near, wire.line, End.NEAR)


def test_a_browser_talks_over_a_line(bench: Bench, wire: Wire) -> None:
    """Attached to a line, the stream is the person: it starts at 60 ms and is told when it runs dry."""
    bench.engine.stream(wire.far)
    assert bench.engine.stream_write(wire.far, COUNT[:320]) == 320
    assert set(bench.hear(wire.near, 5)) == {audio.ALAW_SILENCE}
    bench.engine.stream_write(wire.far, COUNT[320:960])
    assert bench.hear(wire.near, 10)[160:1120] == COUNT[:960]
    bench.step(60)
    assert bench.of(EventKind.UNDERRUN, wire.far)
    bench.engine.play(wire.near, 1, [bench.clip(COUNT)])
    bench.engine.stream_read(wire.far)
    bench.step(10)
    assert bench.engine.stream_read(wire.far)[160:1600] == COUNT[:1440]


def test_a_browser_is_the_line_of_a_port_of_its_own(bench: Bench, wire: Wire) -> None:
    port = bench.engine.port_new()
    bench.engine.stream(port)
    bench.engine.bridge(port, wire.near)
    bench.engine.play(wire.far, 1, [bench.clip(COUNT)])
    bench.engine.stream_write(port, COUNT[:960])
    assert bench.hear(wire.far, 12)[160:1120] == COUNT[:960]
    assert bench.engine.stream_read(port)[160:1600] == COUNT[:1440]


def test_old_audio_of_a_browser_is_dropped(bench: Bench, wire: Wire) -> None:
    bench.engine.stream(wire.far)
    for start in range(0, 5120, 640):
        bench.engine.stream_write(wire.far, COUNT[start : start + 640])
    assert bench.hear(wire.near, 22)[160 : 160 + 3200] == COUNT[-3200:]
    bench.engine.play(wire.near, 1, [bench.clip(COUNT)])
    bench.step(200)
    assert len(bench.engine.stream_read(wire.far, 8000)) == 3200
    bench.engine.stream(wire.far, False)
    with pytest.raises(MediaError, match="MED-011"):
        bench.engine.stream_write(wire.far, COUNT)
