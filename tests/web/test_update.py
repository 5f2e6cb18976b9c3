"""The page of updates, with the box service beside it; the programs it calls (rauc, lsblk, systemctl) are played by small ones on PATH."""

import asyncio
import io
import os
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from appliance.config import Config
from appliance.system.box import Box
from appliance.system.server import SystemServer
from appliance.system.update import bundles, state
from appliance.system.update.messages import BUNDLE_BYTES_MOST, Event, Job
from appliance.system.update.places import Places, places_of
from drivers.clock import RealClock
from tests.web import prepared
from tests.web.conftest import HTML, SignIn, post, text_of, token
from webui import uploads

RAUC = """#!/bin/sh
case "$1" in
status) case "$2" in mark-*) echo "$2 $3" >>{folder}/marked; exit ;; esac
  echo '{{"compatible": "careline-amd64", "boot_primary": "rootfs.0", "slots": [
    {{"rootfs.0": {{"bootname": "A", "state": "booted", "boot_status": "good"}}}},
    {{"rootfs.1": {{"bootname": "B", "state": "inactive", "boot_status": "good",
      "slot_status": {{"bundle": {{"version": "0.0.9"}}}}}}}}]}}' ;;
info) grep -q whole "$3" || {{ echo 'signature verification failed' >&2; exit 1; }}
  echo '{{"compatible": "careline-amd64", "version": "9.1", "build": "x.schema99"}}' ;;
install) echo ' 20% Checking bundle'; echo '100% Installing done.' ;;
esac
"""
PROGRAMS = {
    "rauc": RAUC,
    "grub-editenv": "#!/bin/sh\n",
    "lsblk": "#!/bin/sh\necho '{{\"blockdevices\": []}}'\n",
    "systemctl": '#!/bin/sh\necho "$*" >>{folder}/restarted\n',
}
LIMIT_S = 20.0


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Their folder, in which they write what they were asked."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name, text in PROGRAMS.items():
        (folder / name).write_text(text.format(folder=folder))
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


@pytest.fixture
def box(place: prepared.Place, programs: Path) -> Iterator[Places]:
    """The box service runs."""
    paths = Config().paths.__class__(run_dir=str(place.run_dir), data_dir=str(place.data_dir))
    asked = Box(Config(paths=paths), place.config, RealClock())
    bundles.clean(places_of(asked))
    loop, server = asyncio.new_event_loop(), SystemServer(paths.system_socket, asked)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(LIMIT_S)
    yield places_of(asked)
    asyncio.run_coroutine_threadsafe(server.close(), loop).result(LIMIT_S)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(LIMIT_S)
    loop.close()


def send(sign_in: SignIn, who: str, name: str, content: bytes) -> TestResponse:
    client = sign_in(who)
    form = {"file": (io.BytesIO(content), name), "csrf": token(client)}
    return client.post("/update/upload", data=form, headers=HTML)


def test_the_page_tells_what_runs_and_what_is_in_the_other_slot(box: Places, sign_in: SignIn) -> None:
    page = text_of(sign_in("administrator").get("/update", headers=HTML).text)
    assert "正在运行" in page
    assert "0.0.9" in page
    assert "没有。请上传" in page


def test_without_the_box_service_the_page_says_so(sign_in: SignIn) -> None:
    assert "SYS-005" in text_of(sign_in("administrator").get("/update", headers=HTML).text)


def test_an_upload_is_checked_and_installed(box: Places, sign_in: SignIn) -> None:
    sent = send(sign_in, "administrator", "careline 9.1.raucb", b"whole " * 50_000)
    assert sent.status_code == 303
    assert [file.name for file in box.incoming.iterdir()] == ["careline-9.1.raucb"]
    admin = sign_in("administrator")
    checked = text_of(post(admin, "/update/check", {"bundle": "upload:careline-9.1.raucb"}).text)
    assert "签名有效" in checked
    assert "9.1" in checked
    post(admin, "/update/install", {"bundle": "upload:careline-9.1.raucb"})
    wait_until_installed(box)
    assert [note.event for note in state.history(box)] == [Event.INSTALLED]
    assert state.history(box)[0].by == "chen"
    assert list(box.incoming.iterdir()) == []
    assert "已装好" in text_of(admin.get("/update", headers=HTML).text)


def wait_until_installed(box: Places) -> None:
    """It goes on in a thread of the box service."""
    for _ in range(400):
        if not state.is_installing(box):
            return
        threading.Event().wait(0.05)
    raise AssertionError("the installation does not end")


def test_what_is_not_signed_is_refused_in_words(box: Places, sign_in: SignIn) -> None:
    send(sign_in, "administrator", "bad.raucb", b"nothing")
    admin = sign_in("administrator")
    post(admin, "/update/check", {"bundle": "upload:bad.raucb"})
    assert "签名无效" in text_of(admin.get("/update", headers=HTML).text)


@pytest.mark.parametrize("name", ["../../etc/x.raucb", "-rf.raucb", "升级.raucb", "a b.RAUCB"], ids=("path", "option", "chinese", "blank"))
def test_names_of_uploads_are_made_safe(box: Places, sign_in: SignIn, name: str) -> None:
    send(sign_in, "administrator", name, b"whole")
    (file,) = box.incoming.iterdir()
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]*\.raucb", file.name)


@pytest.mark.parametrize("name", ["update.img", "raucb", ""])
def test_what_is_no_update_leaves_nothing(box: Places, sign_in: SignIn, name: str) -> None:
    send(sign_in, "administrator", name, b"whole")
    assert list(box.incoming.iterdir()) == []


def test_who_may_not_gets_nothing_onto_the_disk(box: Places, sign_in: SignIn) -> None:
    assert send(sign_in, "technician", "x.raucb", b"whole").status_code == 403
    assert list(box.incoming.iterdir()) == []


def test_an_upload_that_breaks_off_leaves_nothing(box: Places, sign_in: SignIn, app: Flask) -> None:
    admin = sign_in("administrator")
    broken = b'--x\r\nContent-Disposition: form-data; name="file"; filename="u.raucb"\r\n\r\n' + b"half " * 50_000
    answer = admin.post("/update/upload", data=broken, content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 400
    assert list(box.incoming.iterdir()) == []


def test_too_large_and_without_room(box: Places, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = sign_in("administrator")
    length = {"CONTENT_LENGTH": str(BUNDLE_BYTES_MOST + (1 << 20))}
    large = admin.post("/update/upload", environ_overrides=length, content_type="multipart/form-data; boundary=x", data=b"--x")
    assert large.status_code == 413
    monkeypatch.setattr(uploads, "LEFT_BYTES", 1 << 60)
    answer = send(sign_in, "administrator", "x.raucb", b"whole")
    assert (answer.status_code, "SYS-075" in text_of(answer.text)) == (503, True)
    assert list(box.incoming.iterdir()) == []


def test_a_restart_waits_and_can_be_called_off(box: Places, sign_in: SignIn, programs: Path) -> None:
    admin = sign_in("administrator")
    post(admin, "/update/restart", {"wait": "30"})
    page = admin.get("/update", headers=HTML)
    assert page.headers["Refresh"] == "3"
    assert "没有通话时重新启动" in text_of(page.text)
    post(admin, "/update/restart/cancelled", {})
    assert state.read(box).restart is None
    assert not (programs / "restarted").exists()
    post(admin, "/update/restart", {"wait": "0"})
    assert (programs / "restarted").read_text() == "reboot\n"
    assert [note.event for note in state.history(box)] == [
        Event.RESTARTED,
        Event.RESTART_ASKED,
        Event.RESTART_CANCELLED,
        Event.RESTART_ASKED,
    ]


def test_the_way_back_by_hand(box: Places, sign_in: SignIn, programs: Path) -> None:
    admin = sign_in("administrator")
    post(admin, "/update/back", {})
    post(admin, "/update/stay", {})
    assert (programs / "marked").read_text().split("\n") == ["mark-active other", "mark-good booted", "mark-active booted", ""]
    assert [note.event for note in state.history(box)] == [Event.STAY_ASKED, Event.BACK_ASKED]


def test_an_installation_shows_how_far_it_is(box: Places, sign_in: SignIn) -> None:
    job = Job(bundle="upload:x.raucb", by="anna", started_at=datetime(2026, 3, 8, tzinfo=UTC), version="9.1", percent=40, step="copying")
    state.change(box, lambda was: state.Standing(job=job))
    page = sign_in("administrator").get("/update", headers=HTML)
    assert page.headers["Refresh"] == "3"
    assert 'value="40"' in page.text
    assert "写入系统分区" in text_of(page.text)
