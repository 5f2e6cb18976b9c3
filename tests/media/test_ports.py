"""Ports of channels as signalling uses them: register signals, caller id, own tones, measuring; and that a port at rest has it all off."""

from pathlib import Path

import numpy as np
import pytest

from drivers.clock import VirtualClock
from drivers.config import LinesConfig
from drivers.errors import LineError, MediaError
from drivers.media import End, EventKind, MediaEvent
from drivers.ports import Media, Port, Sent
from drivers.protocol import Caller, NumberSource, Presentation
from tests.media import audio, fsk
from tests.media.conftest import Bench


class Pair:
    """Two ports joined by a line."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        self.bench = bench
        self.media = Media(bench.engine, LinesConfig(), folder / "clips", VirtualClock())
        self.near, self.far = (self.media.new_port(number, "alaw") for number in (1, 2))
        line = bench.engine.line_new()
        bench.engine.attach_line(self.near.number, line, End.NEAR)
        bench.engine.attach_line(self.far.number, line, End.FAR)

    def seen(self, kind: EventKind, port: Port, frames: int = 150) -> list[MediaEvent]:
        self.bench.step(frames)
        return self.bench.of(kind, port.number)


@pytest.fixture
def pair(bench: Bench, tmp_path: Path) -> Pair:
    return Pair(bench, tmp_path)


CALLER = Caller("13800138000", Presentation.ALLOWED, NumberSource.FSK, "张医生")


def test_register_signals(pair: Pair) -> None:
    pair.near.listen_mf(True)
    pair.far.send_mf("15", True)
    assert [event.value for event in pair.seen(EventKind.MF, pair.near, 10)] == [15]
    pair.far.send_mf("", True)
    assert [event.value for event in pair.seen(EventKind.MF, pair.near, 10)] == [15, 0]


@pytest.mark.parametrize("signal", ["0", "16", "a", "-1"])
def test_register_signals_that_are_none(pair: Pair, signal: str) -> None:
    with pytest.raises(LineError, match="LIN-040"):
        pair.near.send_mf(signal, True)


@pytest.mark.parametrize("standard", ["fsk", "v23"])
def test_caller_id_by_fsk(pair: Pair, standard: str) -> None:
    pair.near.listen_caller_id(("fsk",))
    pair.far.send_caller_id(CALLER, standard)
    assert pair.seen(EventKind.CALLER_ID, pair.near)
    assert pair.near.caller_message() == CALLER
    assert pair.bench.of(EventKind.DIGITS_SENT, pair.far.number)
    assert pair.far.sent() is Sent.CALLER_ID


def test_a_set_is_told_the_time(pair: Pair) -> None:
    pair.bench.engine.detect_caller_id(pair.near.number)
    pair.far.send_caller_id(CALLER, "fsk")
    pair.bench.step(150)
    assert pair.bench.engine.take_caller_id(pair.near.number)[2:4] == b"\x01\x08"


def test_caller_id_that_cannot_be_read(pair: Pair) -> None:
    wrong = bytearray(fsk.framed(fsk.mdmf("8005")))
    wrong[4] ^= 1
    pair.near.listen_caller_id(("fsk",))
    sound = np.concatenate([fsk.sound(bytes(wrong)), audio.silence(500)])
    pair.bench.engine.play(pair.far.number, 1, [pair.bench.clip(audio.to_alaw(sound))])
    assert pair.seen(EventKind.CALLER_ID, pair.near)
    assert pair.near.caller_message() == Caller(source=NumberSource.FSK)


def test_a_message_about_something_else(pair: Pair) -> None:
    pair.near.listen_caller_id(("fsk",))
    pair.bench.engine.send_caller_id(pair.far.number, b"\x82\x03\x0b\x01\xff")
    assert pair.seen(EventKind.CALLER_ID, pair.near)
    assert pair.near.caller_message() is None


def test_caller_id_by_keys(pair: Pair) -> None:
    pair.near.listen_caller_id(("dtmf", "fsk"))
    pair.far.send_caller_id(CALLER, "dtmf")
    keys = [event.digit for event in pair.seen(EventKind.DIGIT, pair.near)]
    assert pair.near.listens_for_caller_keys
    found = [pair.near.caller_key(key) for key in keys]
    assert found[:-1] == [None] * 12
    assert found[-1] == Caller("13800138000", Presentation.ALLOWED, NumberSource.DTMF)
    assert pair.near.caller_keys_ended() is None
    assert pair.far.sent() is Sent.CALLER_ID


def test_a_number_without_end_code(pair: Pair) -> None:
    pair.near.listen_caller_id(("dtmf",))
    assert [pair.near.caller_key(key) for key in "8005"] == [None] * 4
    assert pair.near.caller_keys_ended() == Caller("8005", Presentation.ALLOWED, NumberSource.DTMF)


def test_caller_id_there_is_not(pair: Pair) -> None:
    with pytest.raises(LineError, match="LIN-043"):
        pair.near.send_caller_id(CALLER, "smoke")


def test_keys_of_a_call_stay_on_when_caller_id_ends(pair: Pair) -> None:
    pair.near.detect_digits(True)
    pair.near.listen_caller_id(("dtmf",))
    pair.near.listen_caller_id(())
    pair.far.send_digits("5")
    assert [event.digit for event in pair.seen(EventKind.DIGIT, pair.near, 30)] == ["5"]


def test_test_tones(pair: Pair) -> None:
    pair.near.meter(True)
    pair.far.test_tone()
    pair.bench.step(30)
    assert abs(pair.near.levels().rx_dbm0) < 0.1
    pair.far.test_tone(1020, -20)
    pair.bench.step(30)
    assert abs(pair.near.levels().rx_dbm0 - -20) < 0.2
    pair.far.test_sweep()
    pair.bench.step(30)
    assert abs(pair.near.levels().rx_dbm0 - -10) < 0.2
    with pytest.raises(LineError, match="LIN-046"):
        pair.far.test_tone(50)


def test_a_port_at_rest_has_it_all_off(pair: Pair) -> None:
    near = pair.near
    near.listen_mf(True)
    near.listen_caller_id(("fsk", "dtmf"))
    near.meter(True)
    near.echo(True)
    near.bit_error_test(True)
    near.capture(1000)
    pair.bench.step(5)
    near.rest()
    for ask in (near.levels, near.bit_errors, near.segments):
        with pytest.raises(MediaError, match="MED-015"):
            ask()
    assert not near.listens_for_caller_keys
    pair.bench.step(2)
    pair.far.send_mf("7", True)
    pair.bench.step(5)
    pair.far.tone("")
    pair.far.send_digits("5")
    pair.bench.step(50)
    heard = pair.bench.hear(pair.far.number, 20)
    assert set(heard) == {audio.ALAW_SILENCE}
    for kind in (EventKind.MF, EventKind.DIGIT, EventKind.CALLER_ID):
        assert not pair.bench.of(kind, near.number)
