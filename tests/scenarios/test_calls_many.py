"""Two hundred calls and more through the first flow on the virtual card: every choice, silence, wrong keys, hang-up at every
step, both languages, every end of the operator's set, every kind of message. The same every time.
"""

import asyncio
import hashlib
import random
import time
from pathlib import Path

import msgspec
import pytest

from appliance.config import CallsConfig, Config, Destination
from appliance.ivr.prompts.library import PromptLibrary
from appliance.store.models import CallEvent, CallRecord, Recording, VoiceMessage
from appliance.store.projections import fold_call
from drivers.virtual.handset import Phase
from drivers.virtual.telephone import OutsideTelephone
from tests.scenarios.box_rig import BOX, Box, press, run_box, world
from tests.scenarios.killing import Life
from tests.scenarios.lines_rig import speech_like

CALLS = 220
TRUNKS = 30
SETS = 2
TOGETHER = 24
CHOICES = "1", "1*", "1#2", "2#9", "9", "91#", "92*#9", "3", "93", "30", "0", "90", "7", "777", "*", "**1", "", "5 ", "1   9", "#"


class Caller(msgspec.Struct, frozen=True):
    """What one caller does: keys (a space waits 6 s), how long he speaks when keys are over, when he hangs up (s after
    the answer; 0: the box does)."""

    keys: str
    speech_s: float
    hang_up_s: float


def callers() -> list[Caller]:
    """Every choice with the box hanging up and with a hang-up at every half second of the first minute, then mixed ones."""
    dice = random.Random(96120)
    listed = [Caller(keys, 4.0 if "3" in keys else 0.0, 0.0) for keys in CHOICES]
    listed += [Caller(dice.choice(CHOICES), dice.choice((0.0, 0.3, 4.0)), step / 2) for step in range(1, 121)]
    while len(listed) < CALLS:
        keys = "".join(dice.choice("0123579*#   .") for _ in range(dice.randrange(8)))
        listed.append(Caller(keys, dice.choice((0.0, 0.5, 6.0)), dice.choice((0.0, dice.uniform(5, 90)))))
    return listed


async def behave(box: Box, caller: Caller) -> None:
    telephone = box.telephone()
    telephone.dial(BOX)
    if await telephone.reached(Phase.TALKING, Phase.BUSY, Phase.ENDED, limit_s=300) is Phase.TALKING:
        acts = asyncio.create_task(act(telephone, caller))
        limit_s = caller.hang_up_s or 900
        await asyncio.wait({asyncio.create_task(telephone.reached(Phase.ENDED, limit_s=1000))}, timeout=limit_s)
        acts.cancel()
    box.card.world.dismiss(telephone)


async def act(telephone: OutsideTelephone, caller: Caller) -> None:
    await asyncio.sleep(1.0)
    await press(telephone, caller.keys)
    if caller.speech_s:
        await asyncio.sleep(5.0)
        telephone.speak_samples(speech_like(caller.speech_s, 1))


async def operators(box: Box) -> None:
    """The people at the sets: pick up, let it ring, talk a little or long, in turn."""
    sets = [box.set(TRUNKS + number) for number in range(1, SETS + 1)]
    dice = random.Random(0)
    while True:
        await asyncio.sleep(0.5)
        for telephone in sets:
            if telephone.phase is Phase.RINGING and dice.random() < 0.2:
                telephone.pick_up()
            elif telephone.phase is Phase.ENDED or (telephone.phase is Phase.TALKING and dice.random() < 0.05):
                telephone.hang_up()


async def make(box: Box, calls: list[Caller]) -> None:
    """Make these calls, so many at a time, and wait until the last is over."""
    people = asyncio.create_task(operators(box))
    gate = asyncio.Semaphore(TOGETHER)

    async def one(caller: Caller) -> None:
        async with gate:
            await behave(box, caller)

    await asyncio.gather(*(one(caller) for caller in calls))
    await box.idle()
    people.cancel()


async def all_calls(box: Box) -> str:
    """Make all the calls; a digest of everything that was recorded of them."""
    await make(box, callers())
    digest: str = await box.ask(digest_of_everything)
    await box.ask(lambda: check_records(box.config, CALLS))
    await box.ask(check_variety)
    return digest


def digest_of_everything() -> str:
    found = hashlib.sha256()
    for row in CallEvent.select().order_by(CallEvent.call, CallEvent.seq):
        found.update(f"{row.call} {row.seq} {row.kind} {row.body}\n".encode())
    for record in CallRecord.select().order_by(CallRecord.call_id):
        found.update(repr(sorted(record.__data__.items())).encode())
    return found.hexdigest()


def check_records(config: Config, calls: int) -> None:
    """Every record is whole and agrees with its events, its recording and the files."""
    records = list(CallRecord.select())
    assert len(records) == calls
    for record in records:
        cdr = fold_call(record.call_id)
        assert cdr is not None
        assert msgspec.structs.asdict(cdr) == {name: getattr(record, name) for name in cdr.__struct_fields__}
        assert record.ended_at is not None
        recording = Recording.get_by_id(record.call_id)
        assert (recording.error, recording.lost_samples) == ("", 0)
        length_ms = recording.samples / 8  # a call that rang while nobody was there is recorded from the answer on
        assert record.talk_ms - 100 <= length_ms <= record.duration_ms + 100
    check_files(config.paths.recordings_dir)


def check_variety() -> None:
    """Everything that can come of a call has come of some."""
    records = list(CallRecord.select())
    assert {record.outcome for record in records} == {"completed", "message", "operator", "operator_missed"}
    assert {record.ended_by for record in records} == {"caller", "box", "operator"}
    assert {record.language for record in records} == {"zh", "en"}


def check_files(recordings_dir: Path) -> None:
    files = {str(path.relative_to(recordings_dir)) for path in recordings_dir.rglob("*.wav")}
    calls = {row.path for row in Recording.select()}
    messages = list(VoiceMessage.select())
    assert len({row.reference for row in messages}) == len(messages) > 3
    assert calls <= files
    assert {row.path for row in messages} <= files


@pytest.fixture
def busy_box(config: Config) -> Config:
    return msgspec.structs.replace(config, calls=CallsConfig(operator=Destination(ring_ms=12_000)))


def test_two_hundred_calls_the_same_every_time(busy_box: Config, prompts: PromptLibrary, folder: Path) -> None:
    began_s = time.process_time()
    digests = []
    for run in ("first", "second"):
        paths = msgspec.structs.replace(busy_box.paths, run_dir=str(folder / run), data_dir=str(folder / run))
        config = msgspec.structs.replace(busy_box, paths=paths)
        digests.append(run_box(config, prompts, all_calls, world(TRUNKS, SETS)))
    assert digests[0] == digests[1]
    assert time.process_time() - began_s < 40, "two runs of at most 20 s"


def test_killed_fifty_times_under_way(busy_box: Config, prompts: PromptLibrary) -> None:
    """The call agent dies again and again, at any message: no call, no record, no sample of a recording is lost."""
    dice = random.Random(50)
    kills = 0

    async def main(box: Box) -> None:
        nonlocal kills
        work = asyncio.create_task(make(box, callers()[::4]))
        while not work.done() and kills < 50:
            life = Life(dice.randrange(5, 100), slow_disk=bool(kills % 2))
            await box.next_agent(life)
            await asyncio.wait({work, asyncio.create_task(life.over.wait())}, return_when=asyncio.FIRST_COMPLETED)
            kills += life.over.is_set()
        await box.next_agent(Life())
        await work
        await box.ask(lambda: check_records(box.config, len(callers()[::4])))

    run_box(busy_box, prompts, main, world(TRUNKS, SETS))
    assert kills == 50
