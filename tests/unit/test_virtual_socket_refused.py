"""The handset socket: what garbage, strangers, too much and dead clients come to."""

from pathlib import Path

import msgspec
import pytest

from appliance.control.handset import AsyncHandset, dial_message
from drivers.errors import LineError
from drivers.io import LineEvent
from drivers.protocol import VERSION, HandsetAudio, HandsetDial, HandsetKeys, HandsetSpeak, Hello, encode
from drivers.virtual.socket import HandsetServer
from tests.contract.rig import Rig, run_rig
from tests.unit.handset_rig import BOX, CONFIG, SET, Clients, served, talking, until_state


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
