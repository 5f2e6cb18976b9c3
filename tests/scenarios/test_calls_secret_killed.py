"""The call agent is killed at every single message while a password is asked for: the caller keys it when asked, again if asked again, and
it is found in no tag, no leg, no table. Nothing is asked for when it cannot be kept. The line server is a scripted one."""

import asyncio
from pathlib import Path

from appliance.call import Call
from appliance.config import Config
from appliance.events import CallFailed
from appliance.ivr.prompts.library import PromptLibrary
from appliance.store.database import open_store
from appliance.store.models import CallRecord
from appliance.store.projections import events_of
from drivers.clock import VirtualClock, run_virtual
from drivers.protocol import Command, LegPhase, MaskDigits, Play
from tests.scenarios.killing import JumpingClock, Life
from tests.scenarios.script_rig import ScriptAgent
from tests.scenarios.scripted_lines import PLAY_S, ScriptedLines

SECRET = "73918264"
QUESTION = "main_menu"


async def hotline(call: Call, taken: list[str | None]) -> None:
    """A password, and what takes it; asked again when it is gone."""
    if not call.tag.place:
        await call.answer()
        call.enter("password")
    while call.tag.place in ("password", "check"):
        if call.tag.place == "password":
            call.begin_secret()
            await call.say([QUESTION])
            await call.ask_secret(10, 10_000, 4000)
            call.enter("check")
        taken.append(call.take_secret())
        call.enter("menu" if taken[-1] else "password")
    await call.say(["goodbye"])


class Patient:
    """Keys the password a second after the question's end, however often it is asked."""

    def __init__(self, server: ScriptedLines) -> None:
        self._server = server
        self._keying: asyncio.Task[None] | None = None
        self.leg = ""

    def notice(self, command: Command) -> str:
        """Of every command that comes to the line server; refuses none."""
        for state in self._server.legs.values():
            assert not (state.digits_masked and state.digits)
            assert SECRET.encode() not in state.tag
        if isinstance(command, Play) and QUESTION in command.clips[0].path:
            if self._keying:
                self._keying.cancel()
            self._keying = asyncio.create_task(self._key())
        return ""

    async def _key(self) -> None:
        await asyncio.sleep(PLAY_S + 1)
        for key in f"{SECRET}#":
            self._server.press(self.leg, key)
            await asyncio.sleep(0.2)


def lived(config: Config, prompts: PromptLibrary, life: Life) -> tuple[list[str | None], str, Life]:
    """A call through all of it: what the check was given, the record's digits, and the life as it was lived."""
    taken: list[str | None] = []

    async def within(clock: VirtualClock) -> str:
        server = ScriptedLines(clock)
        patient = Patient(server)
        server.refuse = patient.notice
        agent = ScriptAgent(config, server, clock, prompts, life, lambda call: hotline(call, taken))
        await agent.start()
        await asyncio.sleep(1)
        patient.leg = server.ring()
        heir: ScriptAgent | None = None
        while any(state.phase is not LegPhase.RELEASED for state in server.legs.values()):
            if life.over.is_set() and heir is None:
                await agent.stop()
                await asyncio.sleep(0.5)
                heir = ScriptAgent(config, server, clock, prompts, Life(), lambda call: hotline(call, taken))
                await heir.start()
            await asyncio.sleep(0.1)
        await asyncio.sleep(10)
        await (heir or agent).stop()
        masks = [command.on for command in server.commands if isinstance(command, MaskDigits)]
        assert masks[-1] is False  # heard again at the end
        database = open_store(config.paths.database)
        (record,) = CallRecord.select()
        database.close()
        return str(record.digits)

    digits = run_virtual(within, JumpingClock())
    return taken, digits, life


def test_killed_at_every_message(folder: Path, config: Config, prompts: PromptLibrary) -> None:
    taken, digits, life = lived(config, prompts, Life())
    assert (taken, digits) == ([SECRET], "•" * 8)
    assert life.count > 30
    for messages in range(1, life.count + 1):
        fresh = Config(paths=type(config.paths)(run_dir=str(folder / f"{messages}/run"), data_dir=str(folder / f"{messages}/data")))
        taken, digits, _ = lived(fresh, prompts, Life(messages))
        assert taken[-1] == SECRET, messages
        assert set(taken) <= {SECRET, None}, messages
        assert set(digits) == {"•"}, messages
        for path in [path for path in (folder / str(messages)).rglob("*") if path.is_file()]:
            assert SECRET.encode() not in path.read_bytes()


def test_not_asked_for_when_the_caller_cannot_be_masked(config: Config, prompts: PromptLibrary) -> None:
    taken: list[str | None] = []

    async def within(clock: VirtualClock) -> None:
        server = ScriptedLines(clock)
        server.refuse = lambda command: "no mask today" if isinstance(command, MaskDigits) and command.on else ""
        agent = ScriptAgent(config, server, clock, prompts, Life(), lambda call: hotline(call, taken))
        await agent.start()
        await asyncio.sleep(1)
        leg = server.ring()
        await asyncio.sleep(2)
        for key in SECRET:
            server.press(leg, key)
        await asyncio.sleep(20)
        assert not server.legs
        await agent.stop()

    run_virtual(within, JumpingClock())
    database = open_store(config.paths.database)
    (record,) = CallRecord.select()
    failures = [event.what for event in events_of(record.call_id) if isinstance(event, CallFailed)]
    database.close()
    assert (taken, failures) == ([], ["no secret can be asked for: no mask today"])
    assert record.digits == "•" * 8
