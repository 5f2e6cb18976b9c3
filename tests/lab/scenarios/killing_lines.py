"""The line server is killed while people talk through the kernel's bridge: they go on talking, it comes back and takes their calls over."""

import asyncio
import time
from pathlib import Path

from tests.lab import product
from tests.lab.exchange import Exchange, FarEnd, Line, Phone
from tests.lab.product import Box, Cdr, box
from tests.lab.records import check_duration, finished_records
from tests.lab.scenario import Report, scenario
from tests.lab.sound import noise_file, prompt, samples_of

FOLDER = Path("/tmp/exchange")
JOINED_S = 6.0
DEAD_S = 3.0
ALIVE_S = 3.0
FLUSHED_S = 1.0  # what was heard is in its file then


class Pair:
    """A caller and a set that rang for it. One call at a time is connected, so that it is known which set rings."""

    def __init__(self, line: Line, phone: Phone) -> None:
        self.line = line
        self.phone = phone

    async def connect(self) -> None:
        """Key 0, the set answers, both are joined."""
        answering = asyncio.create_task(self.phone.answer())
        await self.line.ring()
        await self.line.hears(prompt("greeting"))
        await self.line.press("0")
        await answering

    async def talk(self) -> None:
        """Both speak at once, all the time the box is dead and a while after."""
        await asyncio.gather(self.line.speak(_path(self.line)), self.phone.speak(_path(self.phone)))

    async def end(self) -> None:
        """The set of an odd number hangs up first, else the caller."""
        if self.phone.number % 2:
            await self.phone.rest()
            await self.line.hears(prompt("goodbye"))
            await self.line.box_hangs_up()
        else:
            await asyncio.gather(self.line.hang_up(), self.phone.box_hangs_up())


def _path(end: FarEnd) -> Path:
    return FOLDER / f"say-{end.number}.wav"


@scenario(limit_s=900)
def bridged(report: Report) -> None:
    """Four bridged calls over the death of the line server: not a sample lost, calls adopted and ended properly, recordings continued."""
    with box() as running:
        asyncio.run(_bridged(report, running))


async def _bridged(report: Report, running: Box) -> None:
    began_s = time.time()
    async with Exchange(product.EXCHANGE_LINES[:4], product.PHONES, FOLDER) as exchange:
        pairs = [Pair(line, phone) for line, phone in zip(exchange.lines, exchange.phones, strict=True)]
        for pair in pairs:
            await pair.connect()
        await asyncio.sleep(JOINED_S)
        said = await _kill_while_they_talk(report, running, pairs)
        for pair in pairs:
            _check_heard(pair, said)
        await asyncio.gather(*(pair.end() for pair in pairs))
        records = await finished_records(began_s, len(pairs))
        for pair in pairs:
            _check_record(pair, next(record for record in records if record.line == pair.line.number))
    assert not running.legs(), running.legs()
    report.figure("calls_adopted", len(records))


async def _kill_while_they_talk(report: Report, running: Box, pairs: list[Pair]) -> dict[int, bytes]:
    """Speech begins before the kill and ends well after the return."""
    speech_ms = round((2 * DEAD_S + ALIVE_S + 6) * 1000)
    ends = [end for pair in pairs for end in (pair.line, pair.phone)]
    said = {end.number: noise_file(_path(end), end.number, speech_ms) for end in ends}
    talking = asyncio.gather(*(pair.talk() for pair in pairs))
    await asyncio.sleep(2)
    connected = running.ready_count("calls")
    await asyncio.to_thread(running.kill, "lines")
    killed_s = time.monotonic()
    await asyncio.sleep(DEAD_S)
    report.figure("line_server_back_s", round(await asyncio.to_thread(running.start, "lines"), 2))
    await asyncio.to_thread(running.wait_ready, "calls", connected)
    report.figure("dead_s", round(time.monotonic() - killed_s, 2))
    await talking
    await asyncio.sleep(FLUSHED_S)
    return said


def _check_heard(pair: Pair, said: dict[int, bytes]) -> None:
    for listener, speaker in ((pair.line, pair.phone), (pair.phone, pair.line)):
        assert listener.ear is not None
        wrong = listener.ear.lacking(said[speaker.number])
        assert not wrong, f"{listener.number} did not hear every sample of {speaker.number}: {wrong}; {listener.story()}"


def _check_record(pair: Pair, record: Cdr) -> None:
    """The recording is as long as the call: the time without a line server is in it, as silence."""
    set_first = bool(pair.phone.number % 2)
    path = "caller>greeting>main_menu>operator" + (">goodbye" if set_first else "")
    assert (record.path, record.digits, record.outcome) == (path, "0", "operator"), record
    assert record.ended_by == ("operator" if set_first else "caller"), record
    check_duration(pair.line, record)
    path_of_file, samples, _, error = product.recording(record.call_id)
    assert len(samples_of(path_of_file)) == 2 * samples, f"{path_of_file}, {samples} samples, {error}"
    talked_ms = 1000 * (record.ended_s - record.answered_s)  # answered as soon as it is offered, with the second ring
    assert abs(samples / 8 - talked_ms) < 1500 + 0.04 * talked_ms, f"{samples} samples in {talked_ms:.0f} ms"
