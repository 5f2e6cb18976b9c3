"""The web process itself: what keeps it from starting, said in words with a code; its files; how it ends."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from flask import Flask

from drivers.errors import CarelineError, ConfigError
from tests.web import prepared
from tests.web.browser import free_port, web_process
from webui import server, store
from webui.app import create_app
from webui.errors import WebError
from webui.settings import WebSettings, load_config

RUN_LIMIT_S = 60.0


def run(config: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "webui", "--config", str(config)], capture_output=True, text=True, timeout=RUN_LIMIT_S)


def test_port_taken(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ended = run(prepared.make_place(tmp_path / "box", port, empty=True).config)
    assert ended.returncode == 1
    assert f"WEB-001: cannot listen on 127.0.0.1 port {port}: it is taken" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_host_that_is_not_ours() -> None:
    with pytest.raises(WebError, match=r"WEB-012: cannot listen on 192\.0\.2\.1.*ip address"):
        server.listen(WebSettings(host="192.0.2.1", port=free_port()))


def test_host_that_is_not_ours_is_found_without_starting(tmp_path: Path) -> None:
    config = tmp_path / "careline.toml"
    config.write_text('[web]\nhost = "192.0.2.1"\n')
    checked = subprocess.run(
        [sys.executable, "-m", "webui", "--check", "--config", str(config)], capture_output=True, text=True, timeout=RUN_LIMIT_S
    )
    assert checked.returncode == 1
    assert "WEB-012" in checked.stderr


@pytest.mark.parametrize("host", ["http://localhost", "localhost:8080", "300.1.2.3", "10.0.0", "-box", "call centre", "", "::g"])
def test_host_that_cannot_be_one(tmp_path: Path, host: str) -> None:
    config = tmp_path / "careline.toml"
    config.write_text(f'[web]\nhost = "{host}"\n')
    with pytest.raises(ConfigError, match=r"CFG-016.*web\.host.*0\.0\.0\.0"):
        load_config(config)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "::1", "localhost", "careline.hospital.example", "box-7"])
def test_host_that_may_be_one(tmp_path: Path, host: str) -> None:
    config = tmp_path / "careline.toml"
    config.write_text(f'[web]\nhost = "{host}"\n')
    assert load_config(config).web.host == host


def test_store_missing(tmp_path: Path) -> None:
    place = prepared.make_place(tmp_path / "box")
    with pytest.raises(WebError, match=r"WEB-002.*careline\.db.*careline-calls"):
        server.wait_for_store(load_config(place.config).paths.database, 0.0)


def test_store_of_another_version(place: prepared.Place) -> None:
    config = load_config(place.config)
    opened = store.bind(config.paths.database)
    opened.connect()
    opened.execute_sql("update schema_version set version = 99")
    opened.close()
    with pytest.raises(WebError, match=r"WEB-004.*version 99"):
        create_app(config)


def test_store_damaged(place: prepared.Place) -> None:
    config = load_config(place.config)
    config.paths.database.write_bytes(b"not a database " * 1000)
    with pytest.raises(CarelineError, match=r"STO-00[12]"):
        create_app(config)


def test_data_folder_missing(tmp_path: Path) -> None:
    config = tmp_path / "careline.toml"
    config.write_text(f'[paths]\ndata_dir = "{tmp_path}/nowhere"\n')
    ended = run(config)
    assert ended.returncode == 1
    assert "WEB-002" in ended.stderr


def test_secret_file_empty(place: prepared.Place) -> None:
    (place.data_dir / "web-secret").write_text("")
    with pytest.raises(WebError, match=r"WEB-006.*web-secret"):
        create_app(load_config(place.config))


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [("prot = 80", "CFG-003", "Did you mean `port`"), ("port = 0", "CFG-004", "web.port"), ('port = "x"', "CFG-004", "web.port")],
)
def test_wrong_configuration(place: prepared.Place, line: str, code: str, words: str) -> None:
    place.config.write_text(place.config.read_text().replace("port = 8080", line))
    with pytest.raises(ConfigError, match=code) as caught:
        load_config(place.config)
    assert words in str(caught.value)


def test_time_zone_that_does_not_exist(place: prepared.Place) -> None:
    place.config.write_text(place.config.read_text() + '[hospital.calendar]\ntime_zone = "Mars/Base"\n')
    with pytest.raises(ConfigError, match="Mars/Base"):
        create_app(load_config(place.config))


def test_view_without_right_keeps_it_from_starting(app: Flask) -> None:
    from webui import guard

    app.view_functions["forgotten"] = lambda: ""
    with pytest.raises(WebError, match=r"WEB-009.*forgotten"):
        guard.check_views(app)


def test_running_process(tmp_path: Path) -> None:
    """Says the code on the console; a second one is refused; one that was killed leaves nothing that keeps the next from starting."""
    port = free_port()
    place = prepared.make_place(tmp_path / "box", port, empty=True)
    with web_process(place.config, port):
        code = (place.data_dir / "setup-code").read_text()
        assert len(code) == 19
        second = run(place.config)
        assert second.returncode == 1
        assert "WEB-003" in second.stderr
        for one in server_of(port):
            os.kill(one, signal.SIGKILL)
    with web_process(place.config, port) as address:
        assert alive(address)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_it_waits_for_nobody(tmp_path: Path, number: signal.Signals) -> None:
    """A client in the middle of its request, and one that keeps its connection."""
    port = free_port()
    place = prepared.make_place(tmp_path / "box", port, empty=True)
    with web_process(place.config, port), ExitStack() as clients:
        for said in (b"GET /sign-in HTTP/1.1\r\nHost: half\r\n", b"GET /alive HTTP/1.1\r\nHost: whole\r\n\r\n"):
            clients.enter_context(socket.create_connection(("127.0.0.1", port))).sendall(said)
        (one,) = server_of(port)
        os.kill(one, number)
        wait_until(lambda: not server_of(port), 3 * server.STOP_LIMIT_S)


def test_half_requests_keep_nobody_out(tmp_path: Path) -> None:
    """More clients than threads that never end their request: the page comes when they have been given up."""
    port = free_port()
    place = prepared.make_place(tmp_path / "box", port, empty=True)
    place.config.write_text(place.config.read_text().replace("[web]", "[web]\nthreads = 8"))
    with web_process(place.config, port) as address, ExitStack() as clients:
        for _ in range(16):
            client = clients.enter_context(socket.create_connection(("127.0.0.1", port)))
            client.sendall(b"GET /sign-in HTTP/1.1\r\nHost: half\r\n")
        with urllib.request.urlopen(f"{address}/alive", timeout=4 * server.SLOW_CLIENT_S) as answer:
            assert answer.status == 200


def test_systemd_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    place = prepared.make_place(tmp_path / "box", port, empty=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(tmp_path / "notify"))
        notify.settimeout(RUN_LIMIT_S)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with web_process(place.config, port):
            told = {notify.recv(1024).split(b"\n")[0] for _ in range(3)}
    assert told == {b"READY=1", b"WATCHDOG=1"}


def alive(address: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"{address}/alive", timeout=5.0) as answer:
        return bool(answer.status == 200)
    return False


def server_of(port: int) -> list[int]:
    """The processes that hold the port."""
    return [int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit() and _holds(one, port)]


def wait_until(true: Callable[[], bool], limit_s: float = RUN_LIMIT_S) -> None:
    until = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < until, "not in time"
        time.sleep(0.1)


def _holds(process: Path, port: int) -> bool:
    inodes = {line.split()[9] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[1].endswith(f":{port:04X}")}
    with suppress(OSError):
        return any(os.readlink(one) in {f"socket:[{inode}]" for inode in inodes} for one in (process / "fd").iterdir())
    return False
