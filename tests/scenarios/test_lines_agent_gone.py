"""The call agent dies, comes back, is refused, asks for what cannot be done: calls go on, each error names thing and remedy."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from drivers.config import GroupConfig
from drivers.protocol import (
    Answer,
    BlockChannel,
    Bridge,
    Clip,
    Command,
    CommandFailed,
    DetectTones,
    Digit,
    EngineReport,
    Forget,
    Gain,
    LegPhase,
    Offered,
    Ping,
    Play,
    PlayDone,
    PlayEnd,
    PlayTone,
    Pong,
    Refused,
    Release,
    Released,
    Seize,
    SendDigits,
    SetTag,
    StartRecording,
    Welcome,
)
from drivers.virtual.handset import Phase
from tests.scenarios.lines_rig import LINES, Agent, Rig, recorded, run_rig, speech_like, wav


def test_call_goes_on_while_the_agent_is_dead(folder: Path) -> None:
    """Prompt and recording go on, keys are kept, and the next agent finds it all in the snapshot."""
    prompt = speech_like(4, seed=1)

    async def main(rig: Rig) -> None:
        caller, leg = await rig.answered()
        rig.agent.send(StartRecording(leg=leg, recording_id="r", path="r.wav"))
        rig.agent.send(SetTag(leg=leg, tag=b"in the menu"))
        await asyncio.sleep(0.1)
        rig.agent.send(Play(leg=leg, play_id=7, clips=(Clip(str(wav(folder / "p.wav", prompt))),)))
        await asyncio.sleep(0.5)
        rig.agent.die()
        caller.press("42")
        await asyncio.sleep(5)
        state = (await rig.agent.welcome()).legs[0]
        assert (state.leg, state.tag, state.phase) == (leg, b"in the menu", LegPhase.ANSWERED)
        assert "".join(press.digit for press in state.digits) == "42"
        assert state.play is not None
        assert (state.play.play_id, state.play.end) == (7, PlayEnd.FINISHED)
        assert not state.recordings[0].stopped
        assert not rig.agent.heard(Digit)
        caller.hang_up()
        await rig.agent.told(Released)

    run_rig(folder, main)
    assert prompt in recorded(folder / "data" / "recordings" / "r.wav")[1]


def test_released_leg_stays_until_forgotten(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        caller, leg = await rig.answered()
        rig.agent.die()
        caller.hang_up()
        await asyncio.sleep(3)
        state = (await rig.agent.welcome()).legs[0]
        assert (state.phase, state.released_by_far_end, state.cause) == (LegPhase.RELEASED, True, 16)
        rig.agent.send(Forget(leg=leg))
        await asyncio.sleep(0.1)
        rig.agent.die()
        assert (await rig.agent.welcome()).legs == ()
        assert list((folder / "run" / "legs").iterdir()) == []

    run_rig(folder, main)


def test_call_offered_while_nobody_is_there(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        rig.call_in()
        await asyncio.sleep(4)
        state = (await rig.agent.welcome()).legs[0]
        assert state.phase is LegPhase.OFFERED
        rig.agent.send(Answer(leg=state.leg))
        await asyncio.sleep(12)
        assert rig.leg(state.leg).phase is LegPhase.ANSWERED

    run_rig(folder, main, connected=False)


def test_nobody_hears_ringing_for_ever(folder: Path) -> None:
    hold, greeting = speech_like(2, seed=2), speech_like(1, seed=3)
    lines = msgspec.structs.replace(LINES, unattended_prompt=str(wav(folder / "hold.wav", hold)))

    async def main(rig: Rig) -> None:
        caller = rig.call_in()
        await caller.reached(Phase.TALKING, limit_s=12)
        caller.listen(folder / "heard.wav")
        await asyncio.sleep(5)
        state = (await rig.agent.welcome()).legs[0]
        assert (state.phase, state.play) == (LegPhase.ANSWERED, None)
        rig.agent.send(Play(leg=state.leg, play_id=1, clips=(Clip(str(wav(folder / "g.wav", greeting))),)))
        assert (await rig.agent.told(PlayDone)).play_id == 1
        await asyncio.sleep(0.2)
        caller.hang_up()
        await rig.agent.told(Released)

    run_rig(folder, main, lines, connected=False)
    heard = recorded(folder / "heard.wav")[0]
    assert heard.count(hold) >= 1
    assert greeting in heard


def test_agent_dies_while_a_call_rings(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        caller = rig.call_in()
        await rig.offered()
        rig.agent.die()
        await caller.reached(Phase.TALKING, limit_s=10)

    run_rig(folder, main)


def test_second_agent_is_refused_while_the_first_lives(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        second = Agent(rig.server)
        await second.connect()
        refused = await second.told(Refused)
        assert refused.code == "LIN-051"
        rig.agent.die()
        await asyncio.sleep(0.1)
        await second.welcome()

    run_rig(folder, main)


def test_another_version_is_refused(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        await rig.agent.connect(version=99)
        refused = await rig.agent.told(Refused)
        assert (refused.code, "version 99" in refused.what) == ("LIN-050", True)
        await Agent(rig.server).welcome()

    run_rig(folder, main, connected=False)


def test_ping_and_health(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        rig.agent.send(Ping())
        await rig.agent.told(Pong)
        assert (await rig.agent.told(EngineReport, limit_s=6)).events_lost == 0

    run_rig(folder, main)


# --- what cannot be done -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "code", "named"),
    [
        (Answer(leg="nobody"), "LIN-030", "nobody"),
        (Release(leg="L", cause=0), "LIN-042", "cause = 0"),
        (Play(leg="L", play_id=1, clips=(Clip("/no/such.wav"),)), "LIN-037", "/no/such.wav"),
        (Play(leg="L", play_id=1, clips=()), "LIN-042", "clips"),
        (Play(leg="L", play_id=1, clips=(Clip(silence_ms=0),)), "LIN-042", "silence"),
        (Play(leg="L", play_id=1, clips=(Clip("a\0b"),)), "LIN-037", "prompt"),
        (PlayTone(leg="L", tone="fanfare"), "LIN-040", "fanfare"),
        (SendDigits(leg="L", digits="12x"), "LIN-042", "12x"),
        (DetectTones(leg="L", tones=("cough",)), "LIN-040", "cough"),
        (Gain(leg="L", rx_db=90.0), "LIN-042", "rx_db"),
        (StartRecording(leg="L", recording_id="r", path="../../etc/passwd"), "LIN-036", "../../etc/passwd"),
        (StartRecording(leg="L", recording_id="r", path="/etc/passwd"), "LIN-036", "/etc/passwd"),
        (StartRecording(leg="L", recording_id="r", path="."), "LIN-036", "recordings"),
        (Bridge(leg="L", other="L"), "LIN-039", "itself"),
        (Bridge(leg="L", other="nobody"), "LIN-030", "nobody"),
        (Forget(leg="L"), "LIN-041", "still up"),
        (Seize(leg="L", group="trunk", number="8"), "LIN-032", "L"),
        (Seize(leg="../x", group="trunk", number="8"), "LIN-032", "../x"),
        (Seize(leg="n", group="nowhere"), "LIN-033", "nowhere"),
        (Seize(leg="n", channel=99), "LIN-033", "99"),
        (Seize(leg="n", group="trunk", number="eight"), "LIN-042", "eight"),
        (BlockChannel(channel=77), "LIN-033", "77"),
    ],
)
def test_command_that_cannot_be_done(folder: Path, command: Command, code: str, named: str) -> None:
    """The answer names the thing, and the call is none the worse."""

    async def main(rig: Rig) -> None:
        _, leg = await rig.answered()
        changes = {name: leg for name in ("leg", "other") if getattr(command, name, "") == "L"}
        command_id = rig.agent.send(msgspec.structs.replace(command, **changes))
        failed = await rig.agent.told(CommandFailed)
        assert (failed.command_id, failed.code) == (command_id, code)
        assert named.replace("L", leg) if named == "L" else named in failed.what
        assert failed.remedy
        assert rig.leg(leg).phase is LegPhase.ANSWERED

    run_rig(folder, main)


def test_corrupt_prompt_is_named_and_the_play_has_failed(folder: Path) -> None:
    broken = folder / "broken.wav"
    broken.write_bytes(wav(folder / "good.wav", b"\xd5" * 800).read_bytes()[:100])

    async def main(rig: Rig) -> None:
        _, leg = await rig.answered()
        rig.agent.send(Play(leg=leg, play_id=3, clips=(Clip(str(folder / "good.wav")), Clip(str(broken)))))
        done = await rig.agent.told(PlayDone)
        assert (done.play_id, done.end) == (3, PlayEnd.FAILED)
        failed = await rig.agent.told(CommandFailed)
        assert failed.code == "MED-021"
        assert str(broken) in failed.what
        state = rig.leg(leg)
        assert state.play is not None
        assert state.play.end is PlayEnd.FAILED

    run_rig(folder, main)


def test_commands_to_a_call_that_is_over(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        caller, leg = await rig.answered()
        caller.hang_up()
        await rig.agent.told(Released)
        rig.agent.send(Play(leg=leg, play_id=1, clips=(Clip(silence_ms=100),)))
        assert (await rig.agent.told(CommandFailed)).code == "LIN-031"
        rig.agent.send(Release(leg=leg))
        await asyncio.sleep(0.1)
        assert not rig.agent.heard(CommandFailed)

    run_rig(folder, main)


def test_group_with_channels_the_card_does_not_have(folder: Path) -> None:
    """The others are in use, and what is missing is told (more of it in test_lines_setup_refused)."""
    lines = msgspec.structs.replace(LINES, groups=(GroupConfig(name="t", channels="1-9"),))

    async def main(rig: Rig) -> None:
        assert sorted(rig.server.lines.channels) == [1, 2, 3, 4, 5, 6]
        assert [fault.what for fault in rig.server.lines.welcome().faults] == [
            'group "t": the virtual card has no channel 7-9 that carries calls'
        ]
        await rig.answered()

    run_rig(folder, main, lines)


def test_offers_in_the_snapshot_are_not_told_again(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        rig.call_in()
        await asyncio.sleep(3)
        await rig.agent.welcome()
        await asyncio.sleep(1)
        assert not rig.agent.heard(Offered)
        assert not rig.agent.heard(Welcome)

    run_rig(folder, main, connected=False)
