"""A password keyed on the kernel's lines: heard by no partner, in no recording and no file; what is keyed before and after it is."""

import asyncio
from pathlib import Path

from drivers.protocol import (
    Answer,
    Answered,
    Bridge,
    Bridged,
    Caller,
    Digit,
    MaskDigits,
    Offered,
    Presentation,
    RecordingDone,
    Release,
    Released,
    SetTag,
    StartRecording,
)
from drivers.signalling.fxo_profile import LineProfile
from tests.dtmf import keys_in
from tests.lab.fxo_rig import FOLDER, BoxLines, SwitchLine, fxo_box
from tests.lab.scenario import Report, scenario
from tests.scenarios.lines_rig import recorded

LIMIT_S = 120.0
BEFORE, SECRET, AFTER = "12", "73918264", "5098"
CALLERS = 6
SETTLED_S = 1.0
LAST_SEQ = 1000


@scenario(limit_s=900)
def secrets(report: Report) -> None:
    """Six callers at once, three of them too early; then one while the card joins him with another."""
    asyncio.run(_secrets(report))


async def _secrets(report: Report) -> None:
    async with fxo_box(LineProfile(), "masked") as (box, switch):
        legs = [await _call(box, far) for far in switch[: CALLERS + 1]]
        await asyncio.gather(*(_keys(box, far, leg) for far, leg in zip(switch[:CALLERS], legs, strict=False)))
        await _joined_in_the_card(box, switch[0], switch[CALLERS], legs[0], legs[CALLERS])
        for leg in legs:
            await _ends(box, leg)
    heard = [keys_in(recorded(_path(leg))[0]) for leg in legs[:CALLERS]]
    assert heard[1:] == [BEFORE + AFTER] * (CALLERS - 1), heard
    assert heard[0] == (BEFORE + AFTER) * 2, heard
    partner = recorded(_path(legs[CALLERS]))
    assert keys_in(partner[1]) == BEFORE + AFTER
    report.figure("callers_masked", CALLERS)
    _nowhere(FOLDER / "masked")


def _path(leg: str) -> Path:
    return FOLDER / "masked" / "data" / "recordings" / f"{leg}.wav"


async def _call(box: BoxLines, far: SwitchLine) -> str:
    """A call from that line, answered and recorded; its leg."""
    calling = asyncio.create_task(far.ring(Caller(f"138{far.channel:08}", Presentation.ALLOWED), "bell202"))
    leg = (await box.agent.told(Offered, limit_s=LIMIT_S)).state.leg
    box.agent.send(Answer(leg=leg))
    await box.agent.told(Answered, leg=leg, limit_s=LIMIT_S)
    await calling
    box.agent.send(StartRecording(leg=leg, recording_id="call", path=f"{leg}.wav"))
    return leg


async def _keys(box: BoxLines, far: SwitchLine, leg: str) -> None:
    """Every other one keys on without a pause, before the box has asked: the mask comes with the first key of the secret."""
    await asyncio.sleep(SETTLED_S)
    too_early = far.channel % 2 == 0
    await _before(box, far, leg)
    if not too_early:
        box.agent.send(MaskDigits(leg=leg, on=True))
    secret = asyncio.create_task(far.line.press(SECRET))
    for seq, key in enumerate(SECRET, len(BEFORE) + 1):
        press = await box.agent.told(Digit, leg=leg, seq=seq, limit_s=LIMIT_S)
        assert press.digit == key, f"leg {leg}: {press}"
        if too_early and key == SECRET[0]:
            box.agent.send(MaskDigits(leg=leg, on=True))
    box.agent.send(MaskDigits(leg=leg, on=False))  # the last key is still down
    await secret
    assert not box.server.lines.book.state(leg).digits
    _nowhere(FOLDER / "masked" / "run")
    await asyncio.sleep(SETTLED_S)
    await far.line.press(AFTER)


async def _before(box: BoxLines, far: SwitchLine, leg: str) -> None:
    """Keys that are acted on."""
    await far.line.press(BEFORE)
    await box.agent.told(Digit, leg=leg, digit=BEFORE[-1], limit_s=LIMIT_S)
    box.agent.send(SetTag(leg=leg, tag=b"here", consumed_seq=LAST_SEQ))
    await asyncio.sleep(SETTLED_S)


async def _joined_in_the_card(box: BoxLines, far: SwitchLine, other: SwitchLine, leg: str, partner: str) -> None:
    other.line.detect()
    box.agent.send(Bridge(leg=leg, other=partner))
    assert (await box.agent.told(Bridged, leg=leg, limit_s=LIMIT_S)).native
    await _before(box, far, leg)
    box.agent.send(MaskDigits(leg=leg, on=True))
    assert not (await box.agent.told(Bridged, leg=leg, limit_s=LIMIT_S)).native
    await far.line.press(SECRET)
    await asyncio.sleep(SETTLED_S)
    box.agent.send(MaskDigits(leg=leg, on=False))
    assert (await box.agent.told(Bridged, leg=leg, limit_s=LIMIT_S)).native
    await asyncio.sleep(SETTLED_S)
    await far.line.press(AFTER)
    await other.line.until("all keys", lambda: len(other.line.keys) >= len(BEFORE + AFTER))
    assert other.line.keys == BEFORE + AFTER, f"the partner heard {other.line.keys}"


async def _ends(box: BoxLines, leg: str) -> None:
    box.agent.send(Release(leg=leg))
    await box.agent.told(Released, leg=leg, limit_s=LIMIT_S)
    await box.agent.told(RecordingDone, leg=leg, limit_s=LIMIT_S)


def _nowhere(folder: Path) -> None:
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        assert SECRET.encode() not in path.read_bytes(), path
