"""What careline-health asks of the other processes, and what it makes of their silence."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from appliance.config import Config
from appliance.control.messages import SelfCallEnd
from appliance.health.asking import Asked, BoxProbe, SelfCaller, WebProbe
from appliance.health.config import SelfCallConfig, web_address
from appliance.health.watch import AgentWatch
from drivers.clock import RealClock
from drivers.errors import CarelineError
from drivers.settings import Paths
from tests.unit.health_peers import free_port, until
from tests.unit.test_health_power import box_service
from tests.web.agent import ScriptedAgent
from tests.web.conftest import NOW


@contextmanager
def pages(status: list[int]) -> Iterator[str]:
    """A web server that answers with the status of the list."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status[0])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads that."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/alive"
    server.shutdown()
    server.server_close()
    thread.join(10)


def test_pages_that_do_not_answer_twice_are_down() -> None:
    status = [200]
    with pages(status) as address:
        ask = WebProbe(address)
        assert [ask(), ask()] == ["", ""]
        status[0] = 500
        assert ask() == "", "one that is late is none"
        assert ask().endswith("answers 500")
        status[0] = 200
        assert ask() == ""
    ask = WebProbe(f"http://127.0.0.1:{free_port()}/alive")
    ask()
    assert "refused" in ask()


@pytest.mark.parametrize(
    ("web", "address"),
    [
        ({}, "http://127.0.0.1:8080/alive"),
        ({"host": "10.0.0.5", "port": 443, "tls_certificate": "x.pem"}, "https://10.0.0.5:443/alive"),
        ({"host": "0.0.0.0", "port": 81}, "http://127.0.0.1:81/alive"),
    ],
)
def test_where_the_pages_are(web: dict[str, object], address: str) -> None:
    assert web_address(web) == address


def test_the_call_agent_is_followed_and_its_end_is_seen(tmp_path: Path) -> None:
    agent = ScriptedAgent(tmp_path / "control.sock", NOW).start()
    agent.show_day()
    watch = AgentWatch(tmp_path / "control.sock", RealClock())
    assert watch.lines() is None
    watch.start()
    lines = until(watch.lines)
    assert lines.spans
    assert lines.channels
    assert lines.calls > 0
    assert watch.quiet_s < 5
    agent.stop()
    until(lambda: watch.lines() is None)
    again = ScriptedAgent(tmp_path / "control.sock", NOW).start()
    until(watch.lines)
    watch.stop()
    again.stop()


def test_the_box_is_called_but_not_while_very_many_calls_go_on(tmp_path: Path) -> None:
    agent = ScriptedAgent(tmp_path / "control.sock", NOW).start()
    calls: list[int | None] = [None]
    call = SelfCaller(tmp_path / "control.sock", SelfCallConfig(most_calls=10), lambda: calls[0], RealClock())
    assert call() is None, "the call agent is away, which is told by itself"
    calls[0] = 11
    assert (call(), agent.asked) == (None, [])
    calls[0] = 10
    told = call()
    assert told is not None
    assert told.end is SelfCallEnd.HEARD
    agent.refuse = CarelineError("APP-020", "no line server", "Start it")
    told = call()
    assert told is not None
    assert (told.end, "APP-020" in told.detail) == (SelfCallEnd.FAILED, True)
    agent.stop()


def test_what_the_box_service_knows(tmp_path: Path) -> None:
    config = Config(paths=Paths(run_dir=str(tmp_path / "run"), data_dir=str(tmp_path / "data")))
    (tmp_path / "run").mkdir()
    (tmp_path / "data").mkdir()
    ask = BoxProbe(config.paths.system_socket, RealClock())
    assert (ask().backup_age_h, ask().update) == (None, None)
    with box_service(config):
        told = ask()
    assert told.backup_age_h is None, "no nightly backups are set"
    assert told.update in ("", None)


def test_what_fails_to_be_asked_is_not_known_and_asked_again() -> None:
    asked: list[int] = []

    def ask() -> int:
        asked.append(1)
        if len(asked) < 3:
            raise CarelineError("SYS-001", "away", "Wait") if len(asked) == 1 else OSError("gone")
        return 7

    thread = Asked("test", 0.01, ask)
    thread.start()
    assert until(lambda: thread.latest) == 7
    thread.stop()


def test_what_is_known_of_one_ends_with_a_fault_of_the_program() -> None:
    def ask() -> str:
        if asking.latest:
            raise KeyError("a fault of the program")
        return "known"

    seen: list[BaseException | None] = []
    hook, threading.excepthook = threading.excepthook, lambda told: seen.append(told.exc_value)
    try:
        asking: Asked[str] = Asked("it", 0.01, ask)
        asking.start()
        assert until(lambda: seen and asking.latest is None)
    finally:
        threading.excepthook = hook
