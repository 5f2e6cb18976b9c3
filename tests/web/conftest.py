"""Fixtures of the web suite: the prepared day, a scripted call agent, the application with its test client, people signed in.

Modules ON_BOTH are tested with both databases; `CARELINE_TEST_DATABASE=postgresql` takes that one for all others too.
"""

import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance.store.models import Account
from drivers.clock import VirtualClock
from tests.postgresql import TestServer
from tests.web import prepared
from tests.web.agent import ScriptedAgent
from webui import store
from webui.app import create_app, hub_of
from webui.settings import load_config

NOW = datetime(2026, 3, 8, 2, 10, tzinfo=UTC)  # 10:10 in Shanghai

HTML = {"Accept": "text/html"}

DAY = "day"
ALWAYS = os.environ.get("CARELINE_TEST_DATABASE", "sqlite")
ON_BOTH = tuple(f"tests.web.test_{name}" for name in ("kiosk", "work"))

SignIn = Callable[[str], FlaskClient]


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that tests copy."""
    folder = tmp_path_factory.mktemp("day") / "data"
    prepared.fill(folder, NOW)
    return folder


@pytest.fixture(scope="session")
def day_on_server(postgresql: TestServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, its store a database that tests copy."""
    folder = tmp_path_factory.mktemp("day on server") / "data"
    postgresql.say(f"create database {DAY}")
    prepared.fill(folder, NOW, postgresql.place(DAY))
    return folder


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", ALWAYS))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.module.__name__ in ON_BOTH and "database_kind" in metafunc.fixturenames and ALWAYS == "sqlite":
        metafunc.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path, database_kind: str) -> Iterator[prepared.Place]:
    if database_kind == "sqlite":
        yield prepared.make_place(tmp_path / "box", template=request.getfixturevalue("day"))
        return
    server: TestServer = request.getfixturevalue("postgresql")
    folder: Path = request.getfixturevalue("day_on_server")
    with server.own_store(DAY) as own:
        yield prepared.make_place(tmp_path / "box", template=folder, store_place=own)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOW)


@pytest.fixture
def app(place: prepared.Place, clock: VirtualClock) -> Flask:
    """The application; its live thread is not running."""
    return create_app(load_config(place.config), clock=clock)


@pytest.fixture
def agent(place: prepared.Place) -> Iterator[ScriptedAgent]:
    running = ScriptedAgent(place.run_dir / "control.sock", NOW).start()
    running.show_day()
    yield running
    running.stop()


@pytest.fixture
def live_app(app: Flask, agent: ScriptedAgent) -> Iterator[Flask]:
    """The application following the scripted agent; ready when it knows the agent's lines."""
    hub = hub_of(app)
    hub.start()
    with hub.watch() as watcher:
        while hub.view().trouble is not None:
            assert watcher.wait(10.0), "no live state in 10 s"
    yield app
    hub.stop()


@pytest.fixture
def sign_in(app: Flask) -> SignIn:
    return lambda role: signed_in(app, role)


def signed_in(app: Flask, role: str) -> FlaskClient:
    """A client with the session of the person of that role, as the log-in would have made it."""
    client = app.test_client()
    with store.connection(), client.session_transaction() as session:
        account = Account.get(Account.name == prepared.NAMES[role])
        session["account"], session["key"] = account.id, account.session_key
    return client


def token(client: FlaskClient) -> str:
    """The CSRF token of this client's session."""
    client.get("/me", headers=HTML, follow_redirects=True)
    with client.session_transaction() as session:
        return str(session.get("csrf", ""))


def post(client: FlaskClient, address: str, form: dict[str, str], **more: Any) -> TestResponse:
    """A form sent as a browser would, token included."""
    return client.post(address, data={**form, "csrf": token(client)}, headers=HTML, **more)


def pass_time(clock: VirtualClock, seconds: float) -> None:
    """Let that much time go by, so that what counts tries per minute forgets."""
    until = clock.monotonic_s() + seconds
    while clock.monotonic_s() < until:
        clock.advance(None)


def text_of(html: str) -> str:
    """What a reader sees of a page, roughly."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"<script.*?</script>", " ", html, flags=re.S)))
