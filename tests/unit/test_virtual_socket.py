"""The handset socket: telephones for other programs, their keys, speech and audio."""

import stat
from pathlib import Path

import pytest

from appliance.control.handset import dial_message
from drivers.io import Hook, LineEvent
from drivers.private_socket import LOOK_S
from drivers.protocol import HandsetAudio, HandsetFlash, HandsetHangUp, HandsetKeysSent, HandsetPickUp, HandsetSpoken
from drivers.virtual.handset import Phase
from tests.contract.rig import Rig
from tests.unit.handset_rig import BOX, SET, Clients, served, states_until, talking, until_state


def test_socket_is_private(tmp_path: Path) -> None:
    async def main(rig: Rig, clients: Clients) -> None:
        assert stat.S_IMODE(clients.path.stat().st_mode) == 0o600

    served(tmp_path, main)
    assert not (tmp_path / "handset.sock").exists()


def test_deleted_socket_is_made_again(tmp_path: Path) -> None:
    async def main(rig: Rig, clients: Clients) -> None:
        first = await talking(rig, clients)
        clients.path.unlink()
        await rig.pass_ms(2000 * LOOK_S)
        await until_state(await clients.connect(dial_message(BOX)), "busy")
        await first.press("5")
        assert isinstance(await first.next(5), HandsetKeysSent)

    served(tmp_path, main)


def test_call_with_keys(tmp_path: Path) -> None:
    async def main(rig: Rig, clients: Clients) -> None:
        rig.answers(1)
        handset = await clients.connect(dial_message(BOX, caller="13800138000"))
        assert await states_until(handset, "talking") == ["dialling", "ringing", "talking"]
        await handset.press("1590#", 60, 60)
        assert isinstance(await handset.next(5), HandsetKeysSent)
        await rig.pass_ms(200)
        assert rig.digits[1] == "1590#"
        await handset.close()
        assert await rig.until(lambda: LineEvent.ONHOOK in rig.events[1], 1000)

    served(tmp_path, main)


def test_box_hangs_up_and_the_tone_ends_by_itself(tmp_path: Path) -> None:
    async def main(rig: Rig, clients: Clients) -> None:
        handset = await talking(rig, clients)
        rig.channel(1).set_hook(Hook.ON)
        ended = await until_state(handset, "ended")
        assert ended.detail == "the other side hung up"
        at_ms = rig.now_ms()
        while await handset.next(60) is not None:
            pass
        assert rig.now_ms() - at_ms == pytest.approx(10_000, abs=50)

    served(tmp_path, main)


@pytest.mark.parametrize(("number", "state"), [("999", "ended"), ("7", "no_answer")], ids=["no such number", "no answer"])
def test_call_that_fails(tmp_path: Path, number: str, state: str) -> None:
    async def main(rig: Rig, clients: Clients) -> None:
        handset = await clients.connect(dial_message(number))
        assert (await states_until(handset, state))[0] == "dialling"
        await handset.close()

    served(tmp_path, main)


def test_busy(tmp_path: Path) -> None:
    async def main(rig: Rig, clients: Clients) -> None:
        await talking(rig, clients)
        second = await clients.connect(dial_message(BOX))
        assert await states_until(second, "busy") == ["dialling", "busy"]

    served(tmp_path, main)


@pytest.mark.parametrize("stream", [False, True], ids=["", "streaming"])
def test_speech_arrives_sample_for_sample(tmp_path: Path, stream: bool) -> None:
    said = bytes(0xD5 ^ (at * 7 % 0x70) for at in range(12_345))

    async def main(rig: Rig, clients: Clients) -> None:
        handset = await talking(rig, clients, stream)
        rig.engine.stream(rig.ports[1], True)
        heard = bytearray()
        await handset.speak(said)
        for _ in range(20):
            await rig.pass_ms(100)
            heard += rig.engine.stream_read(rig.ports[1], 3200)
        while not isinstance(await handset.next(5), HandsetSpoken):
            continue
        assert said in bytes(heard)

    served(tmp_path, main)


def test_speech_waits_its_turn(tmp_path: Path) -> None:
    async def main(rig: Rig, clients: Clients) -> None:
        handset = await talking(rig, clients)
        at_ms = rig.now_ms()
        for _ in range(3):
            await handset.speak(b"\xd5" * 8000)
        for _ in range(3):
            assert isinstance(await handset.next(10), HandsetSpoken)
        assert rig.now_ms() - at_ms == pytest.approx(3000, abs=200)

    served(tmp_path, main)


def test_long_speech_goes_in_pieces(tmp_path: Path) -> None:
    async def main(rig: Rig, clients: Clients) -> None:
        handset = await talking(rig, clients)
        await handset.speak(b"\xd5" * (61 * 8000))
        assert isinstance(await handset.next(70), HandsetSpoken)
        assert isinstance(await handset.next(10), HandsetSpoken)

    served(tmp_path, main)


def test_what_is_heard_is_streamed(tmp_path: Path) -> None:
    async def main(rig: Rig, clients: Clients) -> None:
        handset = await talking(rig, clients, stream=True)
        rig.say(1, "123")
        heard = 0
        loud = 0
        while heard < 8000:
            message = await handset.next(5)
            if isinstance(message, HandsetAudio):
                heard += len(message.samples)
                loud += sum(sample not in (0x55, 0xD5) for sample in message.samples)
        assert loud > 1000

    served(tmp_path, main)


def test_microphone_is_heard_at_the_box(tmp_path: Path) -> None:
    async def main(rig: Rig, clients: Clients) -> None:
        handset = await talking(rig, clients, stream=True)
        rig.engine.stream(rig.ports[1], True)
        for _ in range(50):
            await handset.send(HandsetAudio(samples=b"\x2a\xaa" * 80))
            await rig.pass_ms(20)
        heard = rig.engine.stream_read(rig.ports[1], 3200)
        assert heard.count(0x2A) > 500

    served(tmp_path, main)


# --- a set ---


def test_set_is_taken_over(tmp_path: Path) -> None:
    async def main(rig: Rig, clients: Clients) -> None:
        handset = await clients.connect(dial_message(channel=SET))
        await until_state(handset, "idle")
        rig.open(SET).set_hook(Hook.RING)
        await until_state(handset, "ringing")
        await handset.send(HandsetPickUp())
        await until_state(handset, "talking")
        rig.channel(SET).set_hook(Hook.OFF)
        await rig.pass_ms(1000)
        await handset.press("25", 60, 60)
        assert isinstance(await handset.next(5), HandsetKeysSent)
        await rig.pass_ms(200)
        assert rig.digits[SET] == "25"
        await handset.send(HandsetFlash())
        assert await rig.until(lambda: LineEvent.WINKFLASH in rig.events[SET])
        await handset.send(HandsetHangUp())
        await until_state(handset, "idle")
        assert await rig.until(lambda: LineEvent.ONHOOK in rig.events[SET])
        rig.channel(SET).set_hook(Hook.ON)
        await rig.pass_ms(1000)
        rig.channel(SET).set_hook(Hook.RING)
        await until_state(handset, "ringing")

    served(tmp_path, main)


def test_set_hangs_up_when_its_client_goes(tmp_path: Path) -> None:
    async def main(rig: Rig, clients: Clients) -> None:
        rig.open(SET)
        handset = await clients.connect(dial_message(channel=SET))
        await handset.send(HandsetPickUp())
        await until_state(handset, "talking")
        await handset.close()
        assert await rig.until(lambda: rig.world.sets[SET].phase is Phase.IDLE, 500)

    served(tmp_path, main)


def test_set_that_somebody_sits_at_does_not_answer_by_itself(tmp_path: Path) -> None:
    async def main(rig: Rig, clients: Clients) -> None:
        handset = await clients.connect(dial_message(channel=SET))
        await until_state(handset, "idle")
        rig.open(SET).set_hook(Hook.RING)
        await until_state(handset, "ringing")
        await rig.pass_ms(20_000)
        assert rig.world.sets[SET].phase is Phase.RINGING
        await handset.close()
        rig.channel(SET).set_hook(Hook.ON)
        assert await rig.until(lambda: rig.world.sets[SET].phase is Phase.IDLE, 5000)
        rig.channel(SET).set_hook(Hook.RING)
        assert await rig.until(lambda: rig.world.sets[SET].phase is Phase.TALKING, 7000)

    served(tmp_path, main)
