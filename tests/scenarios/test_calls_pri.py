"""The whole box on a primary rate span: callers of an exchange hear the hotline, press keys, hang up; records say who, whom and why."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.config import CallsConfig, Config, Destination
from appliance.ivr.prompts.library import PromptLibrary
from appliance.store.models import CallRecord
from drivers.config import LinesConfig
from drivers.protocol import Cause
from drivers.virtual.config import SpanConfig, SpanKind, VirtualConfig
from tests.pri_exchange import NETWORK, Exchange, FarCall
from tests.scenarios.box_rig import Box, run_box
from tests.scenarios.killing import Life

LINES = LinesConfig(virtual=VirtualConfig(spans=(SpanConfig(kind=SpanKind.PRI),)))
KEY_MS, LOW_DBM0, HIGH_DBM0 = 100, -9.0, -7.0
SILENCE = frozenset(b"\xd5\x55")
CHANNEL, ANI, DNIS = 7, "13800138000", "88886666"


class Caller:
    """Somebody behind the exchange, with an ear and keys."""

    def __init__(self, box: Box, exchange: Exchange, folder: Path) -> None:
        self.exchange = exchange
        self.call: FarCall
        self._box = box
        self._heard = folder / "heard.wav"
        ports = box.card.world.ports
        self._port = ports.take(lambda event: None)
        self._io = box.card.far.open(CHANNEL)
        self._io.attach(self._port)
        self._record = ports.next_id()
        box.engine.record(self._port, self._record, self._heard, stereo=False)

    async def ring(self) -> None:
        self.call = self.exchange.call(CHANNEL, DNIS, ANI)
        await self.exchange.until(lambda: self.call.answered_at is not None)

    async def press(self, key: str) -> None:
        self._box.engine.send_digits(self._port, key, KEY_MS, KEY_MS, LOW_DBM0, HIGH_DBM0)
        await asyncio.sleep(1)

    def heard(self) -> int:
        """Samples that were no silence so far."""
        content = self._heard.read_bytes()
        return sum(sample not in SILENCE for sample in content[content.index(b"data") + 8 :])


def called(config: Config, prompts: PromptLibrary, folder: Path, act: Callable[[Box, Caller], Awaitable[None]]) -> dict[str, Any]:
    """One call as `act` makes it: its record."""

    async def main(box: Box) -> Any:
        exchange = Exchange(box.card.far, box.clock, NETWORK)
        exchange.start()
        await exchange.until(lambda: len(exchange.free()) == 30, 30)
        await asyncio.sleep(2)
        await act(box, Caller(box, exchange, folder))
        await box.idle()
        exchange.close()
        assert all(channel.is_quiet() for channel in box.server.lines.channels.values())
        return await box.ask(lambda: [record.__data__ for record in CallRecord.select()])

    (record,) = run_box(config, prompts, main, LINES)
    result: dict[str, Any] = record
    return result


def test_a_caller_hears_the_hotline_and_presses_keys(config: Config, prompts: PromptLibrary, folder: Path) -> None:
    async def act(box: Box, caller: Caller) -> None:
        await caller.ring()
        await asyncio.sleep(3)
        assert caller.heard() > 8000
        await caller.press("1")
        await asyncio.sleep(4)
        caller.exchange.hang_up(caller.call)

    record = called(config, prompts, folder, act)
    assert (record["channel"], record["ani"], record["dnis"]) == (CHANNEL, ANI, DNIS)
    assert (record["path"], record["digits"], record["ended_by"]) == ("greeting>main_menu>introduction", "1", "caller")
    assert (record["cause"], record["outcome"]) == (Cause.NORMAL, "completed")
    assert 7000 < record["duration_ms"] < 9500


@pytest.mark.parametrize("cause", [Cause.NORMAL, Cause.NO_USER_RESPONSE, Cause.TEMPORARY_FAILURE])
def test_the_record_says_why_it_ended(config: Config, prompts: PromptLibrary, folder: Path, cause: Cause) -> None:
    async def act(box: Box, caller: Caller) -> None:
        await caller.ring()
        caller.exchange.hang_up(caller.call, cause)

    assert called(config, prompts, folder, act)["cause"] == cause


def test_the_box_ends_the_call(config: Config, prompts: PromptLibrary, folder: Path) -> None:
    ended: list[FarCall] = []

    async def act(box: Box, caller: Caller) -> None:
        await caller.ring()
        await caller.exchange.until(lambda: caller.call.ended_at is not None, 600)
        ended.append(caller.call)

    assert called(config, prompts, folder, act)["ended_by"] == "box"
    assert (ended[0].cause, ended[0].ended_by_box) == (Cause.NORMAL, True)


def test_the_call_agent_dies_in_a_call(config: Config, prompts: PromptLibrary, folder: Path) -> None:
    async def act(box: Box, caller: Caller) -> None:
        await caller.ring()
        await asyncio.sleep(2)
        await box.next_agent(Life())
        await asyncio.sleep(2)
        assert caller.call.ended_at is None
        before = caller.heard()
        await caller.press("1")
        await asyncio.sleep(2)
        assert caller.heard() > before + 4000
        caller.exchange.hang_up(caller.call)

    record = called(config, prompts, folder, act)
    assert (record["path"], record["digits"]) == ("greeting>main_menu>introduction", "1")


@pytest.mark.parametrize("after_s", [0.0, 0.002, 0.01, 0.05])
def test_a_caller_who_gives_up_at_once(config: Config, prompts: PromptLibrary, folder: Path, after_s: float) -> None:
    async def act(box: Box, caller: Caller) -> None:
        caller.call = caller.exchange.call(CHANNEL, DNIS, ANI)
        await asyncio.sleep(after_s)
        caller.exchange.hang_up(caller.call, Cause.NO_USER_RESPONSE)
        await asyncio.sleep(5)

    record = called(config, prompts, folder, act)
    assert (record["ani"], record["dnis"], record["cause"], record["ended_by"]) == (ANI, DNIS, Cause.NO_USER_RESPONSE, "caller")


# --- on to somebody through the same span ----------------------------------------------------------------------------

WARD = "62345678"


def transferred(
    config: Config,
    prompts: PromptLibrary,
    folder: Path,
    ward: Callable[[Exchange, FarCall], object],
    act: Callable[[Caller], Awaitable[None]],
) -> tuple[dict[str, Any], FarCall]:
    """A caller presses 0 and is put through to the ward, where `ward` is done: the record, and the call to the ward."""
    to_ward = msgspec.structs.replace(config, calls=CallsConfig(operator=Destination(group="trunk", number=WARD, ring_ms=20_000)))
    calls: list[FarCall] = []

    async def main(box: Box, caller: Caller) -> None:
        def offered(call: FarCall) -> None:
            calls.append(call)
            ward(caller.exchange, call)

        caller.exchange.on_offered = offered
        await caller.ring()
        await caller.press("0")
        await caller.exchange.until(lambda: bool(calls), 30)
        await act(caller)

    record = called(to_ward, prompts, folder, main)
    return record, calls[0]


def test_a_caller_is_put_through_and_both_are_joined_in_the_card(config: Config, prompts: PromptLibrary, folder: Path) -> None:
    async def act(caller: Caller) -> None:
        await asyncio.sleep(5)
        caller.exchange.hang_up(caller.call)

    record, call = transferred(config, prompts, folder, lambda exchange, call: later(exchange.answer, call), act)
    assert (record["outcome"], record["transfer_outcome"]) == ("operator", "answered")
    assert WARD in record["transferred_to"]
    assert call.answered_at is not None
    assert (call.dnis, call.cause, call.ended_by_box) == (WARD, Cause.NORMAL, True)


@pytest.mark.parametrize(
    ("cause", "outcome"), [(Cause.USER_BUSY, "busy"), (Cause.NO_ANSWER, "no_answer"), (Cause.UNALLOCATED_NUMBER, "unknown_destination")]
)
def test_the_ward_cannot_be_reached(config: Config, prompts: PromptLibrary, folder: Path, cause: Cause, outcome: str) -> None:
    async def act(caller: Caller) -> None:
        await asyncio.sleep(3)
        assert caller.call.ended_at is None
        caller.exchange.hang_up(caller.call)

    record, _ = transferred(config, prompts, folder, lambda exchange, call: later(exchange.hang_up, call, cause), act)
    assert record["transfer_outcome"] == outcome


def later(what: Callable[..., None], *arguments: object) -> None:
    asyncio.get_running_loop().call_later(0.5, what, *arguments)


# --- the call agent killed -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at_message", range(4, 40, 2))
def test_the_call_agent_is_killed_at_any_message_of_a_call(config: Config, prompts: PromptLibrary, folder: Path, at_message: int) -> None:
    """Nobody is dropped, and the record is as if nothing had been."""

    async def act(box: Box, caller: Caller) -> None:
        life = Life(at_message)
        await box.next_agent(life)
        reviving = asyncio.create_task(revive(box, life))
        await caller.ring()
        await asyncio.sleep(6)
        await caller.press("1")
        await asyncio.sleep(4)
        assert caller.call.ended_at is None
        caller.exchange.hang_up(caller.call)
        await asyncio.sleep(2)
        life.over.set()
        await reviving

    record = called(config, prompts, folder, act)
    assert (record["ani"], record["dnis"], record["cause"], record["ended_by"]) == (ANI, DNIS, Cause.NORMAL, "caller")
    assert (record["path"], record["digits"]) == ("greeting>main_menu>introduction", "1")


async def revive(box: Box, life: Life) -> None:
    await life.over.wait()
    await box.next_agent(Life())
