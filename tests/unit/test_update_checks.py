"""What a new version must show before it is kept, and a restart that waits for calls: with the call agent's and the box service's real
sockets, and a small web server as the pages.
"""

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest

from appliance.config import Config
from appliance.control.messages import Check, Grade
from appliance.system.box import Box
from appliance.system.server import SystemServer
from appliance.system.update import checks, install, restart, state
from appliance.system.update.messages import Event, RestartWhenQuiet
from appliance.system.update.places import Places, of_paths
from drivers.clock import RealClock, VirtualClock
from drivers.settings import Paths
from tests.web import prepared
from tests.web.agent import ScriptedAgent

NOW = datetime(2026, 3, 8, 2, 10, tzinfo=UTC)
LIMIT_S = 20.0


class _Alive(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/alive" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[ScriptedAgent]:
    running = ScriptedAgent(tmp_path / "control.sock", NOW).start()
    yield running
    running.stop()


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Config]:
    """With pages that are alive."""
    pages = ThreadingHTTPServer(("127.0.0.1", 0), _Alive)
    thread = threading.Thread(target=pages.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield Config(paths=Paths(run_dir=str(tmp_path), data_dir=str(tmp_path / "data")), web={"port": pages.server_port})
    pages.shutdown()
    pages.server_close()
    thread.join(LIMIT_S)


def looked(config: Config, *failed_before: str) -> str | None:
    """With the box service there."""

    async def main() -> str | None:
        server = SystemServer(config.paths.system_socket, Box(config, Path("careline.toml"), RealClock()))
        await server.start()
        try:
            return await asyncio.to_thread(checks.all_of, config, failed_before)
        finally:
            await server.close()

    return asyncio.run(main())


def fail(agent: ScriptedAgent, *names: str) -> None:
    bad = tuple(Check(name=name, grade=Grade.FAILED, code="X-001", detail="gone", remedy="look") for name in names)
    health = prepared.health(NOW)
    good = tuple(check for check in health.checks if check.name not in names)
    agent.do(lambda live: live.health_changed(msgspec.structs.replace(health, checks=(*good, *bad))))


def test_a_box_that_is_well(config: Config, agent: ScriptedAgent) -> None:
    assert looked(config) is None


def test_a_check_that_fails_counts_unless_it_failed_before(config: Config, agent: ScriptedAgent) -> None:
    fail(agent, "store", "disk")
    assert looked(config) == "store: X-001 gone"  # a full disk is no version's fault
    assert looked(config, "store") is None
    assert install.failing(Box(config, Path(), RealClock())) == ("store", "disk")


def test_a_box_without_a_card_is_updated_all_the_same(config: Config, agent: ScriptedAgent) -> None:
    """But a card that was there and is not seen by the new version any more is that version's fault."""
    fail(agent, "card")
    assert looked(config) == "card: X-001 gone"
    assert looked(config, "card") is None
    assert looked(config, "line_server") is None  # as versions had it that ended without a card


def test_each_program_must_be_there(config: Config, agent: ScriptedAgent) -> None:
    assert "the box service does not answer" in (checks.all_of(config, ()) or "")
    without_pages = msgspec.structs.replace(config, web={"port": 1})
    assert "the pages do not answer on port 1" in (looked(without_pages) or "")
    agent.stop()
    assert "the call agent does not answer" in (looked(config) or "")
    assert install.failing(Box(config, Path(), RealClock())) == ()


def test_a_restart_waits_for_calls_and_tells_them_in_the_end(config: Config, agent: ScriptedAgent, tmp_path: Path) -> None:
    agent.show_day()
    clock = VirtualClock(NOW)
    box = Box(config, Path(), clock)
    places = msgspec.structs.replace(of_paths(config.paths), restart=("touch", str(tmp_path / "restarted")))
    restart.ask(box, places, RestartWhenQuiet(limit_min=30, by="anna"))
    restart._restart_if_due(box, places)
    assert agent.asked == []
    pass_until(clock, NOW + timedelta(minutes=29))
    restart._restart_if_due(box, places)
    restart._restart_if_due(box, places)
    assert agent.asked == [("closing", True, "update")]
    assert not (tmp_path / "restarted").exists()
    pass_until(clock, NOW + timedelta(minutes=31))
    restart._restart_if_due(box, places)
    assert (tmp_path / "restarted").exists()
    assert events(places) == [Event.RESTARTED, Event.RESTART_ASKED]


def test_a_restart_comes_as_soon_as_nobody_calls(config: Config, agent: ScriptedAgent, tmp_path: Path) -> None:
    box = Box(config, Path(), VirtualClock(NOW))
    places = msgspec.structs.replace(of_paths(config.paths), restart=("touch", str(tmp_path / "restarted")))
    restart.ask(box, places, RestartWhenQuiet(limit_min=30, by="anna"))
    restart._restart_if_due(box, places)
    assert (tmp_path / "restarted").exists()


def test_a_restart_called_off_lets_callers_in_again(config: Config, agent: ScriptedAgent) -> None:
    agent.show_day()
    clock = VirtualClock(NOW)
    box, places = Box(config, Path(), clock), of_paths(config.paths)
    restart.ask(box, places, RestartWhenQuiet(limit_min=1, by="anna"))
    restart._restart_if_due(box, places)
    restart.cancel(box, places, "anna")
    assert agent.asked == [("closing", True, "update"), ("closing", False, "update")]
    assert state.read(places).restart is None


def events(places: Places) -> list[Event]:
    return [note.event for note in state.history(places)]


def pass_until(clock: VirtualClock, at: datetime) -> None:
    while clock.now() < at:
        clock.advance(60.0)
