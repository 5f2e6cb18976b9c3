"""The page of music on hold: what is uploaded reaches the call agent as a file, and what it says is shown."""

import io
import resource
import socket
from pathlib import Path

import pytest

from appliance.control.messages import MusicEntry
from appliance.errors import MusicError
from appliance.music import DEFAULT
from tests.web import prepared
from tests.web.agent import ScriptedAgent
from tests.web.browser import free_port, web_process
from tests.web.conftest import HTML, SignIn, token
from webui.views.music import UPLOAD_BYTES_MOST

OWN = MusicEntry(name="", path=str(DEFAULT), chosen=True)
SPRING = MusicEntry(name="spring", path=str(DEFAULT), chosen=False)


def test_the_page_shows_what_there_is(sign_in: SignIn, agent: ScriptedAgent) -> None:
    agent.music_entries = (OWN, SPRING)
    page = sign_in("administrator").get("/music", headers=HTML).text
    assert "spring" in page
    assert page.count("<audio") == 2
    assert page.count("music/chosen") == 1


def test_music_can_be_heard_in_parts(sign_in: SignIn, agent: ScriptedAgent) -> None:
    agent.music_entries = (OWN,)
    client = sign_in("administrator")
    answer = client.get("/music/sound.wav?name=", headers={"Range": "bytes=0-99"})
    assert (answer.status_code, answer.data[:4], len(answer.data)) == (206, b"RIFF", 100)
    assert client.get("/music/sound.wav?name=other").status_code == 404


def test_an_upload_larger_than_any_form_reaches_the_call_agent(sign_in: SignIn, agent: ScriptedAgent, place: prepared.Place) -> None:
    client = sign_in("administrator")
    form = {"csrf": token(client), "name": "", "file": (io.BytesIO(b"music" * 40_000), "Spring.MP3")}
    answer = client.post("/music", data=form, content_type="multipart/form-data")
    assert answer.status_code == 303
    assert agent.asked == [("AddMusic", "Spring", "mp3")]
    (kept,) = uploads(place)
    assert kept.stat().st_size == 200_000


def uploads(place: prepared.Place) -> list[Path]:
    return list(place.run_dir.parent.glob("**/music/incoming/*"))


def test_an_upload_that_cannot_be_kept_is_told_and_leaves_nothing(sign_in: SignIn, agent: ScriptedAgent, place: prepared.Place) -> None:
    client = sign_in("administrator")
    form = {"csrf": token(client), "name": "m", "file": (io.BytesIO(bytes(400_000)), "m.wav")}
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, before[1]))  # a write ends as on a full disk
    try:
        answer = client.post("/music", data=form, content_type="multipart/form-data", headers=HTML)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert answer.status_code == 503
    assert "WEB-013" in answer.text
    assert (agent.asked, uploads(place)) == ([], [])


@pytest.mark.parametrize(("language", "words"), [("zh", "音乐文件太大"), ("en", "The music file is too large")])
def test_a_file_that_is_too_large_is_told_when_all_of_it_has_come(tmp_path: Path, language: str, words: str) -> None:
    """To a browser over a real connection, which reads the answer only then."""
    port = free_port()
    place = prepared.make_place(tmp_path / "box", port, empty=True)
    head = f"POST /music HTTP/1.1\r\nHost: box\r\nAccept: text/html\r\nAccept-Language: {language}\r\n"
    head += f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {UPLOAD_BYTES_MOST + 1}\r\n\r\n"
    with web_process(place.config, port), socket.create_connection(("127.0.0.1", port), timeout=60) as browser:
        browser.sendall(head.encode())
        for _ in range(64):
            browser.sendall(bytes(UPLOAD_BYTES_MOST // 64))
        browser.sendall(b"x")
        answer = b""
        while b"</html>" not in answer and (got := browser.recv(65536)):
            answer += got
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert words in answer.decode()


def test_an_upload_that_is_refused_leaves_nothing(sign_in: SignIn, agent: ScriptedAgent, place: prepared.Place) -> None:
    client = sign_in("administrator")
    agent.refuse = MusicError("APP-111", "the file cannot be read", "Take another")
    form = {"csrf": token(client), "name": "m", "file": (io.BytesIO(b"RIFF"), "m.wav")}
    client.post("/music", data=form, content_type="multipart/form-data")
    assert uploads(place) == []


def test_another_kind_of_file_is_refused(sign_in: SignIn, agent: ScriptedAgent, place: prepared.Place) -> None:
    client = sign_in("administrator")
    form = {"csrf": token(client), "file": (io.BytesIO(b"MZ"), "setup.exe")}
    client.post("/music", data=form, content_type="multipart/form-data")
    assert (agent.asked, uploads(place)) == ([], [])


def test_what_the_call_agent_refuses_is_said_in_words(sign_in: SignIn, agent: ScriptedAgent) -> None:
    client = sign_in("administrator")
    agent.refuse = MusicError("APP-115", "there is no music", "Look again")
    answer = client.post("/music/chosen", data={"csrf": token(client), "name": "gone"}, follow_redirects=True, headers=HTML)
    assert "APP-115" in answer.text


def test_music_is_chosen_and_removed(sign_in: SignIn, agent: ScriptedAgent) -> None:
    client = sign_in("administrator")
    for what in ("chosen", "removed"):
        assert client.post(f"/music/{what}", data={"csrf": token(client), "name": "spring"}).status_code == 303
    assert agent.asked == [("ChooseMusic", "spring"), ("RemoveMusic", "spring")]
