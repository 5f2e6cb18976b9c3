"""The pages on a disk that is full: what is asked is refused, and why is told. The disk is a real one."""

import contextlib
import sqlite3
from pathlib import Path

from drivers.clock import VirtualClock
from tests.small_disk import small_disk
from tests.web import prepared
from tests.web.conftest import post, signed_in, text_of
from webui.app import create_app
from webui.settings import load_config

NEW = {"name": "new", "role": "inspector", "password": "Cormorant-77-bay"}


def test_what_cannot_be_written_is_refused_and_the_full_disk_is_told(day: Path, clock: VirtualClock, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", size_mb=64) as disk:
        place = prepared.make_place(disk.folder / "box", template=day)
        client = signed_in(create_app(load_config(place.config), clock=clock), "administrator")
        with contextlib.closing(sqlite3.connect(place.data_dir / "careline.db")) as call_agents:
            call_agents.execute("select count(*) from account").fetchone()
            post(client, "/language", {"language": "en"})
            disk.fill()
            page = text_of(post(client, "/accounts", NEW).text)
            assert "WEB-014" in page
            assert "The disk is full; nothing was changed" in page
            assert "cannot rollback" not in page
            disk.empty()
            assert post(client, "/accounts", NEW).status_code == 303
