"""The page of telephony cards, with the box service and the real program for cards beside it; the cards are files of a sysfs."""

import asyncio
import io
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from appliance.config import Config
from appliance.system.box import Box
from appliance.system.cards import actions
from appliance.system.cards.messages import INCOMING
from appliance.system.server import SystemServer
from drivers.clock import RealClock
from drivers.settings import Paths
from tests.astribank import box, files
from tests.astribank.place import Place
from tests.web import prepared
from tests.web.conftest import HTML, SignIn, post, text_of, token
from tests.web.test_pages import CHINESE, NAMES_IN_CHINESE, check_headers, check_html

LIMIT_S = 20.0


@pytest.fixture
def service(place: prepared.Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The box service runs; the folder that its program for cards takes for the root of the file system."""
    root = tmp_path / "root"
    monkeypatch.setattr(actions, "PROGRAM", (sys.executable, "-m", "firmware_shims", "--root", str(root)))
    paths = Paths(run_dir=str(place.run_dir), data_dir=str(place.data_dir))
    loop, server = asyncio.new_event_loop(), SystemServer(paths.system_socket, Box(Config(paths=paths), place.config, RealClock()))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(LIMIT_S)
    yield root
    asyncio.run_coroutine_threadsafe(server.close(), loop).result(LIMIT_S)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(LIMIT_S)
    loop.close()


def shown(client: FlaskClient) -> str:
    return text_of(client.get("/cards", headers=HTML).text)


def sent(client: FlaskClient, name: str, content: bytes, as_name: str = "") -> str:
    client.post("/cards/file", data={"csrf": token(client), "file": (io.BytesIO(content), name), "name": as_name}, headers=HTML)
    return shown(client)


def test_a_card_without_its_firmware_says_which_files_it_wants(service: Path, sign_in: SignIn) -> None:
    Place(service, box.Box(0x1150))
    page = shown(sign_in("administrator"))
    for words in ("Xorcom Astribank (FXS/FXO)", "USB 口 1-1", "没有固件", "CRD-001", "USB_FW.hex", "FPGA_1151.hex", "装入固件"):
        assert words in page


def test_the_page_is_whole_in_both_languages(service: Path, sign_in: SignIn) -> None:
    Place(service, box.Box(0x1160))
    admin = sign_in("administrator")
    sent(admin, "USB_FW.hex", files.fx2_program())
    for language in ("zh", "en"):
        post(admin, "/language", {"language": language})
        answer = admin.get("/cards", headers=HTML)
        check_html(answer.text)
        check_headers(answer.headers)
    left = [word for word in CHINESE.findall(text_of(answer.text)) if not word.startswith(NAMES_IN_CHINESE)]
    assert left == []
    assert "A firmware file is missing" in text_of(answer.text)


def test_files_are_added_told_with_their_sums_and_removed(service: Path, sign_in: SignIn, place: prepared.Place) -> None:
    Place(service, box.Box(0x1150))
    admin = sign_in("administrator")
    assert "7701" in sent(admin, "USB_FW.hex", files.fx2_program())
    page = sent(admin, "renamed (1).hex", files.fpga_image(), "FPGA_1151.hex")
    assert "10401" in page
    assert "CRD-001" not in page
    assert list((place.data_dir / INCOMING).iterdir()) == []
    post(admin, "/cards/file/removed", {"name": "USB_FW.hex"})
    assert "CRD-001" in shown(admin)


def test_a_damaged_file_is_refused_with_its_line(service: Path, sign_in: SignIn, place: prepared.Place) -> None:
    admin = sign_in("administrator")
    wrong = files.fx2_program().replace(b":0300000002", b":0300000003", 1)
    page = sent(admin, "USB_FW.hex", wrong)
    assert "CRD-002" in page
    assert "line 2" in page
    assert "CRD-003" in sent(admin, "holiday.jpg", b"x")
    assert "还没有文件" in shown(admin)
    assert list((place.data_dir / INCOMING).iterdir()) == []


def test_nothing_chosen_and_nothing_to_load(service: Path, sign_in: SignIn) -> None:
    admin = sign_in("administrator")
    post(admin, "/cards/file", {})
    assert "请选择一个固件文件" in shown(admin)
    post(admin, "/cards/load", {})
    assert "没有需要装入固件的板卡" in shown(admin)
    post(admin, "/cards/load", {"port": "9-9"})
    assert "CRD-016" in shown(admin)


def test_without_the_box_service_the_page_says_so(sign_in: SignIn) -> None:
    assert "SYS-005" in shown(sign_in("administrator"))
