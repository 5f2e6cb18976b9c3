"""A password keyed on the virtual card, its keys as audio: one action gets it; no log, event, tag, table, file or recording does."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.call import Call
from appliance.call.outcome import Keyed
from appliance.call.secret import Secret
from appliance.config import Config
from appliance.ivr.prompts.library import PromptLibrary
from appliance.store.models import CallEvent, CallRecord
from drivers.clock import VirtualClock
from drivers.config import LinesConfig
from drivers.virtual.handset import Phase
from drivers.virtual.telephone import OutsideTelephone
from tests.dtmf import keys_in
from tests.scenarios.box_rig import BOX, Box, run_box_of, until
from tests.scenarios.killing import Life
from tests.scenarios.lines_rig import recorded
from tests.scenarios.script_rig import ScriptAgent

SECRET = "73918264"
CARD = "2580"


class Hotline:
    """Asks for a card's number and its password, then for one more key. What it was given, and how."""

    def __init__(self) -> None:
        self.most = 8
        self.secrets: list[Secret] = []
        self.taken: list[str | None] = []
        self.asking = asyncio.Event()
        self.over = asyncio.Event()

    async def __call__(self, call: Call) -> None:
        if not call.tag.place:
            await call.answer()
            call.enter("card")
        while call.tag.place != "over":
            await getattr(self, f"_{call.tag.place}")(call)
        self.over.set()
        await asyncio.sleep(60)

    async def _card(self, call: Call) -> None:
        await call.say(["greeting"])
        await call.ask_digits(10, 10_000, 4000, "#")
        call.enter("password")

    async def _password(self, call: Call) -> None:
        call.begin_secret()
        self.asking.set()
        await call.say(["main_menu"])
        self.secrets.append(await call.ask_secret(self.most, 10_000, 4000))
        call.enter("menu")

    async def _menu(self, call: Call) -> None:
        self.taken.append(call.take_secret())
        await call.say(["goodbye"])
        await call.ask_digits(1, 5000)
        call.enter("over")


class ScriptBox(Box):
    """A box whose calls run that script."""

    def __init__(self, clock: VirtualClock, config: Config, lines: LinesConfig, prompts: PromptLibrary) -> None:
        super().__init__(clock, config, lines, prompts)
        self.hotline = Hotline()

    async def start_agent(self, life: Life) -> None:
        agent = ScriptAgent(self.config, self.server, self.clock, self.prompts, life, self.hotline)
        self.agent = agent  # type: ignore[assignment]  # as far as a Box goes
        await agent.start()
        await until(lambda: agent.lines.connected, 10.0)


async def keyed(telephone: OutsideTelephone, keys: str, on_ms: int = 100, off_ms: int = 100) -> None:
    telephone.press(keys, on_ms, off_ms)
    await telephone.keys_sent()


def assert_nowhere(folder: Path) -> None:
    """In no file's bytes, be it a leg's, the store's or anything else's."""
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        assert SECRET.encode() not in path.read_bytes(), path


class Finding:
    """What a call left."""

    def __init__(self, box: ScriptBox, record: dict[str, Any], kinds: list[str]) -> None:
        self.hotline = box.hotline
        self.digits: str = record["digits"]
        self.kinds = kinds
        left, right = recorded(box.config.paths.recordings_dir / record["recording"])
        self.heard, self.sent = keys_in(left), keys_in(right)


def run_call(config: Config, prompts: PromptLibrary, act: Callable[[ScriptBox, OutsideTelephone], Awaitable[None]]) -> Finding:
    """One call as `act` makes it, and what is found of it; the secret nowhere, while it is keyed and afterwards."""

    async def main(box: ScriptBox) -> Finding:
        telephone = box.telephone()
        telephone.dial(BOX)
        await telephone.reached(Phase.TALKING)
        await act(box, telephone)
        telephone.hang_up()
        await box.idle()
        return await box.ask(lambda: _found(box))

    found: Finding = run_box_of(ScriptBox, config, prompts, main)
    assert_nowhere(Path(config.paths.run_dir))
    assert_nowhere(Path(config.paths.data_dir))
    return found


def _found(box: ScriptBox) -> Finding:
    (row,) = CallRecord.select()
    record: dict[str, Any] = row.__data__
    events = list(CallEvent.select().order_by(CallEvent.seq))
    assert not [event.body for event in events if SECRET in event.body]
    (path,) = [msgspec.json.decode(event.body)["path"] for event in events if event.kind == "RecordingStarted"]
    return Finding(box, {**record, "recording": path}, [event.kind for event in events])


async def card_first(box: ScriptBox, telephone: OutsideTelephone) -> None:
    """The card's number, until the password is asked for, when the mask reaches back to its last key."""
    await asyncio.sleep(2)
    await keyed(telephone, f"{CARD}#")
    await box.hotline.asking.wait()


def test_one_action_gets_it_and_nothing_else_does(config: Config, prompts: PromptLibrary, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def act(box: ScriptBox, telephone: OutsideTelephone) -> None:
        box.hotline.most = 10
        await card_first(box, telephone)
        await asyncio.sleep(1)
        await keyed(telephone, SECRET)  # stops the prompt
        await asyncio.sleep(0.3)
        assert_nowhere(Path(config.paths.run_dir))
        (live,) = box.agent.live.calls.values()
        assert live.digits == f"{CARD}#"
        await keyed(telephone, "#")
        await asyncio.sleep(2)
        await keyed(telephone, "5")
        await box.hotline.over.wait()
        (live,) = box.agent.live.calls.values()
        assert live.digits == f"{CARD}#{'•' * 8}5"

    found = run_call(config, prompts, act)
    (secret,) = found.hotline.secrets
    assert (found.hotline.taken, secret.keyed, secret.ended_by) == ([SECRET], Keyed.ENDED, "#")
    assert (found.digits, found.heard, found.sent) == (f"{CARD}#{'•' * 8}5", f"{CARD}5", "")
    assert found.kinds.count("SecretEntered") == 1
    assert SECRET not in caplog.text
    assert "SetTag" not in caplog.text  # nobody shows what is on the wire either


@pytest.mark.parametrize(("on_ms", "off_ms"), [(100, 100), (60, 60), (200, 150)])
def test_all_typed_ahead(config: Config, prompts: PromptLibrary, on_ms: int, off_ms: int) -> None:
    """Who knows the way keys everything at once: what was recorded before it was known that a secret comes is wiped."""

    async def act(box: ScriptBox, telephone: OutsideTelephone) -> None:
        await asyncio.sleep(1)
        await keyed(telephone, f"{CARD}#{SECRET}#", on_ms, off_ms)
        await box.hotline.over.wait()

    found = run_call(config, prompts, act)
    assert found.hotline.taken == [SECRET]
    assert CARD.startswith(found.heard)
    assert found.digits == f"{CARD}#{'•' * 8}"


@pytest.mark.parametrize("wait_ms", range(0, 400, 40))
def test_the_first_key_at_any_moment_about_the_question(config: Config, prompts: PromptLibrary, wait_ms: int) -> None:
    """Down already, going down, or just pressed when the mask goes on."""

    async def act(box: ScriptBox, telephone: OutsideTelephone) -> None:
        await asyncio.sleep(1)
        telephone.press(f"{CARD}#")
        await telephone.keys_sent()
        await asyncio.sleep(wait_ms / 1000)
        await keyed(telephone, f"{SECRET}#")
        await box.hotline.over.wait()

    found = run_call(config, prompts, act)
    assert found.hotline.taken == [SECRET]
    assert CARD.startswith(found.heard)


@pytest.mark.parametrize(
    ("keys", "taken", "shown"),
    [
        ("739182649", "73918264", 8),  # a key too many
        ("73918264#", "73918264", 8),  # an end key that was not needed
        ("7391", "7391", 4),  # no end key: the time runs out
        ("#", None, 0),
        ("", None, 0),
    ],
)
def test_how_it_ends(config: Config, prompts: PromptLibrary, keys: str, taken: str | None, shown: int) -> None:
    async def act(box: ScriptBox, telephone: OutsideTelephone) -> None:
        await card_first(box, telephone)
        await asyncio.sleep(0.5)
        if keys:
            await keyed(telephone, keys)
        await box.hotline.over.wait()

    found = run_call(config, prompts, act)
    assert found.hotline.taken == [taken]
    assert (found.digits, found.heard) == (f"{CARD}#{'•' * shown}", CARD)
    assert found.kinds.count("CallerSilent") == (1 if keys else 2)


def test_hung_up_in_the_middle(config: Config, prompts: PromptLibrary) -> None:
    async def act(box: ScriptBox, telephone: OutsideTelephone) -> None:
        await card_first(box, telephone)
        await keyed(telephone, SECRET[:7])

    found = run_call(config, prompts, act)
    assert found.hotline.taken == []
    assert (found.digits, found.heard) == (f"{CARD}#{'•' * 7}", CARD)


def test_a_new_call_agent_asks_again(config: Config, prompts: PromptLibrary) -> None:
    async def act(box: ScriptBox, telephone: OutsideTelephone) -> None:
        await card_first(box, telephone)
        await keyed(telephone, SECRET[:4])
        await box.agent.stop()
        box.hotline.asking.clear()
        await keyed(telephone, SECRET[4:])  # nobody there
        assert_nowhere(Path(config.paths.run_dir))
        await box.start_agent(Life())
        await box.hotline.asking.wait()
        await keyed(telephone, f"{SECRET[6:]}#")  # who noticed nothing goes on
        assert_nowhere(Path(config.paths.run_dir))
        await asyncio.sleep(box.prompts.duration_ms("main_menu", "zh") / 1000)
        assert not box.hotline.secrets
        await keyed(telephone, f"{SECRET}#")
        await box.hotline.over.wait()

    found = run_call(config, prompts, act)
    assert found.hotline.taken == [SECRET]
    assert (found.digits, found.heard) == (f"{CARD}#{'•' * 8}", CARD)


def test_an_unused_secret_is_gone_with_the_call_agent(config: Config, prompts: PromptLibrary) -> None:
    async def act(box: ScriptBox, telephone: OutsideTelephone) -> None:
        await card_first(box, telephone)
        await keyed(telephone, f"{SECRET}#")
        await asyncio.sleep(0.5)
        await box.next_agent(Life())
        await keyed(telephone, "5")
        await box.hotline.over.wait()

    found = run_call(config, prompts, act)
    assert found.hotline.taken == [SECRET, None]
    assert (found.digits, found.heard) == (f"{CARD}#{'•' * 8}5", f"{CARD}5")
