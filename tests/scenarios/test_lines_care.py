"""Looking after lines on the virtual card: counters, blocks, errors of spans, tests of a channel."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from drivers.care import CareConfig
from drivers.config import LinesConfig
from drivers.protocol import (
    BlockChannel,
    BlockedBy,
    Cause,
    ChannelChanged,
    CommandFailed,
    LegPhase,
    LineFaultsChanged,
    LineTest,
    LineTestKind,
    LineTestPhase,
    LineTestReported,
    Offered,
    Release,
    Released,
    ResetCounters,
    Seize,
    SpanChanged,
    SpanErrors,
    StartLineTest,
    StopLineTest,
)
from drivers.signalling.fxo_profile import LineProfile
from drivers.virtual.faults import Fault
from drivers.virtual.handset import Phase
from tests.scenarios.lines_rig import LINES, OUTSIDE, Rig, run_rig
from tests.small_disk import small_disk

STRICT = msgspec.structs.replace(LINES, analog=LineProfile(dial_without_tone=False))
"""Never dials without dial tone: a dead line is told as one."""


def with_care(**care: object) -> LinesConfig:
    return msgspec.structs.replace(STRICT, care=msgspec.convert(care, CareConfig))


async def dead_call(rig: Rig, name: str, channel: int = 1) -> int:
    """Call out on a line without dial tone; the cause."""
    rig.agent.send(Seize(leg=name, channel=channel, number=OUTSIDE))
    cause = (await rig.agent.told(Released, leg=name, limit_s=60)).cause
    await asyncio.sleep(4)
    return cause


async def outcome(rig: Rig, test_id: str, limit_s: float = 60.0) -> LineTest:
    while True:
        test = (await rig.agent.told(LineTestReported, limit_s=limit_s)).test
        if test.test_id == test_id and test.phase is not LineTestPhase.RUNNING:
            return test


def test_calls_and_last_cause_are_counted(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        before = rig.clock.now()
        _, leg = await rig.answered()
        rig.agent.send(Release(leg=leg))
        await rig.agent.told(Released, leg=leg)
        await asyncio.sleep(5)
        state = rig.channel_state(1)
        assert (state.calls, state.failures, state.last_cause) == (1, 0, Cause.NORMAL)
        assert state.last_call_at is not None
        assert state.last_call_at > before
        last = rig.agent.heard(ChannelChanged)[-1].channel
        assert last == state
        assert last.state == "idle"

    run_rig(folder, main)


def test_line_that_fails_again_and_again_is_blocked(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        rig.card.set_fault(1, Fault.SILENCE)
        for count in range(3):
            assert rig.channel_state(1).failures_in_a_row == count
            await dead_call(rig, f"out-{count}")
        state = rig.channel_state(1)
        assert (state.blocked_by, state.failures_in_a_row) == (BlockedBy.FAILURES, 3)
        assert await dead_call(rig, "refused") == Cause.CHANNEL_NOT_AVAILABLE

    run_rig(folder, main, with_care(block_after_failures=3))


def test_block_for_failures_ends_by_itself_and_comes_back_at_the_next_failure(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        rig.card.set_fault(1, Fault.SILENCE)
        await dead_call(rig, "out-1")
        await dead_call(rig, "out-2")
        assert rig.channel_state(1).blocked
        await asyncio.sleep(60)
        assert not rig.channel_state(1).blocked
        await dead_call(rig, "out-3")
        assert rig.channel_state(1).blocked
        await asyncio.sleep(60)
        rig.card.set_fault(1, Fault.SILENCE, on=False)
        rig.agent.send(Seize(leg="good", channel=1, number=OUTSIDE))
        await asyncio.sleep(20)
        rig.agent.send(Release(leg="good"))
        await rig.agent.told(Released, leg="good")
        assert rig.channel_state(1).failures_in_a_row == 0

    run_rig(folder, main, with_care(block_after_failures=2, unblock_after_min=1))


def test_busy_and_no_answer_are_no_failures(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        rig.world.telephones[OUTSIDE].dial("13999999999")
        for count in range(2):
            await dead_call(rig, f"out-{count}")
        assert rig.channel_state(1).failures == 0

    run_rig(folder, main, with_care(block_after_failures=1))


def test_alarm_is_no_reason_to_block(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        await rig.answered()
        rig.card.set_span_alarm(1, "red")
        await asyncio.sleep(1)
        state = rig.channel_state(1)
        assert (state.failures, state.failures_in_a_row, state.blocked) == (1, 0, False)

    run_rig(folder, main, with_care(block_after_failures=1))


def test_block_at_once_ends_the_call(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        caller, leg = await rig.answered()
        rig.agent.send(BlockChannel(channel=1, at_once=True))
        assert not (await rig.agent.told(Released, leg=leg)).by_far_end
        await caller.reached(Phase.ENDED)
        assert rig.channel_state(1).blocked_by is BlockedBy.PERSON
        rig.agent.send(BlockChannel(channel=1, blocked=False))
        await asyncio.sleep(5)
        await rig.answered()

    run_rig(folder, main)


def test_block_that_cannot_be_kept_is_told_and_kept_as_soon_as_there_is_room(folder: Path) -> None:
    with small_disk(folder / "data", size_mb=1) as disk:
        disk.fill()

        async def main(rig: Rig) -> None:
            rig.agent.send(BlockChannel(channel=2))
            failed = await rig.agent.told(CommandFailed)
            assert (failed.code, "will not outlast a restart" in failed.what) == ("LIN-186", True)
            assert rig.channel_state(2).blocked_by is BlockedBy.PERSON
            faults = await rig.agent.told(LineFaultsChanged)
            assert [fault.code for fault in faults.faults] == ["LIN-186"]
            disk.empty()
            assert (await rig.agent.told(LineFaultsChanged)).faults == ()
            assert (disk.folder / "blocked.json").read_bytes() == b"[2]"

        run_rig(folder, main)


def test_block_of_a_person_outlasts_a_restart_of_the_machine(folder: Path) -> None:
    async def blocked(rig: Rig) -> None:
        rig.agent.send(BlockChannel(channel=2))
        await rig.agent.told(ChannelChanged)

    async def again(rig: Rig) -> list[int]:
        return [channel.number for channel in (await rig.agent.welcome()).channels if channel.blocked]

    run_rig(folder, blocked)
    for left in (folder / "run").rglob("*"):  # what a restart of the machine leaves of it
        if left.is_file():
            left.unlink()
    assert run_rig(folder, again, connected=False) == [2]


def test_counters_begin_anew(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        rig.card.set_fault(1, Fault.SILENCE)
        await dead_call(rig, "out-1")
        rig.agent.send(ResetCounters(channel=1))
        await asyncio.sleep(1)
        state = rig.channel_state(1)
        assert (state.calls, state.failures, state.last_cause) == (0, 0, None)
        rig.agent.send(ResetCounters(span=9))
        assert (await rig.agent.told(CommandFailed)).code == "LIN-033"

    run_rig(folder, main, STRICT)


def test_errors_of_a_span_are_told_and_counted_from_the_reset(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        rig.card.count_errors(1, SpanErrors(crc4_errors=100))  # of before: the box counts from its own start
        errors = (await rig.agent.told(SpanChanged, limit_s=7)).span.errors
        assert errors is not None
        assert errors.crc4_errors == 0
        rig.card.count_errors(1, SpanErrors(crc4_errors=107, frame_errors=2))
        errors = (await rig.agent.told(SpanChanged, limit_s=7)).span.errors
        assert errors is not None
        assert (errors.crc4_errors, errors.frame_errors) == (7, 2)
        rig.agent.send(ResetCounters(span=1))
        errors = (await rig.agent.told(SpanChanged, limit_s=1)).span.errors
        assert errors is not None
        assert (errors.crc4_errors, errors.since) == (0, rig.clock.now())
        rig.card.count_errors(1, SpanErrors(crc4_errors=3))  # a card that was started anew counts from 0
        errors = (await rig.agent.told(SpanChanged, limit_s=7)).span.errors
        assert errors is not None
        assert errors.crc4_errors == 3

    run_rig(folder, main)


# --- tests of a channel -------------------------------------------------------------------------------------------


def test_ring_test_passes_when_the_set_is_picked_up(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        telephone = rig.world.sets[5]
        rig.agent.send(StartLineTest(test_id="t1", channel=5, kind=LineTestKind.RING))
        await telephone.reached(Phase.RINGING)
        assert rig.channel_state(5).test == "ring"
        await asyncio.sleep(3)
        telephone.answer()
        test = await outcome(rig, "t1")
        assert (test.phase, test.reason) == (LineTestPhase.PASSED, "answered")
        assert 3000 <= test.figures[0].value < 5000
        await asyncio.sleep(5)
        assert rig.channel_state(5).test == "ring"  # until the receiver is put down
        telephone.hang_up()
        await asyncio.sleep(6)
        assert rig.channel_state(5).test == ""
        assert not rig.agent.heard(Offered)
        rig.agent.send(Seize(leg="call", channel=5))
        await telephone.reached(Phase.RINGING)

    run_rig(folder, main)


def test_ring_test_nobody_answers(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        rig.agent.send(StartLineTest(test_id="t1", channel=5, kind=LineTestKind.RING, limit_ms=8000))
        test = await outcome(rig, "t1")
        assert (test.phase, test.reason) == (LineTestPhase.FAILED, "not_answered")
        assert (test.at - test.began_at).total_seconds() == pytest.approx(8.0, abs=0.1)
        await asyncio.sleep(3)
        assert rig.world.sets[5].phase is Phase.IDLE
        assert rig.server.lines.channels[5].is_free()

    run_rig(folder, main)


def test_dial_tone_is_found_or_missed(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        rig.agent.send(StartLineTest(test_id="good", channel=1, kind=LineTestKind.DIAL_TONE, limit_ms=5000))
        test = await outcome(rig, "good")
        assert (test.phase, test.reason) == (LineTestPhase.PASSED, "dial_tone")
        assert test.figures[0].value < 3000
        rig.card.set_fault(2, Fault.SILENCE)
        rig.agent.send(StartLineTest(test_id="dead", channel=2, kind=LineTestKind.DIAL_TONE, limit_ms=5000))
        test = await outcome(rig, "dead")
        assert (test.phase, test.reason) == (LineTestPhase.FAILED, "no_dial_tone")
        await asyncio.sleep(5)
        assert rig.server.lines.channels[1].is_free()
        await rig.answered()

    run_rig(folder, main)


def test_tested_channel_carries_no_call_and_blocked_one_can_be_tested(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        rig.agent.send(BlockChannel(channel=1))
        rig.card.set_fault(1, Fault.SILENCE)
        rig.agent.send(StartLineTest(test_id="t1", channel=1, kind=LineTestKind.DIAL_TONE, limit_ms=20_000))
        await rig.agent.told(LineTestReported)
        rig.agent.send(Seize(leg="out", group="trunk", number=OUTSIDE))
        await asyncio.sleep(5)
        assert rig.leg("out").channel == 2
        rig.agent.send(StopLineTest(channel=1))
        test = await outcome(rig, "t1")
        assert (test.phase, test.reason) == (LineTestPhase.STOPPED, "stopped")
        await asyncio.sleep(3)
        assert rig.channel_state(1).test == ""
        assert rig.channel_state(1).blocked

    run_rig(folder, main)


def test_what_cannot_be_tested_is_refused_with_a_reason(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        _, leg = await rig.answered()
        for channel, kind, limit_ms, code in (
            (1, LineTestKind.DIAL_TONE, 5000, "LIN-174"),
            (2, LineTestKind.RING, 5000, "LIN-173"),
            (99, LineTestKind.RING, 5000, "LIN-033"),
            (2, LineTestKind.DIAL_TONE, 5, "LIN-042"),
        ):
            rig.agent.send(StartLineTest(test_id=code, channel=channel, kind=kind, limit_ms=limit_ms))
            assert (await rig.agent.told(CommandFailed)).code == code
        assert rig.leg(leg).phase is LegPhase.ANSWERED

    run_rig(folder, main)


def test_alarm_ends_a_test(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        rig.card.set_fault(1, Fault.SILENCE)
        rig.agent.send(StartLineTest(test_id="t1", channel=1, kind=LineTestKind.DIAL_TONE, limit_ms=20_000))
        await asyncio.sleep(3)
        rig.card.set_span_alarm(1, "red")
        test = await outcome(rig, "t1")
        assert (test.phase, test.reason) == (LineTestPhase.FAILED, "alarm")
        rig.card.set_span_alarm(1)
        await asyncio.sleep(5)
        assert rig.server.lines.channels[1].is_free()
        welcome = rig.server.lines.welcome()
        assert [each.test_id for each in welcome.tests] == ["t1"]

    run_rig(folder, main)
