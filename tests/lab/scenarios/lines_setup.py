"""Lines set up anew on the kernel's card while a call goes on, and tested from the control socket, as the web does it."""

import asyncio
import os
import subprocess
import time
from pathlib import Path

import msgspec

from appliance.control.client import ControlClient
from appliance.control.messages import LiveTestChanged, RunLineTest, SettleLineSetup
from drivers.config import LineSetup
from drivers.dahdi.configure import SYSTEM_CONF
from drivers.dahdi.control import Control
from drivers.errors import CarelineError
from drivers.io import Signalling
from drivers.protocol import LineTest, LineTestKind, LineTestPhase
from drivers.signalling.r2 import R2Span
from drivers.span_plans import SpanPlan
from tests.lab import product
from tests.lab.exchange import Exchange, Line
from tests.lab.pri_box import far_exchange, pri_box
from tests.lab.product import PATHS, Box, box
from tests.lab.records import finished_records
from tests.lab.scenario import Report, scenario
from tests.lab.sound import prompt

FOLDER = Path("/tmp/exchange")
BY = "lab"
LATER_SETS = "51-52"


@scenario(limit_s=900)
def changed_beside_a_call(report: Report) -> None:
    """Two sets' ports become loop start and are undone, then again and kept; a call on a line hears nothing of it."""
    _writable_etc()
    with box() as running:
        asyncio.run(_changed_beside_a_call(report, running))


def _writable_etc() -> None:
    """The guest's /etc is the host's, read-only."""
    if not os.access(SYSTEM_CONF.parent, os.W_OK):
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(SYSTEM_CONF.parent)], check=True, timeout=10)


async def _changed_beside_a_call(report: Report, running: Box) -> None:
    began_s, before = time.time(), dict(running.pids)
    async with Exchange(product.EXCHANGE_LINES[:1], (), FOLDER) as exchange:
        line = exchange.lines[0]
        await line.ring()
        await line.hears(prompt("greeting"))
        original, setup, refused = await asyncio.to_thread(_loop_start)
        report.figure("refused", refused)
        report.figure("refused_by_the_kernel", refused := await asyncio.to_thread(_refused_by_the_kernel, setup))
        assert refused == "LIN-110"
        assert _signalling(51) is Signalling.FXOKS
        report.figure("applied_s", await asyncio.to_thread(_try, setup))
        assert _signalling(51) is Signalling.FXOLS
        await asyncio.to_thread(_settle, False)
        assert _signalling(51) is Signalling.FXOKS
        await asyncio.to_thread(_try, setup)
        await asyncio.to_thread(_settle, True)
        assert _signalling(51) is Signalling.FXOLS
        await _still_there(line)
        await line.hang_up()
        records = await finished_records(began_s, 1)
    assert [record.channel for record in records] == [1]
    assert all(product.is_alive(pid) for pid in before.values()), "a daemon ended"
    kept = (Path(PATHS.data_dir) / "lines.toml").read_text("utf-8")
    assert f'fxols = "{LATER_SETS}"' in kept, kept
    report.figure("call_s", round(records[0].duration_ms / 1000, 1))
    _as_it_was(original)


def _as_it_was(original: LineSetup) -> None:
    """For the scenarios that use this box after us."""
    _try(original)
    _settle(True)
    for name in ("lines.toml", "lines.toml.old"):
        (Path(PATHS.data_dir) / name).unlink()
    assert _signalling(51) is Signalling.FXOKS


async def _still_there(line: Line) -> None:
    """The menus go on: a key is understood."""
    await line.press("2")
    await line.hears(prompt("item_introduction"))
    await line.press("1")
    await line.hears(prompt("hospital_introduction"))


def _loop_start() -> tuple[LineSetup, LineSetup, str]:
    """The set-up in use, and with two sets' ports changed; and how a channel that is not there is refused."""
    with ControlClient(PATHS.control_socket) as client:
        told = client.ask_setup(BY)
        setup = msgspec.json.decode(told.setup, type=LineSetup)
        sets = next(plan for plan in setup.spans if "49" in plan.fxoks)
        wrong = _with(setup, msgspec.structs.replace(sets, fxoks="49-52,99"))
        try:
            client.try_setup(msgspec.json.encode(wrong), False, BY)
            refused = "nothing"
        except CarelineError as error:
            refused = error.code
    assert refused == "CFG-095", refused
    return setup, _with(setup, msgspec.structs.replace(sets, fxoks="49-50", fxols=LATER_SETS)), refused


def _refused_by_the_kernel(setup: LineSetup) -> str:
    """An echo canceller nobody has."""
    sets = next(plan for plan in setup.spans if plan.fxols)
    wrong = _with(setup, msgspec.structs.replace(sets, echo_canceller="nosuch"))
    with ControlClient(PATHS.control_socket) as client:
        try:
            client.try_setup(msgspec.json.encode(wrong), True, BY)
        except CarelineError as error:
            return error.code
    return "taken"


def _with(setup: LineSetup, plan: SpanPlan) -> LineSetup:
    return msgspec.structs.replace(setup, spans=tuple(plan if each.span == plan.span else each for each in setup.spans))


def _try(setup: LineSetup) -> float:
    began_s = time.monotonic()
    with ControlClient(PATHS.control_socket) as client:
        checked = client.try_setup(msgspec.json.encode(setup), True, BY)
    assert checked.touched == (51, 52), checked
    return round(time.monotonic() - began_s, 1)


def _settle(keep: bool) -> None:
    with ControlClient(PATHS.control_socket) as client:
        client.request(SettleLineSetup(keep=keep, by=BY), 100.0)


def _signalling(number: int) -> Signalling | None:
    with Control() as control:
        params = control.channel(number)
    return params.signalling if params else None


@scenario(limit_s=600)
def tested(report: Report) -> None:
    """A set is rung and nobody comes; a line without dial tone is told as one; a meter runs. All channels take calls afterwards."""
    with box() as running:
        outcomes = {
            kind: _test(channel, kind, seconds)
            for channel, kind, seconds in ((49, LineTestKind.RING, 4), (2, LineTestKind.DIAL_TONE, 4), (3, LineTestKind.LEVEL, 3))
        }
        assert outcomes[LineTestKind.RING].reason == "not_answered"
        assert outcomes[LineTestKind.DIAL_TONE].reason == "no_dial_tone"
        assert outcomes[LineTestKind.LEVEL].phase is LineTestPhase.PASSED
        report.figure("level_of_silence_dbm0", outcomes[LineTestKind.LEVEL].figures[0].value)
        asyncio.run(_call_on_tested(running))


def _test(channel: int, kind: LineTestKind, seconds: int) -> LineTest:
    with ControlClient(PATHS.control_socket) as watching, ControlClient(PATHS.control_socket) as asking:
        changes = watching.subscribe()
        next(changes)
        asking.request(RunLineTest(test_id=kind.value, channel=channel, kind=kind, limit_ms=1000 * seconds, by=BY))
        for change in changes:
            if isinstance(change, LiveTestChanged) and change.test.phase is not LineTestPhase.RUNNING:
                return change.test
    raise AssertionError("the iterator ends only by raising")


async def _call_on_tested(running: Box) -> None:
    began_s = time.time()
    await asyncio.sleep(6)
    async with Exchange(product.EXCHANGE_LINES[1:3], (), FOLDER) as exchange:
        for line in exchange.lines:
            await line.ring()
            await line.hears(prompt("greeting"))
            await line.hang_up()
        records = await finished_records(began_s, 2)
    assert [record.channel for record in records] == [2, 3]
    assert not running.legs(), running.legs()


DYNAMIC = "".join(f'\n[[lines.dahdi.dynamic_spans]]\ndriver = "loc"\naddress = "1:{end}"\nchannels = 31\n' for end in (0, 1))


@scenario(limit_s=900)
def e1_becomes_r2_and_back(report: Report) -> None:
    """The box's E1 is set up for MFC/R2 and undone: the exchange's link comes up again."""
    _writable_etc()
    with pri_box(more=DYNAMIC):
        asyncio.run(_e1_becomes_r2_and_back(report))


async def _e1_becomes_r2_and_back(report: Report) -> None:
    async with far_exchange() as exchange:
        setup = await asyncio.to_thread(_as_r2)
        began_s = time.monotonic()
        await asyncio.to_thread(_apply, setup)
        report.figure("applied_s", round(time.monotonic() - began_s, 1))
        assert (_signalling(1), _signalling(31)) == (Signalling.CAS, Signalling.CAS)
        await exchange.until(lambda: not exchange.up, 60.0)
        await asyncio.to_thread(_settle, False)
        assert (_signalling(1), _signalling(16)) == (Signalling.BCHAN, Signalling.DCHAN)
        began_s = time.monotonic()
        await exchange.until(lambda: bool(exchange.up), 60.0)
        report.figure("link_up_after_s", round(time.monotonic() - began_s, 1))


def _as_r2() -> LineSetup:
    with ControlClient(PATHS.control_socket) as client:
        setup = msgspec.json.decode(client.ask_setup(BY).setup, type=LineSetup)
    plan = SpanPlan(span=1, cas="1-15,17-31")
    return msgspec.structs.replace(_with(setup, plan), pri=(), r2=(R2Span(span=1),))


def _apply(setup: LineSetup) -> None:
    with ControlClient(PATHS.control_socket) as client:
        client.try_setup(msgspec.json.encode(setup), True, BY)
