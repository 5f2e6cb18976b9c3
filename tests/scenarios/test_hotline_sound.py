"""Services of the hotline on the virtual card, keys as sound: a registration is paid, an account heard, a drug looked up, a case stated."""

import asyncio
from typing import Any

import pytest

from appliance.config import Config
from appliance.events import PromptPlayed
from appliance.ivr.prompts.library import PromptLibrary
from appliance.ivr.reading import built_in
from appliance.store.models import CallRecord, Recording
from appliance.store.projections import events_of
from drivers.virtual.handset import Phase
from tests.dtmf import keys_in
from tests.scenarios.box_rig import BOX, Box, press, run_box_of, until, world
from tests.scenarios.hotline_rig import PAID, PASSWORD, half_states, hospital
from tests.scenarios.killing import Life, start_agent
from tests.scenarios.lines_rig import recorded, speech_like
from tests.scenarios.test_calls_killed import empty_store

ONE_LINE = world(1, 1)


class HotlineBox(Box):
    """A box whose calls walk the program's own flows."""

    async def start_agent(self, life: Life) -> None:
        self.agent = await start_agent(self.config, self.server, self.clock, self.prompts, life, built_in())
        await until(lambda: self.agent.lines.connected, 10.0)


def rung(config: Config, prompts: PromptLibrary, keys: str, statement_at: str = "|") -> Any:
    """One call with these keys, then hang up; at `|` the caller speaks. What was said to him, his record, and what is half done."""
    empty_store(config)

    async def main(box: HotlineBox) -> Any:
        telephone = box.telephone()
        telephone.dial(BOX)
        await telephone.reached(Phase.TALKING)
        before, _, after = keys.partition(statement_at)
        await press(telephone, before)
        if after:
            telephone.speak_samples(speech_like(4, seed=1))
            await telephone.spoken()
            await press(telephone, after)
        box.card.world.dismiss(telephone)
        await box.idle()
        await asyncio.sleep(1)
        return await box.ask(_found)

    return run_box_of(HotlineBox, config, prompts, main, ONE_LINE)


def _found() -> Any:
    (record,) = CallRecord.select()
    said = [prompt for event in events_of(record.call_id) if isinstance(event, PromptPlayed) for prompt in event.prompts]
    whole = Recording.get(Recording.recording_id == record.call_id).path
    return said, record, half_states(), whole


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_registration_is_paid(config: Config, prompts: PromptLibrary, lang: str) -> None:
    here = hospital(config)
    language = "" if lang == "zh" else "9.."
    keys = f" {language}1.2.{here.rich}#..{PASSWORD}#...1.{PAID}#...1...1       "
    said, record, wrong, recording = rung(config, prompts, keys)
    assert {"fee_is", "confirm_payment", "paid", "receipt_number_is", "booking_code_is"} <= set(said)
    assert (record.language, wrong) == (lang, [])
    assert PASSWORD not in record.digits
    assert PASSWORD not in keys_in(recorded(config.paths.recordings_dir / recording)[0])


def test_balance_then_a_drug(config: Config, prompts: PromptLibrary) -> None:
    here = hospital(config)
    said, record, wrong, _ = rung(config, prompts, f" 3.{here.rich}#..{PASSWORD}#...1...##...2..2..1203#   ")
    assert {"balance_is", "drug_is", "drug_price_is", "drug_ask_doctor"} <= set(said)
    assert (record.path.split(">")[-1], wrong) == ("drugs/after", [])


def test_a_case_is_stated(config: Config, prompts: PromptLibrary) -> None:
    hospital(config)
    said, record, wrong, _ = rung(config, prompts, " 4..1..12#..77#.    |#...1  ")
    assert {"case_kept", "case_number_is"} <= set(said)
    assert (record.path.split(">")[-1], wrong) == ("complaints/after", [])
