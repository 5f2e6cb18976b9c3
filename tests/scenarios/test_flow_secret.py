"""A flow that asks for a password, on the virtual card: an action breaks over it first; it is found in no file, log or recording."""

import logging
from pathlib import Path

import pytest

from appliance.config import Config
from appliance.events import CallFailed
from appliance.ivr.actions import Action, ActionCall, ActionResult
from appliance.ivr.flow import FlowSet
from appliance.ivr.prompts.library import PromptLibrary
from appliance.ivr.reading import read
from appliance.ivr.runner import FlowRunner
from appliance.ivr.wiring import Wiring
from appliance.store.models import CallRecord, Recording
from appliance.store.projections import events_of
from drivers.virtual.handset import Phase
from tests.dtmf import keys_in
from tests.scenarios.box_rig import BOX, Box, press, run_box_of, until
from tests.scenarios.killing import Life
from tests.scenarios.lines_rig import recorded
from tests.scenarios.script_rig import ScriptAgent

SECRET = "73918264"
FLOW = """
flow: hotline
person: person
entries: {hotline: password, operator: person, after_hours: password}
places:
  password:
    kind: ask_digits
    say: [ask_password]
    secret: true
    min: 8
    max: 10
    pattern: "7.*"
    exits: {got: check, too_many: bye, silent: bye}
  check: {kind: action, action: check_password, exits: {right: menu, ask_again: password, failed: password}}
  menu: {kind: menu, say: [main_menu], keys: {5: bye}, exits: {bye: bye, too_many: bye, silent: bye}}
  person: {kind: transfer, exits: {ended: bye, busy: bye, no_answer: bye, failed: bye}}
  bye: {kind: hang_up, say: [goodbye]}
"""


TWO = """
flow: hotline
person: person
entries: {hotline: new, operator: person, after_hours: new}
places:
  new: {kind: ask_digits, say: [ask_new_password], secret: true, kept_as: new, max: 8, exits: {got: again, too_many: bye, silent: bye}}
  again:
    {kind: ask_digits, say: [ask_new_password_again], secret: true, kept_as: again, max: 8, exits: {got: check, too_many: bye, silent: bye}}
  check: {kind: action, action: check_password, exits: {right: menu, ask_again: new, failed: new}}
  menu: {kind: menu, say: [main_menu], keys: {5: bye}, exits: {bye: bye, too_many: bye, silent: bye}}
  person: {kind: transfer, exits: {ended: bye, busy: bye, no_answer: bye, failed: bye}}
  bye: {kind: hang_up, say: [goodbye]}
"""


class Editions:
    """One flow, whatever the store says."""

    def __init__(self, text: str) -> None:
        flow, faults = read(text, "hotline")
        assert flow, faults
        self.current = FlowSet({"hotline": flow})

    async def of(self, edition: int) -> FlowSet:
        return self.current


class Check:
    """An action that cannot read the password the first time, and says so with all it has."""

    def __init__(self) -> None:
        self.taken: list[str | None] = []

    async def __call__(self, call: ActionCall) -> ActionResult:
        self.taken.append(call.take_secret())
        if self.taken == [SECRET]:
            raise ValueError(f"cannot read {SECRET}")
        return ActionResult("right" if self.taken[-1] else "ask_again")


class TakeBoth(Check):
    """An action that takes two of them, and there is none without a name."""

    async def __call__(self, call: ActionCall) -> ActionResult:
        self.taken += [call.take_secret("new"), call.take_secret("again"), call.take_secret("again"), call.take_secret()]
        return ActionResult("right")


class FlowBox(Box):
    """A box whose calls walk that flow."""

    text, taking = FLOW, Check

    async def start_agent(self, life: Life) -> None:
        self.check = self.taking()
        agent = ScriptAgent(self.config, self.server, self.clock, self.prompts, life, lambda call: runner(call))
        action = Action("check_password", "for the test", {"right": ()}, self.check, takes_secret=True)
        wiring = Wiring(agent.store, self.clock, self.config.hospital, lambda text, lang: (), {action.name: action})
        runner = FlowRunner(Editions(self.text), wiring)
        self.agent = agent  # type: ignore[assignment]  # as far as a Box goes
        await agent.start()
        await until(lambda: agent.lines.connected, 10.0)


def test_password_of_a_flow(config: Config, prompts: PromptLibrary, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def main(box: FlowBox) -> tuple[str, str, list[str], str]:
        telephone = box.telephone()
        telephone.dial(BOX)
        await telephone.reached(Phase.TALKING)
        await press(telephone, f" {SECRET}#")  # the action breaks
        await press(telephone, f" 29573186#  {SECRET}9#.5")  # begins wrong; asked again; right
        assert box.check.taken == [SECRET, f"{SECRET}9"]
        await telephone.reached(Phase.ENDED)
        telephone.hang_up()
        await box.idle()
        return await box.ask(_found)

    digits, path, failures, recording = run_box_of(FlowBox, config, prompts, main)
    assert digits == "•" * (8 + 8 + 9) + "5"
    assert path == "password>check>password>check>menu>bye"
    assert failures == ["action check_password at check failed: ValueError"]
    assert keys_in(recorded(config.paths.recordings_dir / recording)[0]) == "5"
    _assert_nowhere(config, caplog)


class TwoBox(FlowBox):
    text, taking = TWO, TakeBoth


def test_two_of_them_for_one_action(config: Config, prompts: PromptLibrary, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def main(box: TwoBox) -> tuple[str, str, list[str], str]:
        telephone = box.telephone()
        telephone.dial(BOX)
        await telephone.reached(Phase.TALKING)
        await press(telephone, f" {SECRET}  {SECRET[::-1]}   5")
        assert box.check.taken == [SECRET, SECRET[::-1], None, None]
        await telephone.reached(Phase.ENDED)
        telephone.hang_up()
        await box.idle()
        return await box.ask(_found)

    digits, path, failures, recording = run_box_of(TwoBox, config, prompts, main)
    assert (digits, path, failures) == ("•" * 16 + "5", "new>again>check>menu>bye", [])
    assert keys_in(recorded(config.paths.recordings_dir / recording)[0]) == "5"
    _assert_nowhere(config, caplog)


def _assert_nowhere(config: Config, caplog: pytest.LogCaptureFixture) -> None:
    """In no file, nor in the log."""
    for root in (config.paths.run_dir, config.paths.data_dir):
        for file in [file for file in Path(root).rglob("*") if file.is_file()]:
            content = file.read_bytes()
            assert not any(secret.encode() in content for secret in (SECRET, SECRET[::-1])), file
    assert SECRET not in caplog.text
    assert SECRET[::-1] not in caplog.text


def _found() -> tuple[str, str, list[str], str]:
    (record,) = CallRecord.select()
    (recording,) = Recording.select()
    failures = [event.what for event in events_of(record.call_id) if isinstance(event, CallFailed)]
    return record.digits, record.path, failures, recording.path
