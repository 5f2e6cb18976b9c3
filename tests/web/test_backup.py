"""The pages on backups, with the box service beside them: made, checked, fetched, restored, set up; a new box restored, not set up."""

import asyncio
import io
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance.config import Config
from appliance.store.models import Account
from appliance.system.backup import checking, known, settings, words
from appliance.system.backup.messages import Job, Outcome
from appliance.system.backup.places import Places, places_of
from appliance.system.box import Box
from appliance.system.server import SystemServer
from drivers.clock import RealClock
from drivers.settings import Paths
from tests.web import prepared
from tests.web.conftest import HTML, SignIn, post, text_of, token
from webui import secret, store

LIMIT_S = 20.0
SYSTEMCTL = '#!/bin/sh\nif [ "$1" = list-units ]; then echo careline-web.service; else echo "$*" >>{folder}/asked; fi\n'
LSBLK = "#!/bin/sh\necho '{{\"blockdevices\": []}}'\n"


@pytest.fixture
def box(place: prepared.Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    """The box service runs."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name, text in {"systemctl": SYSTEMCTL, "lsblk": LSBLK}.items():
        (folder / name).write_text(text.format(folder=folder))
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    made = Box(Config(paths=Paths(run_dir=str(place.run_dir), data_dir=str(place.data_dir))), place.config, RealClock())
    loop, server = asyncio.new_event_loop(), SystemServer(made.config.paths.system_socket, made)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(LIMIT_S)
    yield made
    asyncio.run_coroutine_threadsafe(server.close(), loop).result(LIMIT_S)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(LIMIT_S)
    loop.close()


@pytest.fixture
def admin(box: Box, sign_in: SignIn) -> FlaskClient:
    return sign_in("administrator")


def job_of(box: Box, kind: str) -> Job:
    """When it is over."""
    for _ in range(400):
        job = known.desk(box).job
        if job is not None and job.kind.value == kind and job.ended_at:
            return job
        threading.Event().wait(0.05)
    raise AssertionError(f"no job {kind} that ends")


def set_up(client: FlaskClient, box: Box, **fields: Any) -> TestResponse:
    revision = settings.load(places_of(box).settings).revision
    form = {"revision": str(revision), "name": "disk", "kind": "folder", "path": str(places_of(box).data.parent / "away"), **fields}
    return post(client, "/backup/places/added", form)


def made(client: FlaskClient, box: Box) -> str:
    """The name of a backup made by hand."""
    set_up(client, box)
    post(client, "/backup/make", {"target": "disk"})
    assert job_of(box, "backup").outcome is Outcome.GOOD
    return known.history_of(box)[0].name


def seen(client: FlaskClient, path: str = "/backup") -> str:
    return text_of(client.get(path, headers=HTML).text)


def test_without_the_box_service_the_page_says_so(sign_in: SignIn) -> None:
    assert "SYS-005" in seen(sign_in("administrator"))
    assert "SYS-005" in seen(sign_in("administrator"), "/backup/places")


def test_made_checked_downloaded_and_deleted(admin: FlaskClient, box: Box) -> None:
    first = made(admin, box)
    assert "成功" in seen(admin)
    assert first in seen(admin, "/backup?at=disk")
    post(admin, "/backup/verify", {"target": "disk", "name": first})
    assert job_of(box, "verify").outcome is Outcome.GOOD
    loaded = post(admin, "/backup/download", {"target": "disk", "name": first})
    assert loaded.data == (places_of(box).data.parent / "away" / first).read_bytes()
    loaded.close()
    post(admin, "/backup/removed", {"target": "disk", "name": first})
    assert "SYS-106" in seen(admin), "the newest stays"
    made(admin, box)
    post(admin, "/backup/removed", {"target": "disk", "name": first})
    assert not (places_of(box).data.parent / "away" / first).exists()


def test_words_are_shown_to_who_gives_the_own_password(admin: FlaskClient, box: Box) -> None:
    assert "恢复码" in seen(admin)
    refused = post(admin, "/backup/words", {"password": "wrong"})
    assert refused.status_code == 303
    shown = post(admin, "/backup/words", {"password": prepared.PASSWORD})
    kept = words.known(places_of(box).words)
    assert kept is not None
    assert kept.words in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    changed = post(admin, "/backup/words", {"password": prepared.PASSWORD, "new": "1"})
    assert kept.words not in changed.text


def test_restored_confirmed_and_undone(admin: FlaskClient, box: Box) -> None:
    name = made(admin, box)
    music = places_of(box).data / "music" / "later.wav"
    music.parent.mkdir(exist_ok=True)
    music.write_bytes(b"later")
    asked = {"target": "disk", "name": name, "password": "wrong"}
    post(admin, "/backup/restore", asked)
    assert music.exists(), "with the wrong password nothing happens"
    post(admin, "/backup/restore", {**asked, "password": prepared.PASSWORD})
    assert job_of(box, "restore").outcome is Outcome.GOOD
    assert not music.exists()
    assert name in seen(admin)
    post(admin, "/backup/undone", {"password": prepared.PASSWORD})
    assert music.exists()
    post(admin, "/backup/confirmed", {})
    assert "SYS-119" in seen(admin)


def test_settings_are_changed_refused_and_undone(admin: FlaskClient, box: Box) -> None:
    set_up(admin, box)
    kept = {"keep_days": "3", "keep_weeks": "2", "keep_months": "1", "keep_by_hand": "4", "at": "03:15"}
    post(admin, "/backup/settings", {**kept, "nightly": "1", "nightly_to": "disk", "revision": "1"})
    now = known.settings_of(box)
    assert (now.nightly, now.at, now.nightly_to, now.keep_days) == (True, "03:15", ("disk",), 3)
    post(admin, "/backup/settings", {**kept, "revision": "1"})
    assert "SYS-102" in seen(admin)
    post(admin, "/backup/settings", {**kept, "keep_days": "9999", "revision": "2"})
    assert "SYS-101" in seen(admin)
    post(admin, "/backup/settings/undone", {})
    assert not known.settings_of(box).nightly
    post(admin, "/backup/places/removed", {"name": "disk", "revision": "3"})
    assert known.settings_of(box).targets == ()


def test_a_place_is_tried(admin: FlaskClient, box: Box) -> None:
    set_up(admin, box)
    post(admin, "/backup/places/tried", {"name": "disk"})
    assert "可以使用" in seen(admin, "/backup/places")
    set_up(admin, box, path="/proc/nowhere")
    post(admin, "/backup/places/tried", {"name": "disk"})
    assert re.search("SYS-1(07|16)", seen(admin, "/backup/places"))


@pytest.mark.parametrize("action", ["/backup/verify", "/backup/restore", "/backup/download", "/backup/removed"])
@pytest.mark.parametrize("name", ["../../etc/passwd", "", "careline-x.age"])
def test_names_that_are_no_backup_are_refused(admin: FlaskClient, action: str, name: str) -> None:
    form = {"target": "disk", "name": name, "password": prepared.PASSWORD}
    assert post(admin, action, form).status_code == 400


# --- a box that is not set up -------------------------------------------------------------------------------------------


def test_a_new_box_is_restored_before_it_has_an_account(admin: FlaskClient, app: Flask, box: Box) -> None:
    file = places_of(box).data.parent / "away" / made(admin, box)
    kept = words.known(places_of(box).words)
    assert kept is not None
    _forget_everything(places_of(box))
    stranger = app.test_client()
    assert stranger.get("/setup", headers=HTML).status_code == 200
    early = _send(stranger, file.read_bytes(), kept.words)
    assert early.status_code in (303, 403)
    assert not list(places_of(box).incoming.glob("*")), "without the code nothing is taken"
    wrong = post(stranger, "/setup/restore", {"code": "AAAA-AAAA-AAAA-AAAA"})
    assert wrong.status_code == 422, wrong.headers
    post(stranger, "/setup/restore", {"code": secret.setup_code(places_of(box).data)})
    _send(stranger, file.read_bytes(), kept.words)
    assert job_of(box, "restore").outcome is Outcome.GOOD
    with store.connection():
        assert Account.select().where(Account.name == prepared.NAMES["administrator"]).exists()
    assert stranger.get("/setup/restore", headers=HTML).status_code == 302
    assert not list(places_of(box).incoming.glob("*"))


def _send(client: FlaskClient, content: bytes, said: str) -> TestResponse:
    form = {"file": (io.BytesIO(content), "backup.age"), "words": said, "csrf": token(client)}
    return client.post("/setup/restore/file", data=form, headers=HTML)


def _forget_everything(places: Places) -> None:
    """An empty store, as of a box that was never set up."""
    for path in places.data.glob("careline.db*"):
        path.unlink()
    checking.migrate(places.data / "careline.db")
    places.words.unlink()
