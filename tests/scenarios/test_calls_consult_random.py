"""Whatever is asked for during a talk, whoever hangs up, whenever the call agent dies: no leg is left in the end, the record is there."""

import asyncio
import contextlib
import random

import pytest

from appliance.call.consult import Want
from appliance.config import Config
from appliance.errors import CallError
from appliance.ivr.prompts.library import PromptLibrary
from drivers.protocol import LegPhase
from tests.scenarios.test_calls_consult import WARD, Talk, run_story

ACTS = 10
ANSWERS = ("answer", "answer", "answer", "17", "no answer")


class Anything:
    """A story made by chance."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    async def __call__(self, talk: Talk) -> None:
        await talk.begin()
        for _ in range(ACTS):
            self._act(talk)
            await asyncio.sleep(self._chance.choice([0.05, 0.5, 2.0, 6.0]))
        for leg in [name for name, state in talk.server.legs.items() if state.phase is not LegPhase.RELEASED]:
            talk.server.hang_up(leg)
            await asyncio.sleep(self._chance.choice([0.0, 1.0]))
        await asyncio.sleep(60)

    def _act(self, talk: Talk) -> None:
        calls = list(talk.agent.switchboard.calls.values()) if talk.agent else []
        if self._chance.random() < 0.12:
            up = [name for name, state in talk.server.legs.items() if state.phase is LegPhase.ANSWERED]
            if up:
                talk.server.hang_up(self._chance.choice(up))
            return
        for call in calls:
            with contextlib.suppress(CallError):  # APP-110: nobody talks
                call.ask(self._chance.choice(list(Want)), self._chance.choice(["", call.main.name]), WARD)


@pytest.mark.parametrize("seed", range(40))
def test_anything(config: Config, prompts: PromptLibrary, seed: int, caplog: pytest.LogCaptureFixture) -> None:
    chance = random.Random(seed)
    answers = ",".join(["answer", *(chance.choice(ANSWERS) for _ in range(ACTS + 1))])
    kill_after = chance.randrange(30, 140) if seed % 2 else None
    (same, redialled, _, _), kinds, _, _ = run_story(config, prompts, Anything(chance), answers, kill_after)
    (_, ended, open_recordings) = same
    assert (ended, open_recordings, redialled) == (True, 0, 0)
    assert "CallFailed" not in kinds
    faults = [record.getMessage() for record in caplog.records if "APP-00" in record.getMessage()]
    assert faults == []
