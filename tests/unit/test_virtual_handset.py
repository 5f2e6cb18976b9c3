"""What a telephone says and hears: keys, files, recordings, memory; sample for sample where nothing is in between."""

import os
from pathlib import Path

import pytest

from drivers.errors import LineError, MediaError
from drivers.media import Law
from drivers.virtual.config import NumberConfig, SetConfig, SpanConfig, SpanKind, TelephoneConfig, VirtualConfig
from drivers.virtual.handset import Phase
from drivers.virtual.telephone import OutsideTelephone
from drivers.virtual.wav import in_memory, wav_file
from tests.contract.rig import Rig, run_rig

BOX = "88886666"
CONFIG = VirtualConfig(
    spans=(SpanConfig(kind=SpanKind.FXO, channels=1), SpanConfig(kind=SpanKind.FXS, channels=1)),
    numbers=(NumberConfig(number=BOX, spans=(1,)),),
)
SAID = bytes(0xD5 ^ (at * 7 % 0x70) for at in range(4000))


async def talking(rig: Rig) -> OutsideTelephone:
    rig.answers(1)
    caller = rig.caller()
    caller.dial(BOX)
    await caller.reached(Phase.TALKING)
    await rig.pass_ms(700)
    return caller


def spoken_file(folder: Path, samples: bytes = SAID) -> Path:
    path = folder / "said.wav"
    path.write_bytes(wav_file(samples, Law.ALAW))
    return path


def audio_of(path: Path) -> bytes:
    """The samples of a WAV file."""
    content = path.read_bytes()
    return content[content.index(b"data") + 8 :]


def test_file_is_heard_at_the_box_sample_for_sample(tmp_path: Path) -> None:
    async def main(rig: Rig) -> bytes:
        caller = await talking(rig)
        rig.engine.stream(rig.ports[1], True)
        caller.speak(spoken_file(tmp_path))
        await caller.spoken(limit_s=2)
        await rig.pass_ms(100)
        return rig.engine.stream_read(rig.ports[1], 16_000)

    heard = run_rig(CONFIG, main)
    assert SAID[-2000:] in heard


def test_listening_keeps_both_sides_apart(tmp_path: Path) -> None:
    async def main(rig: Rig) -> None:
        caller = await talking(rig)
        caller.listen(tmp_path / "heard.wav")
        rig.say(1, "5")
        await rig.pass_ms(500)
        caller.speak(spoken_file(tmp_path))
        await rig.pass_ms(1000)
        caller.hang_up()
        await rig.pass_ms(1000)

    run_rig(CONFIG, main)
    both = audio_of(tmp_path / "heard.wav")
    left, right = both[::2], both[1::2]
    assert SAID in right, "right is what it says"
    loud = [at for at, code in enumerate(left) if code not in (0x55, 0xD5)]
    assert 300 < len(loud) < 800, "left is what it hears: one key"
    assert max(loud) < right.index(SAID[100:])


def test_more_keys_than_one_command_takes() -> None:
    keys = "0123456789*#ABCD" * 9

    async def main(rig: Rig) -> str:
        caller = await talking(rig)
        caller.press(keys[:100], 50, 50)
        caller.press(keys[100:], 50, 50)
        await caller.keys_sent(limit_s=20)
        await rig.pass_ms(200)
        return rig.digits[1]

    assert run_rig(CONFIG, main) == keys


def test_pause_between_keys() -> None:
    async def main(rig: Rig) -> float:
        caller = await talking(rig)
        started_ms = rig.now_ms()
        caller.press("1ww2", 100, 100)
        await caller.keys_sent(limit_s=5)
        return rig.now_ms() - started_ms

    assert run_rig(CONFIG, main) == pytest.approx(1400, abs=60)


@pytest.mark.parametrize(
    ("keys", "on_ms", "off_ms"), [("12x", 100, 100), ("１", 100, 100), ("1", 0, 100), ("1", 100, 9), ("1", 10_001, 100), ("1", -5, 100)]
)
def test_keys_nobody_can_press(keys: str, on_ms: int, off_ms: int) -> None:
    async def main(rig: Rig) -> None:
        with pytest.raises(LineError, match="LIN-082"):
            rig.caller().press(keys, on_ms, off_ms)

    run_rig(CONFIG, main)


def test_a_file_that_cannot_be_spoken(tmp_path: Path) -> None:
    async def main(rig: Rig) -> None:
        caller = await talking(rig)
        with pytest.raises(MediaError, match=r"MED-020.*nothing\.wav"):
            caller.speak(tmp_path / "nothing.wav")
        assert caller.phase is Phase.TALKING

    run_rig(CONFIG, main)


def test_speaking_can_be_stopped(tmp_path: Path) -> None:
    async def main(rig: Rig) -> None:
        caller = await talking(rig)
        caller.speak(spoken_file(tmp_path), loops=0)
        await rig.pass_ms(5000)
        with pytest.raises(TimeoutError):
            await caller.spoken(limit_s=0.1)
        caller.stop_speaking()
        await caller.spoken(limit_s=0.1)

    run_rig(CONFIG, main)


def test_speaking_again_replaces_what_is_spoken(tmp_path: Path) -> None:
    async def main(rig: Rig) -> None:
        caller = await talking(rig)
        caller.speak(spoken_file(tmp_path), loops=0)
        await rig.pass_ms(200)
        caller.speak_samples(b"\xd5" * 800)
        await rig.pass_ms(60)
        started_ms = rig.now_ms()
        await caller.spoken(limit_s=1)
        assert rig.now_ms() - started_ms < 100

    run_rig(CONFIG, main)


def test_automatic_telephone_says_its_piece(tmp_path: Path) -> None:
    config = VirtualConfig(
        spans=CONFIG.spans,
        sets=(SetConfig(channel=2, after_ms=500, say=str(spoken_file(tmp_path))),),
        telephones=(TelephoneConfig(number="7", after_ms=500, say=str(spoken_file(tmp_path))),),
    )

    async def main(rig: Rig) -> None:
        caller = rig.caller()
        caller.dial("7")
        await caller.reached(Phase.TALKING, limit_s=2)
        caller.stream(True)
        heard = b""
        for _ in range(10):
            await rig.pass_ms(100)
            heard += caller.stream_read(16_000)
        assert SAID[1000:] in heard

    run_rig(config, main)


@pytest.mark.parametrize("samples", [0, 1, 2, 161])
def test_wav_in_memory_plays(samples: int) -> None:
    async def main(rig: Rig) -> int:
        with in_memory(wav_file(b"\xd5" * samples, Law.ALAW)) as path:
            return rig.engine.clips.open(path).samples

    assert run_rig(CONFIG, main) == samples


def test_memory_is_given_back() -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with in_memory(b"x") as path:
            assert Path(path).read_bytes() == b"x"
    assert len(os.listdir("/proc/self/fd")) == before
