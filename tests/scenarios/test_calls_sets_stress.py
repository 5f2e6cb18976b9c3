"""People at sets do anything in any order, callers come from outside, the call agent dies: in the end all is idle and every call told."""

import asyncio
import logging
import random

import pytest

from appliance.config import Config
from appliance.events import CallFailed
from appliance.ivr.prompts.library import PromptLibrary
from appliance.store.models import CallRecord
from appliance.store.projections import events_of
from drivers.virtual.telephone import WiredSet
from tests.scenarios.box_rig import BOX, Box, run_box
from tests.scenarios.house_rig import OUTSIDE, SETS, SILENT, TAKEN, WORLD, all_put_down
from tests.scenarios.killing import Life

NUMBERS = ("8001", "8002", "8003", "0", "*1", f"9{OUTSIDE}", f"9{SILENT}", f"9{TAKEN}", "120", "7", "80", "#", "8002#", "958")
STEPS = 60


class Person:
    """At one set, without manners."""

    def __init__(self, telephone: WiredSet, dice: random.Random) -> None:
        self._telephone, self._dice = telephone, dice

    async def live(self) -> None:
        for _ in range(STEPS):
            self._act()
            await asyncio.sleep(self._dice.choice((0.1, 0.6, 2.0, 5.0, 12.0)))

    def _act(self) -> None:
        telephone, dice = self._telephone, self._dice
        if telephone.port is None:
            dice.choice([telephone.pick_up, telephone.pick_up, lambda: None])()
            return
        dice.choice([
            lambda: telephone.press(dice.choice(NUMBERS)),
            lambda: telephone.press(dice.choice(NUMBERS)),
            lambda: telephone.flash(dice.choice((80, 300, 700, 1100))),
            telephone.flash,
            telephone.hang_up,
        ])()  # fmt: skip


async def outsider(box: Box, dice: random.Random) -> None:
    for _ in range(10):
        telephone = box.telephone()
        telephone.dial(BOX)
        await asyncio.sleep(dice.uniform(3, 15))
        telephone.press("0")
        await asyncio.sleep(dice.uniform(1, 30))
        box.card.world.dismiss(telephone)


async def agent_dies(box: Box, dice: random.Random) -> None:
    for _ in range(4):
        await asyncio.sleep(dice.uniform(20, 60))
        await box.next_agent(Life())


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("mortal", [False, True])
def test_everything_ends_idle(config: Config, prompts: PromptLibrary, seed: int, mortal: bool) -> None:
    dice = random.Random(seed)

    async def main(box: Box) -> list[CallFailed]:
        people = [Person(box.set(channel), dice).live() for channel in SETS]
        deaths = [agent_dies(box, dice)] if mortal else []
        await asyncio.gather(*people, outsider(box, dice), outsider(box, dice), *deaths)
        await all_put_down(box)
        await asyncio.sleep(15)
        stuck = [channel.state() for channel in box.server.lines.channels.values() if not channel.is_free()]
        assert stuck == []
        faults: list[CallFailed] = await box.ask(failures)
        return faults

    said = Faults()
    logging.getLogger("careline").addHandler(said)
    try:
        faults = run_box(config, prompts, main, WORLD)
    finally:
        logging.getLogger("careline").removeHandler(said)
    assert [fault.code for fault in faults] == []
    assert said.lines == []


class Faults(logging.Handler):
    """What should never be said: an event without a row, a task or a script that failed."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if any(code in text for code in ("LIN-059", "LIN-060", "APP-002", "APP-006", "APP-008", "APP-009", "APP-012")):
            self.lines.append(text)


def failures() -> list[CallFailed]:
    """Whatever our own fault was in any call; and that every record is complete."""
    calls = list(CallRecord.select())
    assert calls
    assert all(call.ended_at for call in calls)
    return [event for call in calls for event in events_of(call.call_id) if isinstance(event, CallFailed)]
