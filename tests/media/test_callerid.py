"""Caller id by FSK heard and made: levels, twist, noise, clock and tuning errors, broken messages, and against minimodem."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from drivers.errors import MediaError
from drivers.media import EventKind
from drivers.media.build import build_program
from drivers.media.line_signals import Fsk
from drivers.signalling import callerid
from tests.media import audio, fsk
from tests.media.conftest import Bench, Wire

MESSAGE = fsk.mdmf("02166668888", "张医生".encode("gbk"), date=b"11230812")
SINGLE = bytes([0x04, 18]) + b"112308122156430144"
FSKS = {"bell202": Fsk.BELL202, "v23": Fsk.V23}


def heard(bench: Bench, wire: Wire, sound: audio.Pcm) -> list[bytes]:
    """Messages the box takes from this, b"" for each that came broken."""
    bench.engine.detect_caller_id(wire.near)
    found: list[bytes] = []
    around = np.concatenate([audio.silence(200), sound, audio.silence(500)])
    bench.engine.play(wire.far, 1, [bench.clip(audio.to_alaw(around))])
    for _ in range(len(around) // audio.FRAME + 3):
        for event in bench.step(1):
            if event.kind is EventKind.CALLER_ID:
                found.append(bench.engine.take_caller_id(wire.near))
                assert len(found[-1]) == event.value
    return found


def noisy(sound: audio.Pcm, dbm0: float, seed: int = 1) -> audio.Pcm:
    return np.clip(sound.astype(np.int32) + audio.noise(dbm0, len(sound) / 8, seed), -32767, 32767).astype(np.int16)


@pytest.mark.parametrize("modem", FSKS)
@pytest.mark.parametrize("message", [MESSAGE, SINGLE, fsk.mdmf(absent=b"P"), fsk.mdmf("9" * 20, b"N" * 50)])
def test_messages_of_both_modems(bench: Bench, wire: Wire, modem: str, message: bytes) -> None:
    assert heard(bench, wire, fsk.sound(fsk.framed(message), modem)) == [message]


@pytest.mark.parametrize("modem", FSKS)
@pytest.mark.parametrize("dbm0", [-36, -30, -20, -12, -6])
def test_levels(bench: Bench, wire: Wire, modem: str, dbm0: float) -> None:
    """GR-30-CORE: -36 to -12 dBm at the set."""
    assert heard(bench, wire, fsk.sound(fsk.framed(MESSAGE), modem, dbm0)) == [MESSAGE]


@pytest.mark.parametrize("modem", FSKS)
@pytest.mark.parametrize("twist_db", [-10, -6, 6, 10])
def test_twist(bench: Bench, wire: Wire, modem: str, twist_db: float) -> None:
    """GR-30-CORE: up to 10 dB either way."""
    assert heard(bench, wire, fsk.sound(fsk.framed(MESSAGE), modem, -20 + max(0.0, -twist_db / 2), twist_db)) == [MESSAGE]


@pytest.mark.parametrize("modem", FSKS)
@pytest.mark.parametrize("snr_db", [25, 20, 15])
def test_noise(bench: Bench, wire: Wire, modem: str, snr_db: float) -> None:
    """GR-30-CORE asks for 25 dB in the band of a line."""
    for seed in range(5):
        assert heard(bench, wire, noisy(fsk.sound(fsk.framed(MESSAGE), modem, -20), -20 - snr_db, seed)) == [MESSAGE]


def test_messages_in_noise_that_never_ends(bench: Bench, wire: Wire) -> None:
    """20 dB below the messages and far above the bar for a carrier; the third message is spoilt."""
    spoilt = bytearray(fsk.framed(MESSAGE))
    spoilt[9] ^= 4
    messages = [fsk.framed(MESSAGE), fsk.framed(SINGLE), bytes(spoilt), fsk.framed(SINGLE)]
    sounds = [part for at, message in enumerate(messages) for part in (audio.silence(1500), fsk.sound(message, [*FSKS][at % 2], -15))]
    assert heard(bench, wire, noisy(np.concatenate([*sounds, audio.silence(1500)]), -35)) == [MESSAGE, SINGLE, b"", SINGLE]


def test_noise_may_hide_a_number_but_never_changes_it(bench: Bench, wire: Wire) -> None:
    for seed in range(40):
        sound = noisy(np.concatenate([fsk.sound(fsk.framed(MESSAGE), dbm0=-20), audio.silence(300)]), -20 - 3 - seed % 10, seed)
        for message in heard(bench, wire, sound):
            caller = callerid.from_message(message)
            assert caller is None or caller.number in ("", "02166668888")


@pytest.mark.parametrize("modem", FSKS)
@pytest.mark.parametrize(("baud", "detuned"), [(1188, 1.0), (1212, 1.0), (1200, 0.99), (1200, 1.01)])
def test_one_percent_of_clock_and_tuning(bench: Bench, wire: Wire, modem: str, baud: float, detuned: float) -> None:
    assert heard(bench, wire, fsk.sound(fsk.framed(MESSAGE), modem, -20, baud=baud, detuned=detuned)) == [MESSAGE]


@pytest.mark.parametrize(("seizure_bits", "mark_bits"), [(150, 80), (300, 80), (96, 55), (0, 80)])
def test_short_preambles(bench: Bench, wire: Wire, seizure_bits: int, mark_bits: int) -> None:
    """EN 300 659-1: 80 bits of mark, and no seizure where the set is warned otherwise; some exchanges send little of either."""
    sound = fsk.sound(fsk.framed(MESSAGE), seizure_bits=seizure_bits, mark_bits=mark_bits)
    assert heard(bench, wire, sound) == [MESSAGE]


@pytest.mark.parametrize("modem", FSKS)
def test_broken_messages_are_told_as_such(bench: Bench, wire: Wire, modem: str) -> None:
    wrong = bytearray(fsk.framed(MESSAGE))
    wrong[7] ^= 0x10
    assert heard(bench, wire, fsk.sound(bytes(wrong), modem)) == [b""]
    assert heard(bench, wire, fsk.sound(fsk.framed(MESSAGE)[:9], modem)) == [b""]
    assert heard(bench, wire, fsk.sound(b"", modem, mark_bits=0)) == []
    assert heard(bench, wire, fsk.sound(fsk.framed(MESSAGE), modem)) == [MESSAGE]


def test_a_ring_before_and_a_second_message_after(bench: Bench, wire: Wire) -> None:
    ring = noisy(audio.sine(25, -3, 1000), -30)
    first, second = fsk.sound(fsk.framed(MESSAGE)), fsk.sound(fsk.framed(SINGLE), "v23")
    assert heard(bench, wire, np.concatenate([ring, audio.silence(500), first, audio.silence(1000), second])) == [MESSAGE, SINGLE]


def test_speech_music_and_noise_are_no_messages(bench: Bench, wire: Wire) -> None:
    assert heard(bench, wire, np.concatenate([audio.speech(60, 3), audio.music(60, 3), audio.noise(-20, 20000)])) == []


def test_turned_off(bench: Bench, wire: Wire) -> None:
    bench.engine.detect_caller_id(wire.near)
    bench.engine.detect_caller_id(wire.near, False)
    bench.engine.play(wire.far, 1, [bench.clip(audio.to_alaw(fsk.sound(fsk.framed(MESSAGE))))])
    bench.step(150)
    assert not bench.of(EventKind.CALLER_ID)
    assert bench.engine.take_caller_id(wire.near) == b""


# --- made ---


def sent(bench: Bench, wire: Wire, message: bytes, modem: Fsk, seizure_bits: int = 300) -> audio.Pcm:
    codes = bench.hear(wire.near, 100, lambda: bench.engine.send_caller_id(wire.far, message, modem, seizure_bits))
    assert bench.of(EventKind.DIGITS_SENT, wire.far)
    return audio.from_alaw(codes)


@pytest.mark.parametrize("modem", FSKS)
def test_ours_is_heard_by_ours(bench: Bench, wire: Wire, modem: str) -> None:
    bench.engine.detect_caller_id(wire.near)
    bench.engine.send_caller_id(wire.far, MESSAGE, FSKS[modem])
    bench.step_until(EventKind.CALLER_ID)
    assert bench.engine.take_caller_id(wire.near) == MESSAGE


def test_level_of_what_we_send(bench: Bench, wire: Wire) -> None:
    sound = sent(bench, wire, MESSAGE, Fsk.BELL202)
    assert abs(audio.level_dbm0(sound[800:4000]) - -13.5) < 0.3


@pytest.mark.parametrize("message", [b"", b"\x80", b"\x80\x02\x01", b"\x80\x01\x01\x01", bytes(300)])
def test_messages_that_are_none(bench: Bench, wire: Wire, message: bytes) -> None:
    with pytest.raises(MediaError, match="MED-014"):
        bench.engine.send_caller_id(wire.far, message)


# --- against minimodem ---


@pytest.mark.parametrize("modem", FSKS)
@pytest.mark.parametrize("dbm0", [-36, -24, -12])
def test_what_minimodem_sends(bench: Bench, wire: Wire, tmp_path: Path, modem: str, dbm0: float) -> None:
    sound = fsk.minimodem_sound(tmp_path, fsk.framed(MESSAGE), modem, dbm0)
    assert heard(bench, wire, sound) == [MESSAGE]


@pytest.mark.parametrize("modem", FSKS)
@pytest.mark.parametrize("message", [MESSAGE, SINGLE])
def test_what_minimodem_hears_of_ours(bench: Bench, wire: Wire, tmp_path: Path, modem: str, message: bytes) -> None:
    assert fsk.framed(message) in fsk.minimodem_bytes(tmp_path, sent(bench, wire, message, FSKS[modem]), modem)


# --- anything at all ---


def test_made_up_messages_under_sanitizers() -> None:
    """Ten minutes of it: build/media/address-undefined/fuzz_callerid 600."""
    program = build_program(Path(__file__).with_name("fuzz_callerid.c"), "address,undefined")
    ran = subprocess.run([str(program), "3"], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr
