"""Keys that nobody may hear: not in any recording, not by a partner, a conference or a listener; before and after it all is as ever."""

from pathlib import Path

import pytest

from drivers.media import EventKind
from tests.dtmf import keys_in
from tests.media import audio
from tests.media.conftest import Bench, Wire

KEY_FRAMES = 10  # 100 ms on, 100 ms off


def mask(bench: Bench, port: int, on: bool, ms: int = 0) -> None:
    bench.engine.mask_keys(port, on, ms)


def press(bench: Bench, wire: Wire, keys: str) -> None:
    """The party presses keys, and is heard to its end."""
    bench.engine.send_digits(wire.far, keys)
    bench.step(len(keys) * KEY_FRAMES + 2)


def recorded(bench: Bench, path: Path, record_id: int) -> tuple[str, str]:
    """Keys on the left and on the right of a recording, which ends."""
    bench.engine.record_stop(record_id)
    bench.step_until(EventKind.RECORD_DONE, 700)
    channels, codes = audio.read_recording(path)
    return keys_in(codes[0::channels]), keys_in(codes[1::channels]) if channels == 2 else ""


@pytest.mark.parametrize("stereo", [True, False])
def test_a_recording_has_silence_instead(bench: Bench, wire: Wire, stereo: bool) -> None:
    path = bench.folder / "call.wav"
    bench.engine.detect_digits(wire.near)
    bench.engine.record(wire.near, 1, path, stereo)
    press(bench, wire, "12")
    mask(bench, wire.near, True)
    press(bench, wire, "3456")
    mask(bench, wire.near, False, 100)
    bench.step(10)
    press(bench, wire, "78")
    assert bench.digits(wire.near) == "12345678"
    assert [event.id for event in bench.of(EventKind.DIGIT)] == [0, 0, 1, 1, 1, 1, 0, 0]
    assert recorded(bench, path, 1) == ("1278", "")
    channels, codes = audio.read_recording(path)
    assert len(codes) // channels == (22 + 42 + 10 + 22) * 160  # time is kept


def test_partner_and_listener_hear_nothing(bench: Bench, wire: Wire) -> None:
    partner, listener = bench.wire(), bench.wire()
    bench.engine.detect_digits(wire.near)
    bench.engine.bridge(wire.near, partner.near)
    bench.engine.tap(listener.near, wire.near)
    for number, port in enumerate((partner.near, partner.far, listener.near, listener.far), 1):
        bench.engine.record(port, number, bench.folder / f"{number}.wav")
    mask(bench, wire.near, True)
    press(bench, wire, "1234")
    mask(bench, wire.near, False, 100)
    bench.step(20)
    press(bench, wire, "9")
    heard = [recorded(bench, bench.folder / f"{number}.wav", number) for number in range(1, 5)]
    assert heard == [("", "9"), ("9", ""), ("", "9"), ("9", "")]


def test_a_conference_and_a_native_partner_hear_nothing(bench: Bench, wire: Wire) -> None:
    second, third, native = bench.wire(), bench.wire(), bench.wire()
    bench.engine.confer(second.near, wire.near)
    bench.engine.confer(third.near, wire.near)
    bench.engine.record(third.near, 1, bench.folder / "third.wav")
    mask(bench, wire.near, True)
    press(bench, wire, "1234")
    assert recorded(bench, bench.folder / "third.wav", 1) == ("", "")
    bench.engine.confer(wire.near, -1)
    bench.engine.native_peer(wire.near, native.near)
    bench.engine.record(native.near, 2, bench.folder / "native.wav")
    press(bench, wire, "1234")
    assert recorded(bench, bench.folder / "native.wav", 2) == ("", "")


@pytest.mark.parametrize("frames", range(1, 11))
def test_the_last_key_is_masked_to_its_end(bench: Bench, wire: Wire, frames: int) -> None:
    """The mask is to end at any moment of a key that is down, or just going down."""
    path = bench.folder / "call.wav"
    bench.engine.detect_digits(wire.near)
    bench.engine.record(wire.near, 1, path)
    mask(bench, wire.near, True)
    bench.engine.send_digits(wire.far, "5", 160, 100)
    bench.step(frames)
    mask(bench, wire.near, False, 80)
    told = bench.step_until(EventKind.KEYS_UNMASKED, 40)
    bench.step(20)
    assert (told.port, [event.id for event in bench.of(EventKind.DIGIT)]) == (wire.near, [1])
    assert recorded(bench, path, 1) == ("", "")


def test_keys_at_machine_speed_after_the_secret_count_again(bench: Bench, wire: Wire) -> None:
    """100 ms between two keys are enough to end it; nothing of the first key is heard, all of the next."""
    bench.engine.detect_digits(wire.near)
    bench.engine.record(wire.near, 1, bench.folder / "call.wav")
    mask(bench, wire.near, True)
    bench.engine.send_digits(wire.far, "#1")
    bench.step(3)
    mask(bench, wire.near, False, 80)
    bench.step(30)
    assert [event.id for event in bench.of(EventKind.DIGIT)] == [1, 0]
    assert recorded(bench, bench.folder / "call.wav", 1)[0] == "1"


def test_off_without_a_mask_is_told_at_once(bench: Bench, wire: Wire) -> None:
    mask(bench, wire.near, False, 1000)
    bench.step_until(EventKind.KEYS_UNMASKED, 1)
    mask(bench, wire.near, True)
    mask(bench, wire.near, False)
    bench.step(100)
    assert len(bench.of(EventKind.KEYS_UNMASKED)) == 1


@pytest.mark.parametrize("stereo", [True, False])
@pytest.mark.parametrize("age_frames", [1, 7, 60])
def test_what_was_keyed_before_is_wiped(bench: Bench, wire: Wire, stereo: bool, age_frames: int) -> None:
    """Keys typed ahead: in a block not yet full, in blocks that wait for the writer, in the file."""
    path = bench.folder / "call.wav"
    bench.engine.record(wire.near, 1, path, stereo)
    bench.engine.send_digits(wire.near, "999")  # the box's side stays as it was
    press(bench, wire, "12")
    bench.step(10)
    press(bench, wire, "34")
    bench.step(age_frames)
    mask(bench, wire.near, True, (2 * KEY_FRAMES + 7 + age_frames) * 20)
    press(bench, wire, "56")
    assert recorded(bench, path, 1) == ("12", "999" if stereo else "")
    channels, codes = audio.read_recording(path)
    assert len(codes) // channels == (22 + 10 + 22 + age_frames + 22) * 160


def test_wiped_although_the_call_ends_at_once(bench: Bench, wire: Wire) -> None:
    path = bench.folder / "call.wav"
    bench.engine.record(wire.near, 1, path)
    press(bench, wire, "34")
    mask(bench, wire.near, True, 1000)
    assert recorded(bench, path, 1) == ("", "")


def test_a_wipe_reaches_back_to_the_beginning_and_no_further(bench: Bench, wire: Wire) -> None:
    path = bench.folder / "call.wav"
    bench.engine.record(wire.near, 1, path)
    press(bench, wire, "1")
    mask(bench, wire.near, True, 60000)
    bench.step(5)
    assert recorded(bench, path, 1) == ("", "")
