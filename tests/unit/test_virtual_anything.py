"""Whatever people, box and faults do in whatever order: nothing breaks, and when all have hung up everything is at rest."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.errors import LineError
from drivers.io import Hook
from drivers.virtual.config import NumberConfig, SpanConfig, SpanKind, TelephoneConfig, VirtualConfig
from drivers.virtual.faults import Fault
from drivers.virtual.handset import Phase
from drivers.virtual.trunk import TrunkState
from tests.contract.rig import Rig, run_rig

CONFIG = VirtualConfig(
    spans=(SpanConfig(kind=SpanKind.FXO, channels=2), SpanConfig(kind=SpanKind.FXS, channels=2)),
    numbers=(NumberConfig(number="1", spans=(1,)),),
    telephones=(TelephoneConfig(number="7", after_ms=700),),
    ring_limit_ms=8000,
)
SWITCH = msgspec.structs.replace(
    CONFIG,
    spans=(
        SpanConfig(kind=SpanKind.FXO, channels=2, transfers=True, reverses_polarity=True, caller_id="dtmf", caller_id_at="polarity"),
        *CONFIG.spans[1:],
    ),
)
CALLERS = 3
LONGEST_FLASH_MS = 1000
LINE_FAULTS = (Fault.CUT, Fault.FREEZE, Fault.LOST_HANGUP, Fault.ALARM)


def _hook(rig: Rig, number: int, hook: Hook) -> None:
    with contextlib.suppress(LineError):  # LIN-071, where the kernel would say EBUSY
        rig.channel(number).set_hook(hook)


def _flash(rig: Rig, number: int, ms: int) -> None:
    _hook(rig, number, Hook.ON)
    asyncio.get_running_loop().call_later(ms / 1000, _hook, rig, number, Hook.OFF)


def _reopen(rig: Rig, number: int) -> None:
    rig.channel(number).close()
    rig.open(number)


def _join(rig: Rig, first: int, second: int) -> None:
    if first != second:
        rig.channel(first).native_bridge(rig.channel(second))


Act = Callable[[Rig, list[Any]], object]
CHANNELS = st.integers(1, 4)
ACTS: st.SearchStrategy[Act] = st.one_of(
    st.builds(lambda n, h: lambda rig, _: _hook(rig, n, h), CHANNELS, st.sampled_from(list(Hook))),
    st.builds(lambda n, ms: lambda rig, _: _flash(rig, n, ms), st.integers(1, 2), st.integers(40, LONGEST_FLASH_MS)),
    st.builds(lambda n: lambda rig, _: _reopen(rig, n), CHANNELS),
    st.builds(lambda a, b: lambda rig, _: _join(rig, a, b), CHANNELS, CHANNELS),
    st.builds(lambda n: lambda rig, _: rig.channel(n).native_unbridge(), CHANNELS),
    st.builds(lambda n, digits: lambda rig, _: rig.say(n, digits), CHANNELS, st.sampled_from(["1", "7", "99", "#"])),
    st.builds(lambda c, number: lambda _, callers: callers[c].dial(number), st.integers(0, CALLERS - 1), st.sampled_from(["1", "7", "9"])),
    st.builds(lambda c: lambda _, callers: callers[c].hang_up(), st.integers(0, CALLERS - 1)),
    st.builds(lambda c: lambda _, callers: callers[c].press("12"), st.integers(0, CALLERS - 1)),
    st.builds(lambda: lambda rig, _: rig.world.telephones["7"].hang_up()),
    st.builds(lambda n: lambda rig, _: rig.world.sets[n].pick_up(), st.integers(3, 4)),
    st.builds(lambda n: lambda rig, _: rig.world.sets[n].hang_up(), st.integers(3, 4)),
    st.builds(lambda n, ms: lambda rig, _: rig.world.sets[n].flash(ms), st.integers(3, 4), st.integers(20, 1500)),
    st.builds(lambda n, fault, on: lambda rig, _: rig.card.set_fault(n, fault, on), CHANNELS, st.sampled_from(LINE_FAULTS), st.booleans()),
    st.builds(lambda span, alarm: lambda rig, _: rig.card.set_span_alarm(span, *alarm), st.integers(1, 2), st.sampled_from([(), ("red",)])),
)


@pytest.mark.parametrize("config", [CONFIG, SWITCH], ids=["exchange", "switch"])
@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(story=st.lists(st.tuples(ACTS, st.integers(0, 2500)), max_size=40))
def test_anything_in_any_order(config: VirtualConfig, story: list[tuple[Act, int]]) -> None:
    async def main(rig: Rig) -> None:
        faults: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
        for number in range(1, 5):
            rig.open(number)
        callers = [rig.caller() for _ in range(CALLERS)]
        for act, pause_ms in story:
            act(rig, callers)
            await rig.pass_ms(pause_ms)
        await rig.pass_ms(LONGEST_FLASH_MS)
        await _all_to_rest(rig, callers)
        assert not faults, faults
        assert all(trunk.state is TrunkState.IDLE and trunk.is_free() for trunk in rig.world.trunks.values())
        assert all(each.phase is Phase.IDLE for each in (*callers, *rig.world.sets.values(), *rig.world.telephones.values()))
        assert not rig.world.exchange.busy

    run_rig(config, main)


async def _all_to_rest(rig: Rig, callers: list[Any]) -> None:
    for span in (1, 2):
        rig.card.set_span_alarm(span)
    for number in range(1, 5):
        for fault in LINE_FAULTS:
            rig.card.set_fault(number, fault, on=False)
    for telephone in (*callers, *rig.world.sets.values(), *rig.world.telephones.values()):
        telephone.hang_up()
    for number in range(1, 5):
        rig.channel(number).close()
    await rig.pass_ms(3000)
