"""Callers connected to people at sets of the box: key 0 rings a set, the kernel bridges, either side hangs up first."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from tests.lab import product
from tests.lab.exchange import Exchange, FarEnd, Line, Phone
from tests.lab.product import Box, Cdr, box
from tests.lab.records import check_duration, check_recording, finished_records
from tests.lab.scenario import Report, scenario
from tests.lab.sound import noise_file, prompt

FOLDER = Path("/tmp/exchange")
SPEECH_MS = 3000
JOINED_S = 3.0

EndT = TypeVar("EndT", bound=FarEnd)


class Talk:
    """Four callers and four sets; who speaks with whom is found out by listening."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._said = {end.number: self._voice(end) for end in (*exchange.lines, *exchange.phones)}
        self._all_spoke = asyncio.Barrier(len(self._said))
        self.set_of: dict[int, Phone] = {}

    async def run(self) -> None:
        """All of it; the first failure ends it."""
        async with asyncio.TaskGroup() as people:
            for phone in self._exchange.phones:
                people.create_task(self._be_operator(phone))
            for line in self._exchange.lines:
                people.create_task(self._ask_for_operator(line))

    async def _ask_for_operator(self, line: Line) -> None:
        await line.ring()
        await line.hears(prompt("greeting"))
        await line.press("0")
        await line.hears(prompt("transferring"))
        phone = self.set_of[line.number] = await self._hear_one_of(line, self._exchange.phones)
        await line.speak(self._path(line))
        await self._all_spoke.wait()
        if phone.number % 2:
            await line.hears(prompt("goodbye"))
            await line.box_hangs_up()
        else:
            await line.hang_up()

    async def _be_operator(self, phone: Phone) -> None:
        await phone.answer()
        await asyncio.sleep(JOINED_S)
        while phone not in self.set_of.values():  # who speaks before they are joined is not heard
            await phone.speak(self._path(phone))
            await asyncio.sleep(1)
        await self._hear_one_of(phone, self._exchange.lines)
        await self._all_spoke.wait()
        if phone.number % 2:
            await phone.rest()
        else:
            await phone.box_hangs_up()

    async def _hear_one_of(self, listener: FarEnd, others: Sequence[EndT]) -> EndT:
        """Wait for the end of what one of them says; who it was."""
        ear = listener.ear
        assert ear is not None
        heard: list[EndT] = []

        def anyone() -> bool:
            heard.extend(other for other in others if ear.find(self._said[other.number]) >= 0)
            return bool(heard)

        await listener.until("voice", anyone)
        return heard[0]

    def check(self, line: Line, record: Cdr) -> None:
        """Record and recording of one caller."""
        phone = self.set_of[line.number]
        path = "caller>greeting>main_menu>operator" + (">goodbye" if phone.number % 2 else "")
        ended_by = "operator" if phone.number % 2 else "caller"
        found = (record.path, record.digits, record.outcome, record.ended_by, record.operator_channel)
        assert found == (path, "0", "operator", ended_by, phone.number - product.PHONES[0] + product.SETS[0]), record
        for listener, speaker in ((line, phone), (phone, line)):
            assert listener.ear is not None
            wrong = listener.ear.lacking(self._said[speaker.number])
            assert not wrong, f"{listener.number} did not hear all that {speaker.number} said: {wrong}"
        check_duration(line, record)
        check_recording(record, said=self._said[line.number], heard=self._said[phone.number])

    def _path(self, end: FarEnd) -> Path:
        return FOLDER / f"say-{end.number}.wav"

    def _voice(self, end: FarEnd) -> bytes:
        return noise_file(self._path(end), end.number, SPEECH_MS)


@scenario(limit_s=900)
def operator(report: Report) -> None:
    """Four at once: both hear each other sample for sample, two callers and two sets hang up first."""
    with box() as running:
        asyncio.run(_operator(report, running))


async def _operator(report: Report, running: Box) -> None:
    began_s = time.time()
    async with Exchange(product.EXCHANGE_LINES[:4], product.PHONES, FOLDER) as exchange:
        talk = Talk(exchange)
        await talk.run()
        records = await finished_records(began_s, len(exchange.lines))
        for line in exchange.lines:
            talk.check(line, next(record for record in records if record.line == line.number))
    native = sum('"native":true' in body for _, _, body in product.events(began_s, "CallBridged"))
    report.figure("native_bridges", native)
    assert native == len(records)
    assert not running.legs(), running.legs()
