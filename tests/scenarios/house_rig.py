"""A house: two lines to the exchange, the sets 8001, 8002, 8003, some numbers outside; people there call, flash, knock and are heard."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from appliance.config import Config
from appliance.ivr.prompts.library import PromptLibrary
from appliance.store.models import CallRecord
from drivers.config import LinesConfig
from drivers.dial_plan import DialPlan, ServiceRule
from drivers.media import Tone
from drivers.virtual.config import Answering, NumberConfig, SetConfig, SpanConfig, SpanKind, TelephoneConfig, VirtualConfig
from drivers.virtual.handset import Handset, Phase
from drivers.virtual.telephone import WiredSet
from tests.scenarios.box_rig import BOX, Box, run_box
from tests.scenarios.lines_rig import recorded, speech_like, wav

SETS = ONE, TWO, THREE = 3, 4, 5  # 8001, 8002, 8003
OUTSIDE, SILENT, TAKEN = "13800138000", "13800138001", "13800138002"
TONES = (Tone.DIAL, Tone.RINGBACK, Tone.BUSY, Tone.CONGESTION)

WORLD = LinesConfig(
    virtual=VirtualConfig(
        spans=(SpanConfig(kind=SpanKind.FXO, channels=2), SpanConfig(kind=SpanKind.FXS, channels=3)),
        numbers=(NumberConfig(number=BOX, spans=(1,)),),
        sets=tuple(SetConfig(channel=number, answering=Answering.COMMAND) for number in SETS),
        telephones=(
            TelephoneConfig(number=OUTSIDE),
            TelephoneConfig(number=SILENT, answering=Answering.NEVER),
            TelephoneConfig(number=TAKEN, answering=Answering.BUSY),
            TelephoneConfig(number="120"),
        ),
        ring_limit_ms=100_000,
    ),
    dial_plan=DialPlan(services=(ServiceRule(code="*1", service="hotline"),)),
)

Act = Callable[[Box], Awaitable[None]]


# --- calls and their records ---------------------------------------------------------------------------------------


def play(config: Config, prompts: PromptLibrary, act: Act) -> list[dict[str, Any]]:
    """What `act` does in the house; the records of its calls."""

    async def main(box: Box) -> Any:
        await act(box)
        await all_put_down(box)
        return await box.ask(records)

    found: list[dict[str, Any]] = run_box(config, prompts, main, WORLD)
    return found


def made(config: Config, prompts: PromptLibrary, act: Act) -> dict[str, Any]:
    """One call as `act` makes it, and its record."""
    (record,) = play(config, prompts, act)
    return record


def records() -> list[dict[str, Any]]:
    """Of all calls in the store."""
    return [row.__data__ for row in CallRecord.select()]


async def all_put_down(box: Box) -> None:
    """Every set; wait until no call is left."""
    for channel in SETS:
        box.set(channel).hang_up()
    await box.idle()


# --- what people do at sets ----------------------------------------------------------------------------------------


def dial(box: Box, channel: int, number: str) -> WiredSet:
    """Lift the set and dial."""
    telephone = box.set(channel)
    telephone.pick_up()
    telephone.detect("cn", TONES)
    telephone.press(f"w{number}")
    return telephone


async def talking(box: Box) -> tuple[WiredSet, WiredSet]:
    """Set one has called set two, and they talk."""
    one, two = dial(box, ONE, "8002"), box.set(TWO)
    await two.reached(Phase.RINGING)
    two.answer()
    two.detect("cn", TONES)
    await asyncio.sleep(2)
    return one, two


async def flashed(telephone: WiredSet) -> None:
    """The hook tapped, and what comes of it is there."""
    telephone.flash()
    await asyncio.sleep(3)


async def consulting(box: Box, holder: WiredSet, third: int = THREE, number: str = "8003") -> WiredSet:
    """The holder has flashed and talks with a third."""
    await flashed(holder)
    holder.press(number)
    await box.set(third).reached(Phase.RINGING)
    box.set(third).answer()
    await asyncio.sleep(2)
    return box.set(third)


async def knocking(box: Box) -> tuple[WiredSet, WiredSet, WiredSet]:
    """One and two talk, three has called two and is heard as a beep."""
    one, two = await talking(box)
    three = dial(box, THREE, "8002")
    await asyncio.sleep(6)
    assert three.heard_tones[-1] is Tone.RINGBACK
    return one, two, three


# --- what they hear of one another ---------------------------------------------------------------------------------


async def talk(folder: Path, one: Handset, two: Handset) -> None:
    """Each says something of its own while the other does, and hears the other unchanged."""
    said = {one: speech_like(1, 1), two: speech_like(1, 2)}
    heard = await _while_they_say(folder, said, one, two)
    assert said[two] in heard[one]
    assert said[one] in heard[two]


async def hears(folder: Path, speaker: Handset, *listeners: Handset, not_by: tuple[Handset, ...] = ()) -> None:
    """What one says reaches these and not those."""
    said = speech_like(0.5, hash(speaker.number) % 1000)
    heard = await _while_they_say(folder, {speaker: said}, *listeners, *not_by)
    reached = {each: arrived(samples, said) for each, samples in heard.items()}
    assert [reached[each] for each in listeners] == [True] * len(listeners), f"{speaker.number} is not heard"
    assert [reached[each] for each in not_by] == [False] * len(not_by), f"{speaker.number} is heard"


async def _while_they_say(folder: Path, said: dict[Handset, bytes], *listeners: Handset) -> dict[Handset, bytes]:
    """What each listener hears meanwhile."""
    paths = {each: folder / f"{each.number}-{asyncio.get_running_loop().time():.2f}.wav" for each in listeners}
    for each, path in paths.items():
        each.listen(path)
    await asyncio.sleep(0.2)
    for speaker, samples in said.items():
        speaker.speak(wav(folder / f"says-{speaker.number}.wav", samples))
    await asyncio.sleep(1 + max(map(len, said.values())) / 8000)
    for each in paths:
        each.stop_listening()
    await asyncio.sleep(1)
    return {each: recorded(path)[0] for each, path in paths.items()}


def arrived(heard: bytes, said: bytes) -> bool:
    """Whether it was heard; mixed with the silence of others (which is not quite 0 in A-law) it differs by a step or two."""
    codes, needle = [_step(sample) for sample in heard], [_step(sample) for sample in said[800:1200]]
    strong = [(at, code) for at, code in enumerate(needle) if 64 < abs(code) < 120]
    return any(all(abs(codes[begin + at] - code) <= 2 for at, code in strong) for begin in range(len(codes) - len(needle)))


def _step(sample: int) -> int:
    """An A-law byte as a number that rises with the amplitude. Source: G.711."""
    code = sample ^ 0x55
    return code & 0x7F if code & 0x80 else -(code & 0x7F)
