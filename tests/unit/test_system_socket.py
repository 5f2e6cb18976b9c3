"""The socket of the box service: greeting, answers, progress, faults, and who is turned away."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.config import Config
from appliance.system import __main__ as program
from appliance.system import actions
from appliance.system.actions import Box, Tell
from appliance.system.client import SystemClient
from appliance.system.errors import BoxError
from appliance.system.messages import Progress, SystemHello, SystemRequest
from appliance.system.server import SystemServer
from drivers.clock import RealClock
from drivers.protocol import Message


class AskSum(SystemRequest, frozen=True, kw_only=True):
    numbers: tuple[int, ...]


class SumTold(Message, frozen=True, kw_only=True):
    total: int


def add(box: Box, request: AskSum, tell: Tell) -> SumTold:
    if not request.numbers:
        raise BoxError("SYS-099", "nothing to add", "Give numbers")
    tell(50, "adding")
    return SumTold(total=sum(request.numbers) + 0 * 1 // request.numbers[0])


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    actions.ACTIONS[AskSum] = add
    monkeypatch.setattr(actions, "REPLIES", (*actions.REPLIES, SumTold))
    yield tmp_path / "system.sock"
    del actions.ACTIONS[AskSum]


async def served(path: Path, client: object) -> None:
    server = SystemServer(path, Box(Config(), path, RealClock()))
    await server.start()
    try:
        await asyncio.wait_for(asyncio.to_thread(client), 20)  # type: ignore[arg-type]  # a function without arguments
    finally:
        await server.close()


def test_a_request_is_answered_and_tells_of_its_progress(path: Path) -> None:
    heard: list[Progress] = []

    def client() -> None:
        with SystemClient(path, "test") as box:
            box.do(AskSum(numbers=(1, 2), by="me"), told=heard.append)
            assert box.ask(AskSum(numbers=(4, 5), by="me"), SumTold).total == 9

    asyncio.run(served(path, client))
    assert [(each.percent, each.step) for each in heard] == [(50, "adding")]


def test_faults_come_with_their_code_and_the_connection_goes_on(path: Path) -> None:
    def client() -> None:
        with SystemClient(path, "test") as box:
            with pytest.raises(BoxError, match="SYS-099: nothing to add"):
                box.do(AskSum(numbers=()))
            with pytest.raises(BoxError, match="SYS-004"):  # a fault nobody thought of
                box.do(AskSum(numbers=(0,)))
            assert box.ask(AskSum(numbers=(7,)), SumTold).total == 7

    asyncio.run(served(path, client))


def test_another_version_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.system.client.SystemHello", lambda version, client: SystemHello(version=version + 1, client=client))

    def client() -> None:
        with pytest.raises(BoxError, match="SYS-003"):
            SystemClient(path, "test")

    asyncio.run(served(path, client))


def test_no_service_is_told_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(BoxError, match=r"SYS-005.*Start careline-system"):
        SystemClient(tmp_path / "none.sock", "test")


def test_a_fault_beside_requests_ends_the_service() -> None:
    """So that it is begun anew, rather than going on without its nightly work; one that has nothing to do may end."""

    async def faulty() -> None:
        raise LookupError("a fault of the program")

    async def main() -> None:
        idle = asyncio.create_task(asyncio.sleep(0))
        await idle
        program._raise_faults([idle, asyncio.create_task(asyncio.sleep(60))])
        failed = asyncio.create_task(faulty())
        await asyncio.wait({failed})
        with pytest.raises(LookupError, match="a fault of the program"):
            program._raise_faults([idle, failed])

    asyncio.run(main())
