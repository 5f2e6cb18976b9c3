"""The whole product on the kernel's drivers: 24 callers at once through the menus to a message, and people connected to sets."""

import asyncio
import time
from pathlib import Path

import msgspec

from tests.lab import product
from tests.lab.exchange import Exchange, Line
from tests.lab.product import Box, Cdr, box
from tests.lab.records import check_duration, check_recording, finished_records
from tests.lab.scenario import Report, scenario
from tests.lab.sound import lacking, noise_file, prompt, samples_of

FOLDER = Path("/tmp/exchange")
SPEECH_MS = 3000
AFTER_BEEP_S = 0.7
BREATH_S = 0.3  # of who hangs up with the last sample, the last block is not heard

OPENING = b"".join(map(prompt, ("greeting", "recording_notice", "offer_other_language")))
MAIN_MENU = prompt("hotline_menu")
MENU = "caller>greeting>main_menu"
INTRODUCTION = "information>" + ">".join(
    f"information/{place}" for place in ("begin", "menu", "picked", "route", "items", "own", "after_own", "begin", "menu", "done")
)


class Plan(msgspec.Struct, frozen=True):
    """What a caller does, and what must be in the record then."""

    keys: str
    language: str
    path: str
    hangs_up: bool

    @property
    def digits(self) -> str:
        return self.keys + ("" if self.hangs_up else "#")

    @property
    def whole_path(self) -> str:
        return self.path + ("" if self.hangs_up else ">goodbye")


PLANS = (
    Plan("5", "zh", f"{MENU}>message", False),
    Plan("5", "zh", f"{MENU}>message", True),
    Plan("21##5", "zh", f"{MENU}>{INTRODUCTION}>main_menu>message", False),
    Plan("95", "en", f"{MENU}>language>language_chosen>main_menu>message", False),
)


def plan_of(line: Line) -> Plan:
    return PLANS[line.number % len(PLANS)]


@scenario(limit_s=900)
def all_lines(report: Report) -> None:
    """24 calls at once: greeting and menu heard sample for sample, keys, a message, hang-up by either side; records and recordings."""
    with box() as running:
        report.figure("cold_start_s", round(running.cold_start_s, 1))
        asyncio.run(_all_lines(report, running))


async def _all_lines(report: Report, running: Box) -> None:
    began_s = time.time()
    async with Exchange(product.EXCHANGE_LINES, (), FOLDER) as exchange:
        spoken = {line.number: noise_file(FOLDER / f"say-{line.number}.wav", line.number, SPEECH_MS) for line in exchange.lines}
        await exchange.together(_leave_message)
        records = await finished_records(began_s, len(exchange.lines))
        for line in exchange.lines:
            _check_heard(line)
            _check_record(line, next(record for record in records if record.line == line.number), spoken[line.number])
        report.figure("underruns_exchange", exchange.engine.stats().underruns)
    assert not running.legs(), running.legs()
    report.figure("calls_right", len(records))


async def _leave_message(line: Line) -> None:
    plan = plan_of(line)
    await line.ring()
    await line.hears(MAIN_MENU)
    for key in plan.keys:
        await line.press(key)
        await asyncio.sleep(1.5)
    await line.hears(prompt("beep", plan.language))
    await asyncio.sleep(AFTER_BEEP_S)
    await line.speak(FOLDER / f"say-{line.number}.wav")
    if plan.hangs_up:
        await asyncio.sleep(BREATH_S)
        await line.hang_up()
        return
    await line.press("#")
    await line.hears(prompt("goodbye", plan.language))
    await line.box_hangs_up()


def _check_heard(line: Line) -> None:
    assert line.ear is not None
    for clip in (OPENING, MAIN_MENU):
        wrong = line.ear.lacking(clip)
        assert not wrong, f"line {line.number} did not hear the prompts as they are: {wrong}"


def _check_record(line: Line, record: Cdr, spoken: bytes) -> None:
    plan = plan_of(line)
    expected = (plan.whole_path, plan.digits, "message", "caller" if plan.hangs_up else "box")
    assert (record.path, record.digits, record.outcome, record.ended_by) == expected, f"{record} is not {expected}"
    check_duration(line, record)
    check_recording(record, said=spoken, heard=OPENING)
    files = product.messages(record.call_id)
    assert len(files) == 1, f"{record.call_id}: messages {files}"
    wrong = lacking(spoken, samples_of(files[0]))
    assert not wrong, f"{files[0]} is not what line {line.number} said: {wrong}"
