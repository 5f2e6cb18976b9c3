"""The machine stands still while MFC/R2 numbers are signalled: each channel at another place of its number. No wrong number is a call."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from drivers.io import LineEvent
from drivers.media import End, EventKind, MediaEvent
from drivers.protocol import Alerting, Answered, Cause, Offered, Release, Released, Seize
from drivers.server.media_events import MediaEvents
from drivers.server.recordings import Recordings
from drivers.virtual.faults import Fault
from tests.scenarios.r2_rig import ANI, DNIS, R2Rig, r2_lines, run_r2

SETUP_S = 9.0
NUMBERING_MS = 4000  # from the seizure to the last register signal
STALLS_MS = (60, 140, 400, 1700)
Calls = Callable[[R2Rig], Awaitable[int]]


@pytest.mark.parametrize("variant", ["cn", "itu"])
@pytest.mark.parametrize("outgoing", [False, True], ids=["in", "out"])
def test_stall_at_every_place_of_a_number(tmp_path: Path, variant: str, outgoing: bool, caplog: pytest.LogCaptureFixture) -> None:
    calls: Calls = _out if outgoing else _in

    async def main(rig: R2Rig) -> None:
        channels = len(rig.office.channels)
        assert await calls(rig) == channels  # what a good line is like
        apart_ms = NUMBERING_MS / channels  # a signal and its answer take as long
        for ms, first_ms in itertools.product(STALLS_MS, (0, apart_ms / 2)):
            for at, number in enumerate(rig.office.channels):
                asyncio.get_running_loop().call_later((first_ms + at * apart_ms) / 1000, _stand_still, rig, number, ms)
            right = await calls(rig)  # others are given up by whichever end was first
            assert right < channels, ms
            assert any("LIN-154" in record.getMessage() for record in caplog.records), ms
            caplog.clear()
            assert await calls(rig) == channels, ms
        assert sum(channel.care.failures > 0 for channel in rig.server.lines.channels.values()) > channels / 2

    run_r2(tmp_path, main, r2_lines(variant=variant))


def _overrun(rig: R2Rig) -> None:
    rig.server.lines.channels[1].on_line_event(LineEvent.READ_OVERRUN)


def _underrun(rig: R2Rig) -> None:
    rig.server.lines.channels[1].on_line_event(LineEvent.WRITE_UNDERRUN)


def _events_lost(rig: R2Rig) -> None:
    lines = rig.server.lines
    lost = MediaEvent(kind=EventKind.EVENTS_LOST, port=-1, id=0, value=3, value2=0, samples=0, at=0)
    MediaEvents(lines, Recordings(lines), lambda: None).take(lost)


@pytest.mark.parametrize("loss", [_overrun, _underrun, _events_lost])
def test_whoever_tells_of_lost_sound_is_heard(tmp_path: Path, loss: Callable[[R2Rig], None]) -> None:
    """The kernel, which tells either direction, and a media core whose events had no room."""

    async def main(rig: R2Rig) -> None:
        call = rig.office.call(DNIS, ANI, channel=1)
        await asyncio.sleep(1.0)
        loss(rig)
        await rig.all_idle()
        assert not rig.agent.heard(Offered)
        assert (call.cause, call.by_far_end) == (Cause.SWITCH_CONGESTION, True)
        assert rig.server.lines.channels[1].state().failures == 1
        rig.office.call(DNIS, ANI, channel=1)
        assert (await rig.offered()).state.ani == ANI
        loss(rig)  # the number is whole, the call waits for the box
        await asyncio.sleep(SETUP_S)
        assert rig.server.lines.channels[1].state().state == "ringing"

    run_r2(tmp_path, main, r2_lines(variant="itu"))


def _stand_still(rig: R2Rig, number: int, ms: int) -> None:
    rig.card.set_fault(number, Fault.STALL, True, ends=(End.NEAR,))
    asyncio.get_running_loop().call_later(ms / 1000, rig.card.set_fault, number, Fault.STALL, False)


def _numbers(rig: R2Rig) -> dict[int, tuple[str, str]]:
    """For each channel a called and a calling number of one digit again and again, the worst of all."""
    return {number: (8 * str(number % 10), 11 * str((number + 3) % 10)) for number in rig.office.channels}


async def _in(rig: R2Rig) -> int:
    """A call from outside on every channel; how many came, each with the right numbers."""
    rig.agent.events.clear()
    numbers = _numbers(rig)
    calls = [rig.office.call(dnis, ani, channel=channel) for channel, (dnis, ani) in numbers.items()]
    await asyncio.sleep(SETUP_S)
    offered = [each.state for each in rig.agent.heard(Offered)]
    for state in offered:
        assert state.dnis == numbers[state.channel][0]
        assert state.ani in (numbers[state.channel][1], None)
        rig.agent.send(Release(leg=state.leg))
        await asyncio.sleep(0.02)
    for call in calls:
        rig.office.release(call)
    await rig.all_idle(120)
    return len(offered)


async def _out(rig: R2Rig) -> int:
    """A call to the exchange on every channel; how many rang, each with the right numbers at the far end. The others were given up."""
    rig.agent.events.clear()
    rig.office.calls.clear()
    numbers = _numbers(rig)
    leg_of = {channel: f"out-{rig.clock.monotonic_s():.0f}-{channel}" for channel in numbers}
    for channel, (dnis, ani) in numbers.items():
        rig.agent.send(Seize(leg=leg_of[channel], channel=channel, number=dnis, caller=ani))
        await asyncio.sleep(0.02)
    await asyncio.sleep(SETUP_S)
    channel_of = {leg: channel for channel, leg in leg_of.items()}
    rang = {channel_of[each.leg] for each in rig.agent.heard(Alerting)} | {channel_of[each.leg] for each in rig.agent.heard(Answered)}
    arrived = {call.channel: (call.dnis, call.ani) for call in rig.office.calls}
    assert {channel: arrived[channel] for channel in rang} == {channel: numbers[channel] for channel in rang}
    given_up = {channel_of[each.leg]: each.cause for each in rig.agent.heard(Released)}
    assert set(given_up) == set(numbers) - rang
    assert set(given_up.values()) <= {Cause.RESOURCE_UNAVAILABLE, Cause.SWITCH_CONGESTION}
    for channel in rang:
        rig.agent.send(Release(leg=leg_of[channel]))
        await asyncio.sleep(0.02)
    await rig.all_idle(120)
    return len(rang)
