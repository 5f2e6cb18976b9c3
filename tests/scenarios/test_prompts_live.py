"""A prompt gets another version while thirty calls go on: what plays is not touched, the next playing of each has the new file."""

import asyncio
from pathlib import Path
from typing import Any

from appliance.config import Config
from appliance.control.messages import UsePrompts
from appliance.ivr.prompts import kept, versions, wav
from appliance.ivr.prompts.catalogue import HERE
from appliance.ivr.prompts.library import PromptLibrary
from appliance.prompt_desk import LOOK_EVERY_S
from drivers.clock import VirtualClock, run_virtual
from drivers.protocol import Play, StopPlay
from tests.scenarios.flow_rig import editor
from tests.scenarios.killing import JumpingClock, Life, start_agent
from tests.scenarios.scripted_lines import ScriptedLines

CALLS = 30
MENU = wav.unwrap(HERE / "zh" / "main_menu.wav")


def put_in_use(own: Path, clock: VirtualClock) -> None:
    """A new audio of the main menu."""
    with kept.keeping(own, "main_menu", "zh", MENU[: len(MENU) // 2 * 2]) as audio:
        number = versions.add("main_menu", "zh", audio, "新的主菜单", versions.UPLOAD, "editor", clock.now())
    versions.put_in_use("main_menu", "zh", number, editor(), clock.now())


def plays_of_menu(server: ScriptedLines, since: int) -> list[str]:
    """Paths of the menu in what was played since that command."""
    played = [clip.path for command in server.commands[since:] if isinstance(command, Play) for clip in command.clips]
    return [path for path in played if "main_menu" in path]


def test_thirty_calls(config: Config) -> None:
    own = Path(config.paths.data_dir)

    async def main(clock: VirtualClock) -> Any:
        server = ScriptedLines(clock, channels=40)
        agent = await start_agent(config, server, clock, PromptLibrary(own=own), Life())
        await asyncio.sleep(1)
        legs = [server.ring() for _ in range(CALLS)]
        await asyncio.sleep(5)
        old, mark = plays_of_menu(server, 0), len(server.commands)
        await agent.store.run(lambda: put_in_use(own, clock))
        await agent.prompt_desk.use_prompts(UsePrompts(by="editor"))
        touched = [command for command in server.commands[mark:] if isinstance(command, Play | StopPlay)]
        for leg in legs:
            server.press(leg, "*")
        await asyncio.sleep(5)
        new, mark = plays_of_menu(server, mark), len(server.commands)
        await agent.store.run(lambda: versions.put_in_use("main_menu", "zh", versions.PACKAGED, editor(), clock.now()))
        await agent.prompt_desk.use_prompts(UsePrompts(by="editor"))
        for leg in legs:
            server.press(leg, "*")
        await asyncio.sleep(5)
        back = plays_of_menu(server, mark)
        await agent.stop()
        return old, touched, new, back

    old, touched, new, back = run_virtual(main, JumpingClock())
    packaged = str(HERE.resolve() / "zh" / "main_menu.wav")
    assert (set(old), len(old), touched) == ({packaged}, CALLS, [])
    assert len(new) == CALLS
    assert {Path(path).parent for path in new} == {own.resolve() / "prompts" / "zh"}
    assert (set(back), len(back)) == ({packaged}, CALLS)


def test_the_next_call_agent_knows_what_is_in_use(config: Config) -> None:
    """And nobody has to tell it."""
    own = Path(config.paths.data_dir)

    async def main(clock: VirtualClock) -> Any:
        server = ScriptedLines(clock, channels=4)
        agent = await start_agent(config, server, clock, PromptLibrary(own=own), Life())
        await asyncio.sleep(1)
        await agent.store.run(lambda: put_in_use(own, clock))
        found = []
        for successor in (True, False):
            mark = len(server.commands)
            if successor:
                await agent.stop()
                agent = await start_agent(config, server, clock, PromptLibrary(own=own), Life())
                await asyncio.sleep(1)
            else:  # told by nobody, it looks for itself
                await agent.store.run(lambda: versions.put_in_use("main_menu", "zh", versions.PACKAGED, editor(), clock.now()))
                await asyncio.sleep(LOOK_EVERY_S + 5)
            leg = server.ring()
            await asyncio.sleep(8)
            found += plays_of_menu(server, mark)
            server.hang_up(leg)
            await asyncio.sleep(6)
        await agent.stop()
        return found

    new, back = run_virtual(main, JumpingClock())
    assert Path(new).parent == own.resolve() / "prompts" / "zh"
    assert back == str(HERE.resolve() / "zh" / "main_menu.wav")


def test_a_file_that_is_gone_gives_way_to_the_one_before_and_is_told(config: Config) -> None:
    own = Path(config.paths.data_dir)

    async def main(clock: VirtualClock) -> Any:
        server = ScriptedLines(clock, channels=4)
        agent = await start_agent(config, server, clock, PromptLibrary(own=own), Life())
        await asyncio.sleep(1)
        for _ in range(2):
            await agent.store.run(lambda: put_in_use(own, clock))
        await agent.prompt_desk.use_prompts(UsePrompts(by="editor"))
        first, second = await agent.store.run(lambda: sorted(row.path for row in versions.versions("main_menu", "zh")))
        inode = {row.number: row.path for row in await agent.store.run(lambda: versions.versions("main_menu", "zh"))}
        found = []
        for gone in (inode[2], inode[1]):
            (own / gone).unlink()
            mark = len(server.commands)
            leg = server.ring()
            await asyncio.sleep(8)
            found.append((plays_of_menu(server, mark)[0], agent.prompts.fault.code if agent.prompts.fault else ""))
            server.hang_up(leg)
            await asyncio.sleep(6)
        (check,) = [check for check in agent.live.health.checks if check.name == "prompts"]
        await agent.prompt_desk.use_prompts(UsePrompts(by="editor"))
        still = agent.prompts.fault
        await agent.stop()
        return {first, second}, inode, found, check, still

    paths, inode, found, check, still = run_virtual(main, JumpingClock())
    assert paths == set(inode.values())
    assert found == [(str(own.resolve() / inode[1]), "APP-192"), (str(HERE.resolve() / "zh" / "main_menu.wav"), "APP-192")]
    assert (check.code, check.grade) == ("APP-192", "warning")
    assert still.code == "APP-192"
