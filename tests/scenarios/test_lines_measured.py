"""Tests of channels that measure, on the virtual card: level, tone, echo, loopback, bit errors; and digital channels blocked."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from drivers.media import Law
from drivers.protocol import (
    BlockChannel,
    CommandFailed,
    LineTest,
    LineTestKind,
    LineTestPhase,
    LineTestReported,
    StartLineTest,
)
from drivers.virtual.config import SpanConfig, SpanKind, VirtualConfig
from drivers.virtual.faults import Fault
from drivers.virtual.handset import Phase
from tests.scenarios.lines_rig import LINES, Rig, run_rig, speech_like
from tests.scenarios.test_lines_care import outcome

DIGITAL = msgspec.structs.replace(
    LINES,
    virtual=VirtualConfig(spans=(SpanConfig(kind=SpanKind.CAS), SpanConfig(kind=SpanKind.PRI), SpanConfig(kind=SpanKind.FXS, channels=1))),
)


def figures(test: LineTest) -> dict[str, float]:
    return {figure.name: figure.value for figure in test.figures}


def loop_at_the_far_end(rig: Rig, number: int) -> None:
    """Somebody there sends back what arrives."""
    far = rig.card.far.open(number)
    port = rig.engine.port_new(Law.ALAW)
    far.attach(port)
    rig.engine.echo(port, True)


@pytest.mark.parametrize("channel", [1, 32])
def test_bit_error_test_through_a_loop(folder: Path, channel: int) -> None:
    async def main(rig: Rig) -> None:
        loop_at_the_far_end(rig, channel)
        rig.agent.send(StartLineTest(test_id="t", channel=channel, kind=LineTestKind.BERT, limit_ms=10_000))
        test = await outcome(rig, "t")
        assert (test.phase, test.reason) == (LineTestPhase.PASSED, "no_bit_errors")
        assert figures(test)["bits"] > 500_000
        assert figures(test)["error_rate"] == 0

    run_rig(folder, main, DIGITAL)


def test_bit_errors_are_counted_and_a_missing_loop_is_told(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        loop_at_the_far_end(rig, 1)
        rig.agent.send(StartLineTest(test_id="noisy", channel=1, kind=LineTestKind.BERT, limit_ms=10_000))
        rig.agent.send(StartLineTest(test_id="open", channel=2, kind=LineTestKind.BERT, limit_ms=5000))
        await asyncio.sleep(5)
        rig.card.set_fault(1, Fault.NOISE, value=-20.0)
        await asyncio.sleep(1)
        rig.card.set_fault(1, Fault.NOISE, on=False)
        missing = await outcome(rig, "open")
        assert (missing.phase, missing.reason) == (LineTestPhase.FAILED, "no_pattern")
        test = await outcome(rig, "noisy")
        assert (test.phase, test.reason) == (LineTestPhase.FAILED, "bit_errors")
        assert figures(test)["errors"] + figures(test)["sync_losses"] > 0

    run_rig(folder, main, DIGITAL)


def test_tone_comes_back_from_a_loop_and_from_nowhere_else(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        loop_at_the_far_end(rig, 1)
        for channel, phase in ((1, LineTestPhase.PASSED), (2, LineTestPhase.FAILED)):
            rig.agent.send(StartLineTest(test_id=f"t{channel}", channel=channel, kind=LineTestKind.TONE, limit_ms=4000))
            test = await outcome(rig, f"t{channel}")
            assert test.phase is phase
            if phase is LineTestPhase.PASSED:
                assert figures(test)["level"] == pytest.approx(-10.0, abs=0.3)
                assert figures(test)["loss"] == pytest.approx(0.0, abs=0.3)

    run_rig(folder, main, DIGITAL)


def test_loopback_returns_what_comes_in(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        far = rig.card.far.open(1)
        port = rig.engine.port_new(Law.ALAW)
        far.attach(port)
        rig.engine.bit_error_test(port, True)
        rig.agent.send(StartLineTest(test_id="t", channel=1, kind=LineTestKind.LOOPBACK, limit_ms=6000))
        await asyncio.sleep(5)
        assert rig.engine.bit_errors(port).synced
        assert (await outcome(rig, "t")).phase is LineTestPhase.PASSED

    run_rig(folder, main, DIGITAL)


def test_level_of_dial_tone_is_metered(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        rig.agent.send(StartLineTest(test_id="t", channel=1, kind=LineTestKind.LEVEL, limit_ms=4000))
        running = [(await rig.agent.told(LineTestReported)).test for _ in range(3)]
        assert figures(running[-1])["level"] > -25
        test = await outcome(rig, "t")
        assert (test.phase, test.reason) == (LineTestPhase.PASSED, "measured")

    run_rig(folder, main)


def test_echo_test_of_a_set_hears_the_voice(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        telephone = rig.world.sets[5]
        for test_id, spoken, reason in (("loud", speech_like(2.0, 1), "heard"), ("quiet", b"\xd5" * 8000, "nothing_heard")):
            rig.agent.send(StartLineTest(test_id=test_id, channel=5, kind=LineTestKind.ECHO))
            await telephone.reached(Phase.RINGING)
            telephone.answer()
            await asyncio.sleep(2)
            telephone.speak_samples(spoken)
            await asyncio.sleep(3)
            telephone.hang_up()
            assert (await outcome(rig, test_id)).reason == reason
            await asyncio.sleep(5)

    run_rig(folder, main)


@pytest.mark.parametrize("channel", [1, 32])
def test_digital_channels_are_blocked_and_unblocked(folder: Path, channel: int) -> None:
    """The signalling is told, whatever it does with it; nothing else comes of it."""

    async def main(rig: Rig) -> None:
        for blocked in (True, True, False):
            rig.agent.send(BlockChannel(channel=channel, blocked=blocked))
            await asyncio.sleep(1)
            assert rig.channel_state(channel).blocked is blocked
        rig.card.set_span_alarm(1 if channel == 1 else 2, "red")
        await asyncio.sleep(1)
        rig.card.set_span_alarm(1 if channel == 1 else 2)
        await asyncio.sleep(1)
        assert rig.channel_state(channel).failures == 0
        assert not rig.agent.heard(CommandFailed)

    run_rig(folder, main, DIGITAL)
