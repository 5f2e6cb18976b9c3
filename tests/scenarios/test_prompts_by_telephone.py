"""Prompts recorded by telephone on the virtual card: what was spoken is what the version holds, byte for byte; who has no code records
nothing; a call agent that dies in the middle leaves nothing half."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.config import Config
from appliance.control.messages import UsePrompts
from appliance.ivr.prompts import kept, orders, shape, versions, wav
from appliance.ivr.prompts.catalogue import HERE
from appliance.ivr.prompts.library import PromptLibrary
from appliance.ivr.prompts.recordings import alaw_of
from appliance.ivr.reading import built_in
from appliance.store.models import Recording
from appliance.store.voice_tables import PromptOrder, PromptVersion
from drivers.virtual.handset import Phase
from drivers.virtual.telephone import OutsideTelephone
from tests.scenarios.box_rig import BOX, Box, press, run_box_of, until, world
from tests.scenarios.flow_rig import editor
from tests.scenarios.killing import Life, start_agent
from tests.scenarios.lines_rig import recorded, speech_like

TWO_LINES = world(2, 1)
TEXT = "欢迎致电示范医院。"
GREETING = wav.unwrap(HERE / "zh" / "greeting.wav")


class StudioBox(Box):
    """A box whose calls walk the program's own flows, with prompts of its own."""

    async def start_agent(self, life: Life) -> None:
        self.agent = await start_agent(self.config, self.server, self.clock, self.prompts, life, built_in())
        await until(lambda: self.agent.lines.connected, 10.0)

    @property
    def own(self) -> Path:
        return Path(self.config.paths.data_dir)

    async def ordered(self) -> str:
        """The code of an order for the Mandarin greeting."""

        def order() -> str:
            made = orders.record("greeting", "zh", TEXT, editor(), self.clock.now())
            assert made
            return made.code

        return str(await self.agent.store.run(order))

    async def in_studio(self, keys: str) -> OutsideTelephone:
        """A caller who has pressed these keys in the main menu."""
        telephone = self.telephone()
        telephone.dial(BOX)
        await telephone.reached(Phase.TALKING)
        await press(telephone, f" 8.{keys}")
        return telephone

    async def speak(self, telephone: OutsideTelephone, seed: int) -> bytes:
        """After the tone, then #."""
        await self.recording()
        await asyncio.sleep(0.5)
        spoken = speech_like(3, seed)
        telephone.speak_samples(spoken)
        await telephone.spoken()
        await asyncio.sleep(0.3)
        await press(telephone, "#")
        return spoken

    async def recording(self) -> None:
        """Until the line server records a statement."""
        await until(lambda: any("-s" in name and not state.stopped for name, state in self.statements()), 30.0)

    def statements(self) -> list[tuple[str, Any]]:
        return [item for call in self.agent.switchboard.calls.values() for item in call.main.recordings.items()]

    async def over(self, telephone: OutsideTelephone) -> None:
        self.card.world.dismiss(telephone)
        await self.idle()
        await asyncio.sleep(1)

    async def versions(self) -> list[PromptVersion]:
        found: list[PromptVersion] = await self.ask(lambda: versions.versions("greeting", "zh"))
        return found

    def audio(self, version: PromptVersion) -> bytes:
        return kept.whole(self.own, version.path, version.sha256)


def run_studio(config: Config, main: Callable[[StudioBox], Awaitable[Any]]) -> Any:
    return run_box_of(StudioBox, config, PromptLibrary(own=Path(config.paths.data_dir)), main, TWO_LINES)


def test_what_was_spoken_is_what_the_version_holds(config: Config, folder: Path) -> None:
    async def main(box: StudioBox) -> Any:
        telephone = await box.in_studio(await box.ordered())
        spoken = await box.speak(telephone, seed=1)
        telephone.listen(folder / "heard.wav")
        await asyncio.sleep(12)
        telephone.stop_listening()
        await press(telephone, "1 ")
        await box.over(telephone)
        (version,) = await box.versions()
        order, statement = await box.ask(lambda: (PromptOrder.get(), Recording.get(Recording.recording_id.contains("-s"))))
        return spoken, version, box.audio(version), order, config.paths.recordings_dir / statement.path

    spoken, version, held, order, statement = run_studio(config, main)
    assert (version.number, version.source, version.text, version.author) == (1, "telephone", TEXT, "editor")
    assert (order.state, order.version, order.code) == ("done", 1, "")
    assert spoken in held
    assert held in alaw_of(statement)
    assert len(alaw_of(statement)) > len(held)  # without the tone of #
    assert spoken in recorded(folder / "heard.wav")[0]  # it was played back to the caller
    assert not list((Path(config.paths.data_dir) / "prompts").rglob("*.new"))


def test_recorded_again_only_the_second_is_kept(config: Config) -> None:
    async def main(box: StudioBox) -> Any:
        telephone = await box.in_studio(await box.ordered())
        await box.speak(telephone, seed=1)
        await asyncio.sleep(12)
        await press(telephone, "2")
        second = await box.speak(telephone, seed=2)
        await asyncio.sleep(12)
        await press(telephone, "1 ")
        await box.over(telephone)
        return second, [box.audio(version) for version in await box.versions()]

    second, (held,) = run_studio(config, main)
    assert second in held


@pytest.mark.parametrize("case", ["wrong", "too late", "taken back", "used", "hung up", "not kept"])
def test_who_may_not_or_will_not_records_nothing(config: Config, case: str) -> None:
    async def main(box: StudioBox) -> Any:
        code = await box.ordered()
        if case == "too late":
            await box.agent.store.run(lambda: PromptOrder.update(expires_at=box.clock.now() - timedelta(seconds=1)).execute())
        if case in ("taken back", "used"):
            await box.agent.store.run(lambda: PromptOrder.update(state="over" if case == "taken back" else "done").execute())
        keyed = f"{(int(code) + 1) % 10**8:08}" if case == "wrong" else code
        telephone = await box.in_studio(keyed)
        if case in ("hung up", "not kept"):
            await box.speak(telephone, seed=1)
            await asyncio.sleep(12)
        if case == "hung up":
            box.card.world.dismiss(telephone)
        await asyncio.sleep(90)
        states = [name for name, _ in box.statements() if "-s" in name]
        await box.over(telephone)
        return states, await box.versions(), (await box.ask(lambda: PromptOrder.get())).state

    states, found, state = run_studio(config, main)
    assert found == []
    assert (states == []) or case == "not kept"
    assert state in {"waiting", "over", "done"}


@pytest.mark.parametrize("while_", ["speaking", "taking", "keeping"])
def test_a_call_agent_that_dies_leaves_nothing_half(config: Config, while_: str) -> None:
    """The next one goes on; there is one whole version, or none and no file of one."""

    async def main(box: StudioBox) -> Any:
        telephone = await box.in_studio(await box.ordered())
        if while_ == "speaking":
            await box.recording()
            telephone.speak_samples(speech_like(1, seed=3))
            await telephone.spoken()
            await box.next_agent(Life())
        spoken = await box.speak(telephone, seed=1)
        if while_ == "taking":
            await box.next_agent(Life())
        await asyncio.sleep(14)
        if while_ == "keeping":
            telephone.press("1")
            await asyncio.sleep(0.3)
            await box.next_agent(Life())
        else:
            await press(telephone, "1")
        await asyncio.sleep(12)
        await box.over(telephone)
        (version,) = await box.versions()
        named = await box.ask(versions.paths)
        return spoken, box.audio(version), [str(path.relative_to(box.own)) for path in (box.own / "prompts/zh").iterdir()], named

    spoken, held, files, named = run_studio(config, main)
    assert spoken in held
    assert set(files) == named


@pytest.mark.parametrize("quarter", range(4))
def test_death_after_any_message_leaves_a_whole_version_or_none(config: Config, quarter: int) -> None:
    """The caller does what he would have done, whatever he hears; the order is done if and only if there is its version."""

    def lived(kill_after: int) -> int:
        for path in (config.paths.database, *config.paths.database.parent.glob("careline.db-*")):
            path.unlink(missing_ok=True)

        async def main(box: StudioBox) -> Any:
            code = await box.ordered()
            life = Life(kill_after)
            await box.next_agent(life)
            successor = asyncio.create_task(_next_when_dead(box, life))
            telephone = await box.in_studio(code)
            await asyncio.sleep(9)
            telephone.speak_samples(speech_like(2, seed=1))
            await telephone.spoken()
            for keys in ("#", " ", " ", "1", " "):
                await press(telephone, keys)
            await box.over(telephone)
            successor.cancel()
            order, found = await box.ask(lambda: (PromptOrder.get(), versions.versions("greeting", "zh")))
            assert [order.state == "done"] == [bool(found)]
            assert all(box.audio(version) for version in found)
            return life.count

        return int(run_studio(config, main))

    whole = lived(1 << 30)
    points = range(10, whole, max(1, (whole - 10) // 24))  # the first few are the greeting of the line server
    for point in points[quarter::4]:
        lived(point)


async def _next_when_dead(box: StudioBox, life: Life) -> None:
    await life.over.wait()
    await box.next_agent(Life())


def test_the_next_playing_has_the_new_version_and_the_one_that_plays_goes_on(config: Config, folder: Path) -> None:
    """Heard on two lines: the old greeting to its end, without a gap, and the new one."""
    new = shape.encode([value * 0.5 for value in shape.decode(GREETING[::-1])])

    async def main(box: StudioBox) -> Any:
        first, second = box.telephone(), box.telephone()
        first.dial(BOX)
        await first.reached(Phase.TALKING)
        first.listen(folder / "first.wav")
        await asyncio.sleep(0.5)

        def put() -> None:
            with kept.keeping(box.own, "greeting", "zh", new) as audio:
                number = versions.add("greeting", "zh", audio, TEXT, versions.UPLOAD, "editor", box.clock.now())
            versions.put_in_use("greeting", "zh", number, editor(), box.clock.now())

        await box.agent.store.run(put)
        await box.agent.prompt_desk.use_prompts(UsePrompts(by="editor"))
        second.dial(BOX)
        await second.reached(Phase.TALKING)
        second.listen(folder / "second.wav")
        await asyncio.sleep(12)
        for telephone in (first, second):
            telephone.stop_listening()
            box.card.world.dismiss(telephone)
        await box.idle()

    run_studio(config, main)
    middle = len(GREETING) // 4
    assert GREETING[middle:-200] in recorded(folder / "first.wav")[0]
    assert new[middle:-200] in recorded(folder / "second.wav")[0]
