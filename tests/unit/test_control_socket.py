"""The control socket: live state to every client, requests to actions, nonsense refused."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.control.client import ControlClient, ControlError
from appliance.control.live import LiveState
from appliance.control.messages import (
    AskLineSetup,
    Check,
    EndLineTest,
    FlowsTold,
    Grade,
    HangUpCall,
    Health,
    LineSetupChecked,
    LineSetupTold,
    LineTarget,
    LiveCall,
    LiveCallChanged,
    LiveCallGone,
    LiveSnapshot,
    MusicRequest,
    MusicTold,
    PutCallBack,
    ReadPromptUpload,
    ResetLineCounters,
    RunLineTest,
    RunSelfCall,
    SelfCallEnd,
    SelfCallTold,
    SetClosing,
    SetLinesBlocked,
    SettleLineSetup,
    TryLineSetup,
    UseFlows,
    UsePrompts,
)
from appliance.control.server import ControlServer
from drivers.clock import VirtualClock, run_virtual
from drivers.errors import CarelineError
from drivers.private_socket import LOOK_S
from drivers.protocol import LineTestKind, SetupChecked, SetupTold

T0 = datetime(2026, 3, 8, 2, 0, tzinfo=UTC)
HEALTH = Health(at=T0, started_at=T0, checks=(Check(name="disk", grade=Grade.OK),), lines_connected=True)


def a_call(place: str = "menu") -> LiveCall:
    return LiveCall(
        call_id="c1", direction="inbound", phase="talking", group="trunk", channel=1, ani=None, dnis="96120",
        started_at=T0, answered_at=T0, language="zh", place=place, digits="",
    )  # fmt: skip


class Recorded:
    """Actions that keep what they were asked, at the border the call agent would stand at."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []

    async def set_blocked(self, request: SetLinesBlocked) -> None:
        self.asked.append((str(request.target), request.blocked, request.by))

    async def reset_counters(self, request: ResetLineCounters) -> None:
        self.asked.append(("reset", str(request.target), request.by))

    async def run_test(self, request: RunLineTest) -> None:
        self.asked.append(("test", request.channel, request.kind, request.by))

    async def end_test(self, request: EndLineTest) -> None:
        self.asked.append(("end", request.channel, request.by))

    async def ask_setup(self, request: AskLineSetup) -> LineSetupTold:
        return LineSetupTold(request_id=request.request_id, told=SetupTold(command_id=1, setup=b"{}", card="virtual", found=(), fields={}))

    async def try_setup(self, request: TryLineSetup) -> LineSetupChecked:
        return LineSetupChecked(request_id=request.request_id, checked=SetupChecked(command_id=2, diff=f"{request.setup!r}"))

    async def settle_setup(self, request: SettleLineSetup) -> None:
        self.asked.append(("settle", request.keep, request.by))

    async def music(self, request: MusicRequest) -> MusicTold:
        return MusicTold(entries=())

    async def use_flows(self, request: UseFlows) -> FlowsTold:
        return FlowsTold(edition=7)

    async def put_back(self, request: PutCallBack) -> None:
        self.asked.append((request.call_id, request.place, request.by))

    async def use_prompts(self, request: UsePrompts) -> None:
        self.asked.append(("prompts", request.by))

    async def read_upload(self, request: ReadPromptUpload) -> None:
        self.asked.append((request.upload, request.kind))

    async def run(self, request: RunSelfCall) -> SelfCallTold:
        return SelfCallTold(end=SelfCallEnd.HEARD, at=T0, answered_ms=900, heard_ms=1_500)

    async def set_closing(self, request: SetClosing) -> None:
        self.asked.append(("closing", request.closing, request.by))

    async def hang_up_call(self, call_id: str, by: str) -> None:
        raise CarelineError("APP-040", f"no call {call_id}", "It may have ended; look at the list again")


class Agent:
    """A control server in a loop of its own thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.actions = Recorded()
        self.loop = asyncio.new_event_loop()
        self.live = LiveState(HEALTH)
        self.server = ControlServer(path, self.live, self.actions, self.actions, self.actions, self.actions, self.actions)
        self.thread = threading.Thread(target=self.loop.run_forever)

    def call(self, function: Callable[..., None], *arguments: object) -> None:
        self.loop.call_soon_threadsafe(function, *arguments)


@contextmanager
def agent(path: Path) -> Iterator[Agent]:
    running = Agent(path)
    running.thread.start()
    try:
        asyncio.run_coroutine_threadsafe(running.server.start(), running.loop).result(5)
        yield running
        asyncio.run_coroutine_threadsafe(running.server.close(), running.loop).result(5)
    finally:
        running.loop.call_soon_threadsafe(running.loop.stop)
        running.thread.join(5)
        running.loop.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "control.sock"


def test_a_subscriber_sees_every_change(path: Path) -> None:
    with agent(path) as running, ControlClient(path) as client:
        changes = client.subscribe(quiet_limit_s=5)
        first = next(changes)
        assert isinstance(first, LiveSnapshot)
        assert first.health == HEALTH
        running.call(running.live.call_changed, a_call())
        assert next(changes) == LiveCallChanged(call=a_call())
        running.call(running.live.call_changed, a_call("message"))
        assert next(changes) == LiveCallChanged(call=a_call("message"))
        running.call(running.live.call_gone, "c1")
        assert next(changes) == LiveCallGone(call_id="c1")


def test_a_state_that_did_not_change_is_not_told(path: Path) -> None:
    live = LiveState(HEALTH)
    told: list[object] = []
    live.listen(told.append)
    live.call_changed(a_call())
    live.call_changed(a_call())
    live.call_gone("another")
    assert told == [LiveCallChanged(call=a_call())]


def test_requests_reach_the_call_agent_and_failures_come_back(path: Path) -> None:
    with agent(path) as running, ControlClient(path) as client:
        client.request(SetLinesBlocked(target=LineTarget(span=7), blocked=True, by="anna"))
        client.request(ResetLineCounters(target=LineTarget(group="trunk"), by="anna"))
        client.request(RunLineTest(test_id="t", channel=3, kind=LineTestKind.RING, by="anna"))
        client.request(EndLineTest(channel=3, by="anna"))
        assert running.actions.asked == [
            ("span 7", True, "anna"),
            ("reset", "group trunk", "anna"),
            ("test", 3, LineTestKind.RING, "anna"),
            ("end", 3, "anna"),
        ]
        with pytest.raises(ControlError, match="APP-040: no call x"):
            client.request(HangUpCall(call_id="x", by="anna"))
        assert client.ask_health().health == HEALTH


def test_a_set_up_is_asked_for_and_checked(path: Path) -> None:
    with agent(path) as running, ControlClient(path) as client:
        assert client.ask_setup("anna").card == "virtual"
        assert client.try_setup(b"{}", False, "anna").diff == "b'{}'"
        client.request(SettleLineSetup(keep=True, by="anna"))
        assert running.actions.asked == [("settle", True, "anna")]


def test_nobody_there_is_said(path: Path) -> None:
    with pytest.raises(ControlError, match=r"APP-030.*Start careline-calls"):
        ControlClient(path)


def test_the_socket_is_private(path: Path) -> None:
    with agent(path):
        assert path.stat().st_mode & 0o777 == 0o600


def delete(path: Path) -> None:
    path.unlink()


def mode_of(path: Path) -> int | None:
    return path.stat().st_mode & 0o777 if path.exists() else None


def test_a_deleted_socket_is_made_again(path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        server = ControlServer(path, LiveState(HEALTH), Recorded(), Recorded(), Recorded(), Recorded(), Recorded())
        await server.start()
        delete(path)
        await asyncio.sleep(2 * LOOK_S)
        assert mode_of(path) == 0o600
        _, writer = await asyncio.open_unix_connection(path)
        writer.close()
        await writer.wait_closed()
        await server.close()

    run_virtual(main)
    assert not path.exists()


def test_a_socket_of_somebody_else_is_left_alone(path: Path) -> None:
    """Whoever has the name now keeps it, also when we stop."""

    async def main(clock: VirtualClock) -> None:
        server = ControlServer(path, LiveState(HEALTH), Recorded(), Recorded(), Recorded(), Recorded(), Recorded())
        await server.start()
        delete(path)
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(path))
            other.listen()
            await asyncio.sleep(3 * LOOK_S)
            await server.close()

    run_virtual(main)
    assert path.exists()


def test_a_second_agent_is_refused(path: Path) -> None:
    with agent(path), pytest.raises(CarelineError, match="LIN-022"), agent(path):
        pass


@pytest.mark.parametrize("garbage", [b"\xff\xff\xff\xff", b"\0\0\0\4abcd", b"GET / HTTP/1.1\r\n\r\n"])
def test_garbage_is_answered_and_cut_off(path: Path, garbage: bytes) -> None:
    with agent(path):
        raw = socket.socket(socket.AF_UNIX)
        raw.settimeout(5)
        raw.connect(str(path))
        raw.sendall(garbage)
        answer = b""
        while part := raw.recv(4096):
            answer += part
        raw.close()
        assert b"Refused" in answer
        with ControlClient(path) as client:
            assert client.ask_health()


def test_another_version_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.control.client.VERSION", 99)
    with agent(path), pytest.raises(ControlError, match=r"APP-034.*99.*same version"):
        ControlClient(path)
