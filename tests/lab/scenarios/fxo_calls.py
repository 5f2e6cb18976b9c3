"""24 lines of an exchange on the kernel's FXO ports: who calls, how calls out fare, and callers handed on behind a switch."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Iterable
from pathlib import Path
from typing import TypeVar

from drivers.io import Hook, LineEvent
from drivers.line_profiles import load_learnt
from drivers.media import Tone
from drivers.protocol import (
    Alerting,
    Answer,
    Answered,
    Caller,
    Cause,
    LineTestKind,
    LineTestPhase,
    LineTestReported,
    NumberSource,
    Offered,
    Presentation,
    Release,
    Released,
    Seize,
    StartLineTest,
    TransferByFlash,
    TransferOutcome,
    Transferred,
)
from drivers.signalling.fxo_profile import LineProfile, LineTones
from tests.lab.fxo_rig import FOLDER, OURS, PAIRS, BoxLines, SwitchLine, fxo_box
from tests.lab.scenario import Report, scenario
from tests.lab.sound import noise_file

LIMIT_S = 120.0
RINGING_S = 6.0
NUMBER = "8001"
LEARNING_MS = 60_000
SWITCH_TONES = LineTones(dial="400", ringback="400/1000,0/3000", busy="400/500,0/500")
GLARE_S, GLARE_STEP_S = 0.5, 0.016
T = TypeVar("T")

STANDARDS = ("bell202", "v23", "dtmf")
SOURCES = {"bell202": NumberSource.FSK, "v23": NumberSource.FSK, "dtmf": NumberSource.DTMF}
OUTCOMES = ("answered", "busy", "congestion", "we give up", "no dial tone", "battery drops")
CAUSES = {
    "busy": (Cause.USER_BUSY, True),
    "congestion": (Cause.NO_CHANNEL, True),
    "we give up": (Cause.NO_ANSWER, False),
    "no dial tone": (Cause.NETWORK_OUT_OF_ORDER, True),
    "battery drops": (Cause.NORMAL_UNSPECIFIED, True),
}
ENDINGS = {Tone.BUSY: TransferOutcome.BUSY, None: TransferOutcome.NO_ANSWER}


async def all_of(works: Iterable[Awaitable[T]]) -> list[T]:
    """All to their end. Raises: the first failure, with how many there were."""
    done = await asyncio.gather(*works, return_exceptions=True)
    failures = [each for each in done if isinstance(each, BaseException)]
    for failure in failures[:1]:
        failure.add_note(f"{len(failures)} of {len(done)} failed: {sorted({repr(each)[:200] for each in failures})[:5]}")
        raise failure
    return [each for each in done if not isinstance(each, BaseException)]


# --- who calls -----------------------------------------------------------------------------------------------------------


@scenario(limit_s=900)
def who_calls(report: Report) -> None:
    """24 callers at once, by FSK of both standards and DTMF, one in four withheld; then they hang up by battery or by tone."""
    asyncio.run(_who_calls(report))


async def _who_calls(report: Report) -> None:
    async with fxo_box(LineProfile(), "who") as (box, switch):
        late_ms = await all_of(_calls(box, line) for line in switch)
        by_tone = [late for late in late_ms if late is not None]
        report.figure("callers_told_right", len(late_ms))
        report.figure("hang_up_by_tone_ms_max", round(max(by_tone)))
        await asyncio.sleep(3)
        assert all(box.is_free(channel) for channel in OURS)


async def _calls(box: BoxLines, far: SwitchLine) -> float | None:
    """How late the box knew of a hang-up by tone, in ms."""
    standard, withheld = STANDARDS[far.channel % 3], far.channel % 4 == 0
    shown = Presentation.RESTRICTED if withheld else Presentation.ALLOWED
    number = "" if withheld else f"138{far.channel:08}"
    calling = asyncio.create_task(far.ring(Caller(number, shown), standard))
    state = (await _told_of_channel(box, far.channel)).state
    told = f"channel {far.channel} by {standard}: {state.caller}; {far.line.story()}; {calling}"
    assert state.caller == Caller(number, shown, SOURCES[standard]), told
    assert state.ani == (number or None)
    box.agent.send(Answer(leg=state.leg))
    await box.agent.told(Answered, leg=state.leg, limit_s=LIMIT_S)
    await calling
    await asyncio.sleep(2)
    return await (_ends_by_tone if far.channel % 2 else _ends_by_battery)(box, far, state.leg)


async def _told_of_channel(box: BoxLines, channel: int) -> Offered:
    deadline_s = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline_s:
        for event in box.agent.heard(Offered):
            if event.state.channel == channel:
                box.agent.events.remove(event)
                return event
        await asyncio.sleep(0.05)
    raise AssertionError(f"channel {channel}: no call offered")


async def _ends_by_tone(box: BoxLines, far: SwitchLine, leg: str) -> float:
    since, began_s = len(far.line.seen), time.monotonic()
    far.tone(Tone.BUSY)
    released = await box.agent.told(Released, leg=leg, limit_s=LIMIT_S)
    late_ms = 1000 * (time.monotonic() - began_s)
    assert (released.cause, released.by_far_end) == (Cause.NORMAL, True), released
    await far.box_hangs_up(since)
    return late_ms


async def _ends_by_battery(box: BoxLines, far: SwitchLine, leg: str) -> None:
    await far.drop_battery()
    released = await box.agent.told(Released, leg=leg, limit_s=LIMIT_S)
    assert (released.cause, released.by_far_end) == (Cause.NORMAL, True), released
    await far.rest()


# --- calls out -----------------------------------------------------------------------------------------------------------


@scenario(limit_s=1800)
def calls_out(report: Report) -> None:
    """Two rounds of 24 calls at once, of six outcomes."""
    FOLDER.mkdir(exist_ok=True)
    noise_file(FOLDER / "hello.wav", 1, 4000)
    asyncio.run(_calls_out(report))


async def _calls_out(report: Report) -> None:
    profile = LineProfile(answer="voice", dial_without_tone=False, caller_id=())
    right: Counter[str] = Counter()
    async with fxo_box(profile, "out") as (box, switch):
        for turn in range(2):
            right.update(await all_of(_call(box, far, turn) for far in switch))
            await asyncio.sleep(3)
            assert all(box.is_free(channel) for channel in OURS)
    for outcome in OUTCOMES:
        report.figure(f"right {outcome}", right[outcome])
    assert sum(right.values()) == 2 * PAIRS


async def _call(box: BoxLines, far: SwitchLine, turn: int) -> str:
    outcome = OUTCOMES[(far.channel + turn) % len(OUTCOMES)]
    leg, since = f"out-{turn}-{far.channel}", len(far.line.seen)
    no_answer_ms = 15_000 if outcome == "we give up" else 60_000
    box.agent.send(Seize(leg=leg, channel=far.channel, number=NUMBER, no_answer_ms=no_answer_ms))
    await far.seized(since, dial_tone=outcome != "no dial tone")
    if outcome != "no dial tone":
        assert await far.dialled(len(NUMBER)) == NUMBER
        await _play(far, outcome)
    if outcome == "answered":
        await _answered(box, far, leg)
    else:
        released = await box.agent.told(Released, leg=leg, limit_s=LIMIT_S)
        assert (released.cause, released.by_far_end) == CAUSES[outcome], f"{outcome} on {far.channel}: {released}"
    if outcome == "battery drops":
        await far.rest()
    else:
        await far.box_hangs_up(since)
    return outcome


async def _play(far: SwitchLine, outcome: str) -> None:
    """What the exchange lets the box hear."""
    await asyncio.sleep(0.5)
    if outcome in ("busy", "congestion"):
        far.tone(Tone.BUSY if outcome == "busy" else Tone.CONGESTION)
        return
    far.tone(Tone.RINGBACK)
    if outcome != "we give up":
        await asyncio.sleep(RINGING_S)
    if outcome == "battery drops":
        far.tone(None)
        await far.drop_battery()


async def _answered(box: BoxLines, far: SwitchLine, leg: str) -> None:
    assert [event for event in box.agent.heard(Alerting) if event.leg == leg], "ringing was not told"
    assert not [event for event in box.agent.heard(Answered) if event.leg == leg], "answered too early"
    far.tone(None)
    await far.line.speak(FOLDER / "hello.wav")
    await box.agent.told(Answered, leg=leg, limit_s=1)
    box.agent.send(Release(leg=leg))


@scenario(limit_s=900)
def pulses(report: Report) -> None:
    """24 numbers dialled by pulses at once; the kernel at the far end counts them."""
    asyncio.run(_pulses(report))


async def _pulses(report: Report) -> None:
    profile = LineProfile(dialling="pulse", answer="dialled", caller_id=())
    async with fxo_box(profile, "pulses") as (box, switch):
        numbers = await all_of(_dial_by_pulses(box, far) for far in switch)
    assert numbers == [f"8{far:03}" for far in OURS], numbers
    report.figure("numbers_by_pulses_right", len(numbers))


async def _dial_by_pulses(box: BoxLines, far: SwitchLine) -> str:
    leg, since = f"pulses-{far.channel}", len(far.line.seen)
    box.agent.send(Seize(leg=leg, channel=far.channel, number=f"8{far.channel:03}"))
    await far.seized(since)
    await box.agent.told(Answered, leg=leg, limit_s=LIMIT_S)
    await asyncio.sleep(1)
    box.agent.send(Release(leg=leg))
    await far.box_hangs_up(since)
    digits = (seen.event.name for seen in far.line.seen[since:] if seen.event.name.startswith("PULSE_"))
    return "".join(name.removeprefix("PULSE_") for name in digits if name != "PULSE_START")


# --- a switch's own tones ------------------------------------------------------------------------------------------------


@scenario(limit_s=900)
def learning(report: Report) -> None:
    """Four lines learn the tones of their switch, which are no country's, at once."""
    asyncio.run(_learning(report))


async def _learning(report: Report) -> None:
    async with fxo_box(LineProfile(), "learning") as (box, switch):
        await all_of(_learn(box, far) for far in switch[:4])
        known = load_learnt(Path(box.server.lines.paths.data_dir))
    assert {each.channels for each in known} == {(number,) for number in OURS[:4]}
    assert {each.tones for each in known} == {SWITCH_TONES}, known
    report.figure("lines_learnt_right", len(known))


async def _learn(box: BoxLines, far: SwitchLine) -> None:
    since = len(far.line.seen)
    test_id = f"learn-{far.channel}"
    box.agent.send(StartLineTest(test_id=test_id, channel=far.channel, kind=LineTestKind.LEARN_TONES, number=NUMBER, limit_ms=LEARNING_MS))
    await far.seized(since, dial_tone=False)
    far.exchange.engine.detect_digits(far.line.port)
    far.sound(SWITCH_TONES.dial)
    assert await far.dialled(len(NUMBER)) == NUMBER
    far.sound(SWITCH_TONES.ringback)
    await asyncio.sleep(2 * RINGING_S)
    far.sound(SWITCH_TONES.busy)
    await far.box_hangs_up(since)
    reports = [event.test for event in box.agent.heard(LineTestReported) if event.test.test_id == test_id]
    assert reports[-1].phase is LineTestPhase.PASSED, reports[-1]


# --- both at once --------------------------------------------------------------------------------------------------------


@scenario(limit_s=900)
def glare(report: Report) -> None:
    """24 lines on which the exchange rings while the box seizes, 0.2 s before it to 0.2 s after: one of the two calls comes about."""
    asyncio.run(_glare(report))


async def _glare(report: Report) -> None:
    async with fxo_box(LineProfile(), "glare") as (box, switch):
        done = Counter(await all_of(_meet(box, far) for far in switch))
        await asyncio.sleep(3)
        assert all(box.is_free(channel) for channel in OURS)
    for outcome, count in sorted(done.items()):
        report.figure(outcome, count)
    assert sum(done.values()) == PAIRS


async def _meet(box: BoxLines, far: SwitchLine) -> str:
    leg, since = f"glare-{far.channel}", len(far.line.seen)
    await far.line.quiet()
    far.line.io.attach(far.line.port)
    calling = asyncio.create_task(_ring_unless_seized(far, since))
    await asyncio.sleep(GLARE_S + (far.channel - PAIRS / 2) * GLARE_STEP_S)
    box.agent.send(Seize(leg=leg, channel=far.channel, number=NUMBER))
    if await calling:
        released = await box.agent.told(Released, leg=leg, limit_s=LIMIT_S)
        assert released.cause == Cause.CHANNEL_NOT_AVAILABLE, released
        arrived = (await _told_of_channel(box, far.channel)).state.leg
        box.agent.send(Answer(leg=arrived))
        await box.agent.told(Answered, leg=arrived, limit_s=LIMIT_S)
        await far.line.event(LineEvent.RINGOFFHOOK, since)
        await far.line.hook(Hook.OFF)
        await asyncio.sleep(2)
        await _ends_by_battery(box, far, arrived)
        return "callers who came through"
    await far.seized(since)
    await far.dialled(len(NUMBER))
    far.tone(Tone.BUSY)
    released = await box.agent.told(Released, leg=leg, limit_s=LIMIT_S)
    assert released.cause == Cause.USER_BUSY, released
    await far.box_hangs_up(since)
    return "calls out that came through"


async def _ring_unless_seized(far: SwitchLine, since: int) -> bool:
    """What an exchange does with a caller for a line: True when it rings there."""
    await asyncio.sleep(GLARE_S)
    if far.line.saw(LineEvent.RINGOFFHOOK, since):
        return False
    await far.line.hook(Hook.RING)
    return True


# --- behind a switch -----------------------------------------------------------------------------------------------------


@scenario(limit_s=1800)
def transfers(report: Report) -> None:
    """24 callers handed on by flash at once: eight targets answer, eight are busy, eight do not answer."""
    FOLDER.mkdir(exist_ok=True)
    noise_file(FOLDER / "hello.wav", 1, 4000)
    asyncio.run(_transfers(report))


async def _transfers(report: Report) -> None:
    async with fxo_box(LineProfile(answer="voice"), "transfers") as (box, switch):
        done = Counter(await all_of(_transfer(box, far) for far in switch))
    for outcome, count in sorted(done.items()):
        report.figure(f"right {outcome.value}", count)


async def _transfer(box: BoxLines, far: SwitchLine) -> TransferOutcome:
    calling = asyncio.create_task(far.ring(Caller("", Presentation.RESTRICTED), "bell202"))
    leg = (await _told_of_channel(box, far.channel)).state.leg
    box.agent.send(Answer(leg=leg))
    await box.agent.told(Answered, leg=leg, limit_s=LIMIT_S)
    await calling
    await asyncio.sleep(2)
    since = len(far.line.seen)
    box.agent.send(TransferByFlash(leg=leg, number=NUMBER, no_answer_ms=15_000))
    await far.flashed(since)
    far.await_digits()
    assert await far.dialled(len(NUMBER)) == NUMBER
    await asyncio.sleep(0.5)
    return await (_target_answers(box, far, leg) if far.channel % 3 == 0 else _target_does_not(box, far, leg))


async def _target_answers(box: BoxLines, far: SwitchLine, leg: str) -> TransferOutcome:
    since = len(far.line.seen)
    far.tone(Tone.RINGBACK)
    await asyncio.sleep(RINGING_S)
    far.tone(None)
    await far.line.speak(FOLDER / "hello.wav")
    done = await box.agent.told(Transferred, leg=leg, limit_s=LIMIT_S)
    assert done.outcome is TransferOutcome.TRANSFERRED, done
    assert not (await box.agent.told(Released, leg=leg, limit_s=LIMIT_S)).by_far_end
    await far.box_hangs_up(since)
    return done.outcome


async def _target_does_not(box: BoxLines, far: SwitchLine, leg: str) -> TransferOutcome:
    since = len(far.line.seen)
    tone = Tone.BUSY if far.channel % 3 == 1 else None
    far.tone(tone or Tone.RINGBACK)
    await far.flashed(since)
    far.tone(None)
    done = await box.agent.told(Transferred, leg=leg, limit_s=LIMIT_S)
    assert done.outcome is ENDINGS[tone], done
    await asyncio.sleep(2)
    assert not far.line.saw(LineEvent.ONHOOK, since), "the caller was to be talked to again"
    await _ends_by_battery(box, far, leg)
    return done.outcome
