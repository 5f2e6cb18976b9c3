"""The handset socket: telephones for other programs, and what garbage, strangers and dead clients come to."""

import asyncio
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from appliance.control.handset import AsyncHandset, dial_message
from drivers.errors import LineError
from drivers.io import Hook, LineEvent
from drivers.private_socket import LOOK_S
from drivers.protocol import (
    VERSION,
    HandsetAudio,
    HandsetDial,
    HandsetHangUp,
    HandsetKeys,
    HandsetKeysSent,
    HandsetPickUp,
    HandsetSpeak,
    HandsetSpoken,
    HandsetState,
    Hello,
    encode,
)
from drivers.virtual.config import Answering, NumberConfig, SpanConfig, SpanKind, TelephoneConfig, VirtualConfig
from drivers.virtual.handset import Phase
from drivers.virtual.socket import HandsetServer
from tests.contract.rig import Rig, run_rig

BOX = "88886666"
CONFIG = VirtualConfig(
    spans=(SpanConfig(kind=SpanKind.FXO, channels=1), SpanConfig(kind=SpanKind.FXS, channels=1)),
    numbers=(NumberConfig(number=BOX, spans=(1,)),),
    telephones=(TelephoneConfig(number="7", answering=Answering.NEVER),),
    visitors=3,
    ring_limit_ms=20_000,
)
SET = 2
Main = Callable[[Rig, "Clients"], Awaitable[None]]


class Clients:
    """Everybody who connected; all are closed at the end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._all: list[AsyncHandset] = []

    async def connect(self, dial: HandsetDial) -> AsyncHandset:
        handset = await AsyncHandset.connect(self.path, dial)
        self._all.append(handset)
        return handset

    async def stranger(self, sent: bytes) -> AsyncHandset:
        """Sends what it likes."""
        reader, writer = await asyncio.open_unix_connection(str(self.path))
        writer.write(sent)
        self._all.append(AsyncHandset(self.path, reader, writer))
        return self._all[-1]

    async def close(self) -> None:
        for handset in self._all:
            await handset.close()


def served(tmp_path: Path, main: Main, config: VirtualConfig = CONFIG) -> None:
    """Run `main(rig, clients)` with a handset server, in virtual time."""

    async def within(rig: Rig) -> None:
        clients = Clients(tmp_path / "handset.sock")
        server = HandsetServer(rig.world, clients.path)
        await server.start()
        try:
            await main(rig, clients)
        finally:
            await clients.close()
            await server.close()

    run_rig(config, within)


async def until_state(handset: AsyncHandset, *states: str) -> HandsetState:
    return await handset.wait_for(*states, limit_s=60)


async def states_until(handset: AsyncHandset, last: str) -> list[str]:
    seen = []
    while not seen or seen[-1] != last:
        message = await handset.next(60)
        if isinstance(message, HandsetState):
            seen.append(message.state)
    return seen


async def talking(rig: Rig, clients: Clients, stream: bool = False) -> AsyncHandset:
    rig.answers(1)
    handset = await clients.connect(dial_message(BOX, stream=stream))
    await until_state(handset, "talking")
    await rig.pass_ms(700)
    return handset


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


async def refused(handset: AsyncHandset) -> str:
    """The code with which the server refuses."""
    try:
        while await handset.next(60) is not None:
            continue
    except LineError as error:
        return error.code if error.remedy else "no remedy"
    return "not refused"


@pytest.mark.parametrize(("channel", "code"), [(1, "LIN-078"), (99, "LIN-078")], ids=["a trunk", "nothing"])
def test_channel_without_a_set(tmp_path: Path, channel: int, code: str) -> None:
    async def main(rig: Rig, clients: Clients) -> None:
        assert await refused(await clients.connect(dial_message(channel=channel))) == code

    served(tmp_path, main)


def test_set_taken_twice(tmp_path: Path) -> None:
    async def main(rig: Rig, clients: Clients) -> None:
        first = await clients.connect(dial_message(channel=SET))
        await until_state(first, "idle")
        assert await refused(await clients.connect(dial_message(channel=SET))) == "LIN-079"
        await first.close()
        await rig.pass_ms(100)
        third = await clients.connect(dial_message(channel=SET))
        await until_state(third, "idle")

    served(tmp_path, main)


def test_more_telephones_than_there_are(tmp_path: Path) -> None:
    async def main(rig: Rig, clients: Clients) -> None:
        handsets = [await clients.connect(dial_message("999")) for _ in range(3)]
        await rig.pass_ms(500)
        assert await refused(await clients.connect(dial_message("999"))) == "LIN-073"
        await handsets[0].close()
        await rig.pass_ms(100)
        again = await clients.connect(dial_message("999"))
        await until_state(again, "ended")

    served(tmp_path, main)


# --- garbage ---


def framed(table: dict[str, object]) -> bytes:
    body = msgspec.msgpack.encode(table)
    return len(body).to_bytes(4, "big") + body


GARBAGE: list[tuple[str, bytes, str]] = [
    ("huge length", b"\xff\xff\xff\xff", "LIN-020"),
    ("not msgpack", b"\0\0\0\5hello", "LIN-021"),
    ("another protocol's message", encode(Hello(version=VERSION, client="x")), "LIN-021"),
    ("not a dial first", encode(HandsetKeys(keys="1")), "LIN-021"),
    ("audio first", encode(HandsetAudio(samples=b"x")), "LIN-021"),
    ("another version", encode(HandsetDial(version=VERSION + 1, number="1")), "LIN-024"),
    ("http", b"GET / HTTP/1.1\r\n\r\n", "LIN-020"),
    ("a field of the wrong type", framed({"type": "HandsetDial", "version": VERSION, "number": 7}), "LIN-021"),
]


@pytest.mark.parametrize(("name", "sent", "code"), GARBAGE, ids=[row[0] for row in GARBAGE])
def test_garbage_is_refused_and_closed(tmp_path: Path, name: str, sent: bytes, code: str) -> None:
    async def main(rig: Rig, clients: Clients) -> None:
        assert await refused(await clients.stranger(sent)) == code
        fine = await clients.connect(dial_message("999"))
        await until_state(fine, "ended")

    served(tmp_path, main)


def test_garbage_in_a_call_ends_it(tmp_path: Path) -> None:
    async def main(rig: Rig, clients: Clients) -> None:
        handset = await talking(rig, clients)
        await handset.send(Hello(version=VERSION, client="x"))
        assert await refused(handset) == "LIN-021"
        assert await rig.until(lambda: LineEvent.ONHOOK in rig.events[1], 1000)

    served(tmp_path, main)


def test_second_dial_is_refused(tmp_path: Path) -> None:
    async def main(rig: Rig, clients: Clients) -> None:
        handset = await talking(rig, clients)
        await handset.send(dial_message(BOX))
        assert await refused(handset) == "LIN-021"

    served(tmp_path, main)


def test_silent_client_is_sent_away(tmp_path: Path) -> None:
    async def main(rig: Rig, clients: Clients) -> None:
        assert await refused(await clients.stranger(b"")) == "LIN-077"
        assert rig.now_ms() == pytest.approx(10_000, abs=50)

    served(tmp_path, main)


def test_keys_no_telephone_has_are_refused(tmp_path: Path) -> None:
    async def main(rig: Rig, clients: Clients) -> None:
        handset = await talking(rig, clients)
        await handset.press("12x")
        assert await refused(handset) == "LIN-082"
        assert await rig.until(lambda: LineEvent.ONHOOK in rig.events[1], 1000)

    served(tmp_path, main)


def test_waiting_for_a_state_has_a_limit(tmp_path: Path) -> None:
    async def main(rig: Rig, clients: Clients) -> None:
        handset = await clients.connect(dial_message(BOX))
        with pytest.raises(LineError, match="LIN-081"):
            await handset.wait_for("talking", limit_s=3)

    served(tmp_path, main)


def test_too_much_waiting_is_refused(tmp_path: Path) -> None:
    async def main(rig: Rig, clients: Clients) -> None:
        handset = await talking(rig, clients)
        for _ in range(70):
            await handset.send(HandsetSpeak(samples=b"\xd5" * 8000))
        assert await refused(handset) == "LIN-077"

    served(tmp_path, main)


def test_client_that_never_reads_costs_no_memory(tmp_path: Path) -> None:
    async def main(rig: Rig, clients: Clients) -> None:
        rig.answers(1)
        await clients.stranger(encode(dial_message(BOX, stream=True)))
        await rig.pass_ms(600_000)
        assert rig.world.trunks[1].state.name == "TALKING"

    served(tmp_path, main)


def test_server_that_stops_hangs_up(tmp_path: Path) -> None:
    async def within(rig: Rig) -> None:
        clients = Clients(tmp_path / "handset.sock")
        server = HandsetServer(rig.world, clients.path)
        await server.start()
        try:
            handset = await talking(rig, clients)
            await server.close()
            await server.close()
            assert await rig.until(lambda: LineEvent.ONHOOK in rig.events[1], 1000)
            assert await handset.next(5) is None
        finally:
            await clients.close()

    run_rig(CONFIG, within)


def test_two_servers_on_one_path(tmp_path: Path) -> None:
    async def main(rig: Rig, clients: Clients) -> None:
        with pytest.raises(LineError, match="LIN-022"):
            await HandsetServer(rig.world, clients.path).start()

    served(tmp_path, main)
