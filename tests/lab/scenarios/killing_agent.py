"""The call agent is killed again and again during 24 calls in every state: no call dropped, no gap in what is heard or recorded, the flow
goes on where it stood, every call recorded once."""

import asyncio
import contextlib
import random
import time
from pathlib import Path
from typing import NamedTuple

import msgspec

from tests.lab import product
from tests.lab.exchange import Exchange, FarEnd, Line, Phone
from tests.lab.product import Box, Cdr, box
from tests.lab.records import check_duration, check_recording, finished_records
from tests.lab.scenario import Report, scenario
from tests.lab.sound import lacking, noise_file, prompt, samples_of

FOLDER = Path("/tmp/exchange")
SPEECH_MS = 4000
AFTER_BEEP_S = 0.7
BREATH_S = 0.5  # of who hangs up with the last sample, the last block is not heard
KILL_EVERY_S = (0.5, 3.0)
FEW, MANY = 6, 50
RESUME_LIMIT_S = 2.0
LONG_S = 120.0
INTRODUCTION = prompt("hospital_introduction")


class Made(msgspec.Struct, frozen=True):
    """A call as the caller knows it, and what must be in its record. `path` is how the path begins."""

    line: int
    rung_at_s: float
    ended_at_s: float
    path: str
    digits: str
    ended_by: str
    said: bytes = b""
    heard: bytes = b""
    message: bool = False


class Outage(msgspec.Struct, frozen=True):
    """One death of the call agent, in epoch seconds; `back_at_s`: connected to the line server again."""

    killed_at_s: float
    back_at_s: float


class Key(NamedTuple):
    """A menu key and when it went down, in epoch seconds."""

    line: int
    pressed_at_s: float


class Callers:
    """Lines that make calls of every kind until told to stop."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._set_free = asyncio.Lock()
        self.stopping = False
        self.made: list[Made] = []
        self.keys: list[Key] = []

    async def live(self, line: Line) -> None:
        """Calls one after another, each of another kind."""
        kinds = (self._listen, self._leave_message, self._be_silent, self._operator)
        own = random.Random(line.number)
        while not self.stopping:
            await asyncio.sleep(own.uniform(0, 3))
            kind = own.choice(kinds)
            if kind == self._operator and self._set_free.locked():
                kind = self._listen
            async with self._set_free if kind == self._operator else contextlib.nullcontext():
                await line.ring(LONG_S)
                made = await kind(line)
            self.made.append(msgspec.structs.replace(made, rung_at_s=line.rung_at_s, ended_at_s=line.ended_at_s))

    async def _key(self, line: Line, key: str) -> None:
        self.keys.append(Key(line.number, await line.press(key)))

    async def _listen(self, line: Line) -> Made:
        """Hear the introduction, whole, then hang up."""
        await line.hears(prompt("greeting"), LONG_S)
        await self._key(line, "2")
        await line.hears(prompt("item_introduction"), LONG_S)
        await self._key(line, "1")
        await line.hears(INTRODUCTION, LONG_S)
        await asyncio.sleep(1)
        assert line.ear is not None
        wrong = line.ear.lacking(INTRODUCTION)
        assert not wrong, f"line {line.number}: the introduction had a gap: {wrong}"
        await line.hang_up()
        return _made(line, "caller>greeting>main_menu>information", "21", "caller", heard=INTRODUCTION)

    async def _leave_message(self, line: Line) -> Made:
        await line.hears(prompt("greeting"), LONG_S)
        await self._key(line, "5")
        await line.hears(prompt("beep"), LONG_S)
        await asyncio.sleep(AFTER_BEEP_S)
        said = await self._speak(line)
        await line.press("#")
        await line.hears(prompt("goodbye"), LONG_S)
        await line.box_hangs_up(LONG_S)
        return _made(line, "caller>greeting>main_menu>message>goodbye", "5#", "box", said=said, message=True)

    async def _be_silent(self, line: Line) -> Made:
        """Say nothing, and go. (The pause before "are you still there" begins anew with each call agent.)"""
        await line.hears(prompt("hotline_menu"), LONG_S)
        await asyncio.sleep(2)
        await line.hang_up()
        return _made(line, "caller>greeting>main_menu", "", "caller")

    async def _operator(self, line: Line) -> Made:
        """One at a time, so that it is known which set rings."""
        await line.hears(prompt("greeting"), LONG_S)
        await self._key(line, "0")
        phone = self._exchange.phones[0]
        await phone.answer(LONG_S)
        await self._speak_until_heard(phone, line)
        said = await self._speak(line)
        await line.hang_up()
        await phone.box_hangs_up(LONG_S)
        await asyncio.sleep(2)
        return _made(line, "caller>greeting>main_menu>operator", "0", "caller", said=said)

    async def _speak(self, end: FarEnd) -> bytes:
        path = FOLDER / f"say-{end.number}.wav"
        said = noise_file(path, end.number, SPEECH_MS)
        await end.speak(path)
        await asyncio.sleep(BREATH_S)
        return said

    async def _speak_until_heard(self, phone: Phone, line: Line) -> None:
        """The two are joined when a call agent is there to do it."""
        deadline_s = time.monotonic() + LONG_S
        ear = line.ear
        assert ear is not None
        while ear.find(await self._speak(phone)) < 0:
            assert time.monotonic() < deadline_s, f"line {line.number} was not joined with the set"


def _made(line: Line, path: str, digits: str, ended_by: str, said: bytes = b"", heard: bytes = b"", message: bool = False) -> Made:
    return Made(line.number, line.rung_at_s, line.ended_at_s, path, digits, ended_by, said, heard, message)


@scenario(limit_s=900)
def few(report: Report) -> None:
    """6 deaths."""
    with box() as running:
        asyncio.run(_killed(report, running, FEW))


@scenario(limit_s=3000, soak=True)
def fifty(report: Report) -> None:
    """50 deaths."""
    with box() as running:
        asyncio.run(_killed(report, running, MANY))


@scenario(limit_s=900)
def cold_start(report: Report) -> None:
    """What a start of the call agent takes here by itself: Python over 9p, and the rest."""
    with box() as running:
        running.kill("calls")
        report.figure("cold_s", round(running.start("calls", cold=True), 2))
        running.kill("calls")
        report.figure("forked_s", round(running.start("calls"), 2))


async def _killed(report: Report, running: Box, deaths: int) -> None:
    began_s = time.time()
    async with Exchange(product.EXCHANGE_LINES, product.PHONES, FOLDER) as exchange:
        callers = Callers(exchange)
        living = asyncio.create_task(exchange.together(callers.live))
        outages = await _kill(running, deaths, living)
        callers.stopping = True
        await living
        records = await finished_records(began_s, len(callers.made))
    for number in {made.line for made in callers.made}:
        own = [made for made in callers.made if made.line == number]
        for made, record in zip(own, [record for record in records if record.line == number], strict=True):
            _check(made, record)
    faults = product.events(began_s, "CallFailed")
    assert not faults, faults
    assert not running.legs(), running.legs()
    report.figure("calls", len(records))
    _tell_times(report, began_s, outages, callers.keys)


async def _kill(running: Box, deaths: int, living: "asyncio.Task[None]") -> list[Outage]:
    """Kill and start again at random moments; ends early when the callers failed."""
    chance = random.Random(5)
    outages: list[Outage] = []
    await asyncio.sleep(10)
    while len(outages) < deaths and not living.done():
        await asyncio.sleep(chance.uniform(*KILL_EVERY_S))
        known = running.ready_count("calls")
        await asyncio.to_thread(running.kill, "calls")
        killed_at_s = time.time()
        await asyncio.to_thread(running.launch, "calls")
        await asyncio.to_thread(running.wait_ready, "calls", known)
        outages.append(Outage(killed_at_s, time.time()))
    return outages


def _check(made: Made, record: Cdr) -> None:
    assert record.path.startswith(made.path), f"{record}: path should begin {made.path}"
    assert (record.digits, record.ended_by) == (made.digits, made.ended_by), f"{record} is not {made.digits} {made.ended_by}"
    check_duration(made, record)
    check_recording(record, said=made.said, heard=made.heard)
    if made.message:
        files = product.messages(record.call_id)
        assert len(files) == 1, f"{record}: messages {files}"
        wrong = lacking(made.said, samples_of(files[0]))
        assert not wrong, f"{files[0]} is not what was said: {wrong}"


def _tell_times(report: Report, began_s: float, outages: list[Outage], keys: list[Key]) -> None:
    """How long each death lasted, and how soon after it calls were taken over and keys pressed meanwhile obeyed."""
    dead = sorted(outage.back_at_s - outage.killed_at_s for outage in outages)
    recovered = [(call_id, at_s) for call_id, at_s, _ in product.events(began_s, "CallRecovered")]
    resumed = [_since_back(outages, at_s) for _, at_s in recovered]
    entered = [(call_id, at_s) for call_id, at_s, _ in product.events(began_s, "PlaceEntered")]
    obeyed = _obeyed(outages, keys, entered)
    report.figure("deaths", len(outages))
    report.figure("dead_s_median", round(dead[len(dead) // 2], 2))
    report.figure("calls_taken_over", len(recovered))
    report.figure("taken_over_after_s_max", round(max(resumed), 2))
    report.figure("keys_that_met_a_death", len(obeyed))
    report.figure("key_obeyed_after_s_max", round(max(obeyed, default=0.0), 2))
    assert max([*resumed, *obeyed]) < RESUME_LIMIT_S


def _since_back(outages: list[Outage], at_s: float) -> float:
    """Seconds since the last death whose end could have caused what happened at `at_s`."""
    return min((at_s - outage.back_at_s for outage in outages if at_s > outage.killed_at_s), key=abs)


def _obeyed(outages: list[Outage], keys: list[Key], entered: list[tuple[str, float]]) -> list[float]:
    """For each menu key that met a death before it was obeyed: how long an agent was there until its call entered the next place."""
    found: list[float] = []
    for key in keys:
        channel = f"-{key.line - product.EXCHANGE_OFFSET}"
        obeyed_at_s = min(at_s for call_id, at_s in entered if call_id.endswith(channel) and at_s > key.pressed_at_s)
        dead_s = sum(max(0.0, min(each.back_at_s, obeyed_at_s) - max(each.killed_at_s, key.pressed_at_s)) for each in outages)
        found += [obeyed_at_s - key.pressed_at_s - dead_s] if dead_s else []
    return found
