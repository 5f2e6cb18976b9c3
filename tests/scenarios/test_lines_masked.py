"""Secrets keyed on the virtual card: the keys reach the call agent and nothing else, whoever dies meanwhile."""

import asyncio
import logging
from pathlib import Path

import pytest

from drivers.protocol import (
    Bridge,
    Bridged,
    Clip,
    CommandFailed,
    Digit,
    MaskDigits,
    Play,
    PlayDone,
    PlayEnd,
    RecordingDone,
    Released,
    Seize,
    StartRecording,
)
from drivers.virtual.handset import Phase
from drivers.virtual.telephone import OutsideTelephone
from tests.dtmf import keys_in
from tests.scenarios.lines_rig import Rig, recorded, run_rig
from tests.scenarios.mortal_rig import Mortal, run_mortal

SECRET = "73918264"


async def press(caller: OutsideTelephone, keys: str) -> None:
    caller.press(keys)
    await caller.keys_sent()
    await asyncio.sleep(0.3)


def taken(rig: Rig) -> str:
    """Keys the call agent was told, secret ones in brackets."""
    presses = rig.agent.heard(Digit)
    return "".join(f"({press.digit})" if press.secret else press.digit for press in presses)


def bracketed(keys: str) -> str:
    return "".join(f"({key})" for key in keys)


async def begin(rig: Rig) -> tuple[OutsideTelephone, str]:
    """A call that is recorded."""
    caller, leg = await rig.answered()
    rig.agent.send(StartRecording(leg=leg, recording_id="r", path="r.wav"))
    await asyncio.sleep(0.1)
    return caller, leg


async def end(rig: Rig, caller: OutsideTelephone) -> None:
    caller.hang_up()
    await rig.agent.told(Released)
    await rig.agent.told(RecordingDone)


def assert_nowhere(folder: Path, secret: str) -> None:
    """In no file's bytes."""
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        assert secret.encode() not in path.read_bytes(), path


def keys_recorded(folder: Path) -> str:
    return keys_in(recorded(folder / "data" / "recordings" / "r.wav")[0])


def test_only_the_call_agent_knows_them(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def main(rig: Rig) -> None:
        caller, leg = await begin(rig)
        await press(caller, "12")
        await asyncio.sleep(1)
        rig.agent.send(MaskDigits(leg=leg, on=True))
        await press(caller, SECRET)
        state = rig.leg(leg)
        assert (state.digits_masked, state.digits) == (True, ())
        assert rig.server.lines.welcome().legs[0].digits == ()
        assert_nowhere(folder, SECRET)
        rig.agent.send(MaskDigits(leg=leg, on=False))
        await asyncio.sleep(0.5)
        await press(caller, "34")
        assert [press.digit for press in rig.leg(leg).digits] == ["3", "4"]
        assert taken(rig) == f"12{bracketed(SECRET)}34"
        assert SECRET not in "".join(repr(press) for press in rig.agent.heard(Digit))
        await end(rig, caller)

    run_rig(folder, main)
    assert keys_recorded(folder) == "34"  # 12 waited for the call agent: it may have been of the secret
    assert_nowhere(folder, SECRET)
    assert SECRET not in caplog.text
    assert not [record for record in caplog.records if any(f"'{key}'" in record.getMessage() for key in SECRET)]


def test_typed_ahead_is_dropped_and_wiped(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        caller, leg = await begin(rig)
        await press(caller, "7391")
        caller.press("8264")
        await asyncio.sleep(0.25)  # in the middle of it
        rig.agent.send(MaskDigits(leg=leg, on=True))
        await caller.keys_sent()
        await asyncio.sleep(0.3)
        assert "".join(press.digit for press in rig.agent.heard(Digit)) == SECRET
        assert rig.leg(leg).digits == ()
        await end(rig, caller)

    run_rig(folder, main)
    assert keys_recorded(folder) == ""


def test_the_mask_survives_the_call_agent(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        caller, leg = await begin(rig)
        rig.agent.send(MaskDigits(leg=leg, on=True))
        await press(caller, SECRET[:4])
        rig.agent.die()
        await press(caller, SECRET[4:])
        (state,) = (await rig.agent.welcome()).legs
        assert (state.digits_masked, state.digits) == (True, ())
        rig.agent.send(MaskDigits(leg=leg, on=False))
        await asyncio.sleep(0.5)
        await press(caller, "5")
        assert taken(rig) == f"{bracketed(SECRET[:4])}5"
        await end(rig, caller)

    run_rig(folder, main)
    assert keys_recorded(folder) == "5"
    assert_nowhere(folder, SECRET)


def test_the_mask_survives_the_line_server(folder: Path) -> None:
    async def main(rig: Rig, mortal: Mortal) -> None:
        caller, leg = await begin(rig)
        rig.agent.send(MaskDigits(leg=leg, on=True))
        await press(caller, SECRET[:4])
        (state,) = (await mortal.restart()).legs
        assert (state.leg, state.digits_masked, state.digits) == (leg, True, ())
        await press(caller, SECRET[4:])
        assert taken(rig) == bracketed(SECRET[4:])
        rig.agent.send(MaskDigits(leg=leg, on=False))
        await asyncio.sleep(0.5)
        await press(caller, "5")
        await end(rig, caller)

    run_mortal(folder, main)
    assert keys_recorded(folder) == "5"
    assert_nowhere(folder, SECRET)


def test_the_partner_hears_nothing_although_the_card_joined_them(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        caller, leg = await rig.answered()
        rig.agent.send(Seize(leg="set", channel=5))
        phone = rig.world.sets[5]
        await phone.reached(Phase.RINGING)
        phone.answer()
        await phone.reached(Phase.TALKING)
        rig.agent.send(Bridge(leg=leg, other="set"))
        assert (await rig.agent.told(Bridged)).native
        phone.listen(folder / "ear.wav")
        await press(caller, "12")
        rig.agent.send(MaskDigits(leg=leg, on=True))
        assert not (await rig.agent.told(Bridged)).native
        await press(caller, SECRET)
        rig.agent.send(MaskDigits(leg=leg, on=False, quiet_ms=1000))
        await press(caller, "0")  # within the second: masked as well
        assert rig.server.lines.port_of(leg).keys_are_masked
        assert (await rig.agent.told(Bridged)).native
        await press(caller, "34")
        phone.stop_listening()

    run_rig(folder, main)
    assert keys_in(recorded(folder / "ear.wav")[0]) == "1234"


def test_a_key_that_stops_a_prompt_is_not_told_with_it_and_a_late_one_stops_none(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        caller, leg = await rig.answered()
        rig.agent.send(MaskDigits(leg=leg, on=True))
        rig.agent.send(Play(leg=leg, play_id=1, clips=(Clip(silence_ms=20_000),), barge_in_digits="1"))
        await press(caller, "1")
        done = await rig.agent.told(PlayDone)
        assert (done.end, done.digit) == (PlayEnd.BARGED, "")
        rig.agent.send(MaskDigits(leg=leg, on=False, quiet_ms=1000))
        rig.agent.send(Play(leg=leg, play_id=2, clips=(Clip(silence_ms=3000),), barge_in_digits="1"))
        await press(caller, "1")
        assert (await rig.agent.told(PlayDone)).end is PlayEnd.FINISHED
        assert taken(rig) == "(1)(1)"

    run_rig(folder, main)


def test_the_next_call_of_the_channel_is_heard(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        caller, leg = await rig.answered()
        rig.agent.send(MaskDigits(leg=leg, on=True))
        await press(caller, "1")
        caller.hang_up()
        await rig.agent.told(Released)
        await asyncio.sleep(3)
        caller, leg = await begin(rig)
        assert not rig.leg(leg).digits_masked
        await press(caller, "25")
        assert taken(rig) == "(1)25"
        await end(rig, caller)

    run_rig(folder, main)
    assert keys_recorded(folder) == "25"


def test_refused(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        _, leg = await rig.answered()
        rig.agent.send(MaskDigits(leg=leg, on=False, quiet_ms=-1))
        assert (await rig.agent.told(CommandFailed)).code == "LIN-042"
        rig.agent.send(MaskDigits(leg="nobody", on=True))
        assert (await rig.agent.told(CommandFailed)).code == "LIN-030"

    run_rig(folder, main)
