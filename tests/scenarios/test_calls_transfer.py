"""The transfer on the virtual card: to a set, to a number through a trunk group, and all that may come of it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.config import CallsConfig, Config, Destination
from appliance.events import CallBridged, CallFailed, CallUnbridged, Happened, TransferAnswered, TransferFailed, TransferStarted
from appliance.ivr.prompts.library import PromptLibrary
from appliance.store.models import CallRecord
from appliance.store.projections import events_of
from drivers.config import LinesConfig
from drivers.media import Tone
from drivers.protocol import Cause
from drivers.virtual.config import Answering, TelephoneConfig
from drivers.virtual.handset import Handset, Phase
from drivers.virtual.telephone import OutsideTelephone
from tests.scenarios.box_rig import BOX, Box, press, run_box, until, world
from tests.scenarios.lines_rig import recorded, speech_like

TRUNKS = 4
SET = TRUNKS + 1
MENU = "greeting>main_menu"
WARD, ENGAGED, EMPTY = "62345678", "62340000", "62341111"
OUTSIDE = (
    TelephoneConfig(number=WARD, answering=Answering.COMMAND),
    TelephoneConfig(number=ENGAGED, answering=Answering.BUSY),
    TelephoneConfig(number=EMPTY, answering=Answering.NEVER),
)
TO_SETS = Destination(ring_ms=12_000)
SAID = speech_like(2, seed=7)
PIECE = SAID[6000:8000]

Act = Callable[[Box, OutsideTelephone], Awaitable[None]]
Made = tuple[dict[str, Any], list[Happened]]


def outside(number: str) -> Destination:
    return Destination(group="trunk", number=number, ring_ms=20_000)


def transferred(
    config: Config,
    prompts: PromptLibrary,
    to: Destination,
    act: Act,
    lifted: tuple[int, ...] = (),
    country: str = "cn",
    talk_limit_min: int = 240,
    keys: str = "0",
) -> Made:
    """A caller presses `keys` while those sets are off-hook, and `act` goes on; the record and the events of the call."""
    box_config = msgspec.structs.replace(config, calls=CallsConfig(operator=to, talk_limit_min=talk_limit_min))
    lines = LinesConfig(country=country, virtual=msgspec.structs.replace(world(TRUNKS, 2).virtual, telephones=OUTSIDE))

    async def main(box: Box) -> Made:
        for channel in lifted:
            box.set(channel).pick_up()
        caller = box.telephone()
        caller.dial(BOX)
        await caller.reached(Phase.TALKING)
        caller.detect(country, (Tone.RINGBACK,))
        await press(caller, keys)
        await act(box, caller)
        box.card.world.dismiss(caller)
        await box.idle()
        found: Made = await box.ask(the_call)
        return found

    found: Made = run_box(box_config, prompts, main, lines)
    return found


def the_call() -> Made:
    """The one that was transferred: a set that is lifted makes calls too."""
    (record,) = [row for row in CallRecord.select() if ">operator" in row.path]
    return record.__data__, events_of(record.call_id)


def kinds(happened: list[Happened]) -> list[str]:
    wanted = TransferStarted | TransferAnswered | TransferFailed | CallBridged | CallUnbridged
    return [type(event).__name__ for event in happened if isinstance(event, wanted)]


def said_of(record: dict[str, Any]) -> tuple[str, str]:
    """To whom, and what came of it."""
    return record["transferred_to"], record["transfer_outcome"]


async def talk(box: Box, caller: OutsideTelephone, party: Handset, folder: Path) -> None:
    """The other party picks up after a while, and each says something to the other."""
    await party.reached(Phase.RINGING)
    await until(lambda: Tone.RINGBACK in caller.heard_tones, 10)
    party.answer()
    await until(lambda: any(live.phase == "bridged" for live in box.agent.live.calls.values()), 10)
    for speaker, listener, name in ((party, caller, "caller"), (caller, party, "party")):
        listener.listen(folder / f"{name}.wav")
        await asyncio.sleep(0.5)
        speaker.speak_samples(SAID)
        await speaker.spoken()
        await asyncio.sleep(0.5)
        listener.stop_listening()


def check_talk(config: Config, folder: Path, record: dict[str, Any], happened: list[Happened]) -> None:
    """Both heard each other, joined in the card; the recording went on with both sides."""
    assert kinds(happened) == ["TransferStarted", "TransferAnswered", "CallBridged", "CallUnbridged"][: len(kinds(happened))]
    assert [event.native for event in happened if isinstance(event, CallBridged)] == [True]
    for name in ("caller", "party"):
        assert PIECE in recorded(folder / f"{name}.wav")[0], name
    path = config.paths.recordings_dir / f"{record['started_at']:%Y/%m/%d}"
    caller, box = recorded(next(path.glob(f"{record['call_id']}.wav")))
    assert PIECE in caller
    assert PIECE in box
    assert len(caller) / 8 > record["talk_ms"] - 100


@pytest.mark.parametrize("country", ["cn", "us", "uk"])
def test_ringback_is_that_of_the_country(config: Config, prompts: PromptLibrary, country: str) -> None:
    async def act(box: Box, caller: OutsideTelephone) -> None:
        await box.set(SET).reached(Phase.RINGING)
        assert not caller.heard_tones
        await until(lambda: Tone.RINGBACK in caller.heard_tones, 11)
        caller.hang_up()

    transferred(config, prompts, TO_SETS, act, country=country)


@pytest.mark.parametrize("caller_first", [True, False])
def test_to_a_set(config: Config, prompts: PromptLibrary, folder: Path, caller_first: bool) -> None:
    async def act(box: Box, caller: OutsideTelephone) -> None:
        await talk(box, caller, box.set(SET), folder)
        (live,) = box.agent.live.calls.values()
        assert (live.phase, live.operator_channel, live.recording) == ("bridged", SET, True)
        if not caller_first:
            box.set(SET).hang_up()
            await caller.reached(Phase.ENDED)
        else:
            caller.hang_up()
            await box.set(SET).reached(Phase.ENDED)
            box.set(SET).hang_up()

    record, happened = transferred(config, prompts, TO_SETS, act)
    check_talk(config, folder, record, happened)
    assert said_of(record) == ("sets", "answered")
    assert (record["outcome"], record["operator_channel"]) == ("operator", SET)
    assert record["ended_by"] == ("caller" if caller_first else "operator")
    assert record["path"] == f"{MENU}>operator" + ("" if caller_first else ">goodbye")


def test_to_a_number_through_a_trunk_group(config: Config, prompts: PromptLibrary, folder: Path) -> None:
    async def act(box: Box, caller: OutsideTelephone) -> None:
        await talk(box, caller, box.card.world.telephones[WARD], folder)
        box.card.world.telephones[WARD].hang_up()
        await caller.reached(Phase.ENDED)

    record, happened = transferred(config, prompts, outside(WARD), act)
    check_talk(config, folder, record, happened)
    assert said_of(record) == (WARD, "answered")
    assert record["path"] == f"{MENU}>operator>goodbye"


async def back_in_the_menus(box: Box, caller: OutsideTelephone) -> None:
    """The caller is told, and keys mean something again."""

    def at(*places: str) -> list[str]:
        return [live.call_id for live in box.agent.live.calls.values() if live.place in places]

    await until(lambda: bool(at("operator_busy", "operator_no_answer")), 60)
    (call_id,) = at("operator_busy", "operator_no_answer")
    await until(lambda: call_id in at("main_menu"), 60)
    await press(caller, "1")
    await until(lambda: call_id in at("introduction"), 10)


FAILING = [
    ("all sets lifted", TO_SETS, "no_channel", "busy"),
    ("this set lifted", Destination(channel=SET), "no_channel", "busy"),
    ("nobody picks up", TO_SETS, "no_answer", "no_answer"),
    ("engaged outside", outside(ENGAGED), "busy", "busy"),
    ("nobody at home", outside(EMPTY), "no_answer", "no_answer"),
    ("number not assigned", outside("99999999"), "no_channel", "busy"),  # an analogue exchange says it with a congestion tone
    ("no such group", Destination(group="ward", number=WARD), "unknown_destination", "busy"),
    ("no such channel", Destination(channel=99), "unknown_destination", "busy"),
]


@pytest.mark.parametrize(("what", "to", "outcome", "told"), FAILING, ids=[row[0] for row in FAILING])
def test_the_caller_is_taken_back(
    config: Config, prompts: PromptLibrary, folder: Path, what: str, to: Destination, outcome: str, told: str
) -> None:
    """He hears why, and nothing rings in his ear any more."""

    async def act(box: Box, caller: OutsideTelephone) -> None:
        caller.listen(folder / "caller.wav")
        await back_in_the_menus(box, caller)
        for channel in (SET, SET + 1):
            box.set(channel).hang_up()

    lifted = (SET, SET + 1) if "lifted" in what else ()
    record, happened = transferred(config, prompts, to, act, lifted)
    assert record["path"] == f"{MENU}>operator>operator_{told}>main_menu>introduction"
    assert said_of(record) == (to.label, outcome)
    assert kinds(happened) == ["TransferStarted", "TransferFailed"]
    assert prompts.path(f"operator_{told}", "zh").read_bytes()[8000:12000] in recorded(folder / "caller.wav")[0]
    faults = [event.code for event in happened if isinstance(event, CallFailed)]
    assert faults == (["LIN-033"] if outcome == "unknown_destination" else [])
    assert record["outcome"] == ("failed" if faults else "operator_missed")


def test_all_lines_are_taken(config: Config, prompts: PromptLibrary) -> None:
    async def act(box: Box, caller: OutsideTelephone) -> None:
        others = [box.telephone() for _ in range(TRUNKS - 1)]
        for other in others:
            other.dial(BOX)
            await other.reached(Phase.TALKING)
        await press(caller, "0")
        await back_in_the_menus(box, caller)
        for other in others:
            box.card.world.dismiss(other)

    record, happened = transferred(config, prompts, outside(WARD), act, keys="*")
    assert said_of(record) == (WARD, "no_channel")
    assert [event.cause for event in happened if isinstance(event, TransferFailed)] == [Cause.NO_CHANNEL]


def test_the_limit_of_ringing_is_kept(config: Config, prompts: PromptLibrary) -> None:
    record, happened = transferred(config, prompts, TO_SETS, back_in_the_menus)
    started, failed = (next(event for event in happened if isinstance(event, kind)) for kind in (TransferStarted, TransferFailed))
    assert 11.9 < (failed.at - started.at).total_seconds() < 12.5
    assert record["transfer_outcome"] == "no_answer"


@pytest.mark.parametrize("to", [TO_SETS, outside(WARD)], ids=["set", "number"])
def test_the_caller_hangs_up_while_it_rings(config: Config, prompts: PromptLibrary, to: Destination) -> None:
    """What rang stops, and is free for the next call."""

    async def act(box: Box, caller: OutsideTelephone) -> None:
        party: Handset = box.card.world.telephones[WARD] if to.number else box.set(SET)
        await party.reached(Phase.RINGING)
        await asyncio.sleep(3)
        caller.hang_up()
        await party.reached(Phase.IDLE, limit_s=10)

    record, happened = transferred(config, prompts, to, act)
    assert kinds(happened) == ["TransferStarted", "TransferFailed"]
    assert said_of(record) == (to.label, "abandoned")
    assert (record["outcome"], record["ended_by"], record["path"]) == ("operator_missed", "caller", f"{MENU}>operator")


def test_a_talk_that_nobody_ends_is_ended(config: Config, prompts: PromptLibrary) -> None:
    async def act(box: Box, caller: OutsideTelephone) -> None:
        await box.set(SET).reached(Phase.RINGING)
        box.set(SET).answer()
        await box.set(SET).reached(Phase.ENDED)
        box.set(SET).hang_up()
        await caller.reached(Phase.ENDED)

    record, happened = transferred(config, prompts, TO_SETS, act, talk_limit_min=1)
    assert kinds(happened) == ["TransferStarted", "TransferAnswered", "CallBridged", "CallUnbridged"]
    assert (said_of(record), record["ended_by"]) == (("sets", "answered"), "box")
    assert 60 < record["talk_ms"] / 1000 < 90
