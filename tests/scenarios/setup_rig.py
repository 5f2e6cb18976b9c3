"""A box to set lines up on: two spans of lines, one of sets, one E1 with primary rate; and what one sends to do it."""

import msgspec

from drivers.config import GroupConfig, LineSetup
from drivers.protocol import AskSetup, CommandFailed, SettleSetup, SetupChecked, SetupSettled, SetupTold, TrySetup
from drivers.span_plans import SpanPlan
from drivers.virtual.config import NumberConfig, SpanConfig, SpanKind, VirtualConfig
from tests.scenarios.lines_rig import BOX, LINES, Rig

WORLD = VirtualConfig(
    spans=(
        SpanConfig(kind=SpanKind.FXO, channels=2),
        SpanConfig(kind=SpanKind.FXO, channels=2),
        SpanConfig(kind=SpanKind.FXS, channels=2),
        SpanConfig(kind=SpanKind.PRI),
    ),
    numbers=(NumberConfig(number=BOX, spans=(1, 2)),),
)
CONFIG = msgspec.structs.replace(LINES, virtual=WORLD)
E1 = "7-21,23-37"
LOOP_START = SpanPlan(span=2, fxsls="3-4")


async def told(rig: Rig) -> LineSetup:
    rig.agent.send(AskSetup())
    return msgspec.json.decode((await rig.agent.told(SetupTold)).setup, type=LineSetup)


def send(rig: Rig, setup: LineSetup, apply: bool = True, confirm_s: int = 60) -> int:
    return rig.agent.send(TrySetup(setup=msgspec.json.encode(setup), apply=apply, confirm_s=confirm_s))


async def applied(rig: Rig, setup: LineSetup, confirm_s: int = 60) -> SetupChecked:
    return await rig.agent.told(SetupChecked, command_id=send(rig, setup, confirm_s=confirm_s))


async def settled(rig: Rig, keep: bool) -> SetupSettled:
    """Keep what is being tried, or undo it."""
    rig.agent.send(SettleSetup(keep=keep))
    return await rig.agent.told(SetupSettled)


async def refused(rig: Rig, setup: LineSetup) -> CommandFailed:
    return await rig.agent.told(CommandFailed, command_id=send(rig, setup))


def with_span(setup: LineSetup, plan: SpanPlan) -> LineSetup:
    spans = tuple(plan if each.span == plan.span else each for each in setup.spans)
    return msgspec.structs.replace(setup, spans=spans)


def with_groups(setup: LineSetup, *groups: GroupConfig) -> LineSetup:
    return msgspec.structs.replace(setup, groups=groups)
