"""What every page has in common: headers, no script or style within, both languages complete, nothing fetched from elsewhere."""

import re

import pytest
from flask import Flask
from werkzeug.datastructures import Headers

from appliance.store.models import Account, database
from drivers.errors import LineError
from tests.web import prepared
from tests.web.agent import ScriptedAgent
from tests.web.conftest import HTML, SignIn, post, text_of, token
from webui import store

PAGES = (
    "/dashboard",
    "/calls",
    "/calls?number=138&outcome=completed&group=trunk&since=2026-03-07T00:00&until=2026-03-09T00:00&page=1",
    "/calls?number=99999",
    f"/calls/{prepared.STORY_CALL}",
    f"/calls/{prepared.LIVE_CALL}",
    "/channels/1",
    "/channels/5",
    "/messages",
    "/messages?only=new",
    "/messages/1",
    "/health",
    "/music",
    "/handset",
    "/accounts",
    "/audit",
    "/me",
    "/sign-in",
    "/setup",
    "/no-such-page",
    "/messages/99999999999999999999",
)
CHINESE = re.compile(r"[\u4e00-\u9fff]+")
NAMES_IN_CHINESE = ("中文", "示范医院", "外线", "分机")


@pytest.mark.parametrize("page", PAGES)
def test_page(live_app: Flask, sign_in: SignIn, page: str) -> None:
    client = sign_in("administrator")
    for language, tag in (("zh", "zh-CN"), ("en", "en")):
        post(client, "/language", {"language": language})
        answer = client.get(page, headers=HTML, follow_redirects=True)
        assert answer.status_code == (404 if page in PAGES[-2:] else 200)
        assert f'<html lang="{tag}">' in answer.text
        check_headers(answer.headers)
        check_html(answer.text)
        if language == "en":
            left = [word for word in CHINESE.findall(text_of(answer.text)) if not word.startswith(NAMES_IN_CHINESE)]
            assert left == []


def check_headers(headers: Headers) -> None:
    policy = headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"


def check_html(html: str) -> None:
    for attributes, body in re.findall(r"<script([^>]*)>(.*?)</script>", html, re.S):
        assert "application/json" in attributes or ("src=" in attributes and not body.strip())
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=", html)
    assert not re.search(r"""(?:src|href|action)=["'](?:https?:)?//""", html)
    for tag in re.findall(r"<(?:input|select|textarea)[^>]*>", html):
        if 'type="hidden"' not in tag:
            labelled = re.search(r'aria-label="[^"]+"|aria-hidden="true"', tag)
            identity = re.search(r' id="([^"]+)"', tag)
            assert labelled or (identity and f'for="{identity[1]}"' in html), tag
    for form in re.findall(r'<form[^>]*method="post".*?</form>', html, re.S):
        assert 'name="csrf"' in form


def test_static_files_have_headers_and_are_kept(app: Flask) -> None:
    answer = app.test_client().get("/static/css/careline.css")
    assert "Content-Security-Policy" in answer.headers
    assert "max-age" in answer.headers["Cache-Control"]
    answer.close()


@pytest.mark.parametrize(
    ("accepted", "tag"), [("en-GB,en;q=0.9", "en"), ("zh-TW", "zh-CN"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"), ("de", "zh-CN")]
)
def test_language_of_browser(app: Flask, accepted: str, tag: str) -> None:
    page = app.test_client().get("/sign-in", headers={**HTML, "Accept-Language": accepted})
    assert f'<html lang="{tag}">' in page.text


def test_language_of_cookie_then_of_account(app: Flask) -> None:
    client = app.test_client()
    client.set_cookie("language", "en")
    assert '<html lang="en">' in client.get("/sign-in", headers={**HTML, "Accept-Language": "zh"}).text
    post(client, "/sign-in", {"name": "chen", "password": prepared.PASSWORD})
    assert '<html lang="zh-CN">' in client.get("/me", headers=HTML).text


def test_unknown_language_is_refused(app: Flask) -> None:
    client = app.test_client()
    assert client.post("/language", data={"language": "xx", "csrf": token(client)}, headers=HTML).status_code == 400


def test_missing_page_keeps_the_menu(app: Flask, sign_in: SignIn) -> None:
    assert "<aside" in sign_in("inspector").get("/no-such-page", headers=HTML).text
    assert "<aside" not in app.test_client().get("/no-such-page", headers=HTML).text


def test_too_much_is_refused(sign_in: SignIn) -> None:
    assert post(sign_in("administrator"), "/accounts", {"name": "x" * 100_000}).status_code in (400, 413)


def test_internal_fault_tells_what_where_and_remedy(app: Flask, sign_in: SignIn) -> None:
    client = sign_in("administrator")
    post(client, "/language", {"language": "en"})
    app.extensions["careline"].config.paths.recordings_dir.joinpath("2026/r7.wav").unlink()
    answer = client.get("/recordings/R7/sound.wav", headers=HTML)
    assert answer.status_code == 503
    for words in ("WEB-007", "r7.wav is gone", "the backup", "/recordings/R7/sound.wav"):
        assert words in text_of(answer.text)


def test_store_that_cannot_be_written_is_told(app: Flask, sign_in: SignIn, place: prepared.Place) -> None:
    client = sign_in("administrator")
    with store.connection():
        database.execute_sql("drop table audit")
    answer = post(client, "/accounts", {"name": "new", "role": "inspector", "password": "Cormorant-77-bay"})
    assert answer.status_code == 503
    assert "WEB-011" in answer.text
    assert "no such table" in answer.text
    with store.connection():
        assert not Account.select().where(Account.name == "new").exists()


def test_channel_is_blocked_and_call_hung_up(live_app: Flask, agent: ScriptedAgent, sign_in: SignIn) -> None:
    client = sign_in("technician")
    post(client, "/language", {"language": "en"})
    post(client, "/channels/3/blocked", {"blocked": "1"})
    assert "Channel 3 is blocked" in client.get("/channels/3", headers=HTML).text
    post(client, f"/calls/{prepared.LIVE_CALL}/hang-up", {})
    assert "The call was hung up" in client.get("/me", headers=HTML).text
    assert agent.asked == [("blocked", "channel 3", True, "liwei"), ("hang_up", prepared.LIVE_CALL, "liwei")]


def test_refusal_of_the_call_agent_is_shown(live_app: Flask, agent: ScriptedAgent, sign_in: SignIn) -> None:
    agent.refuse = LineError("LIN-040", "channel 3 is not there", "Look at the cards")
    client = sign_in("technician")
    post(client, "/channels/3/blocked", {"blocked": "1"})
    text = text_of(client.get("/channels/3", headers=HTML).text)
    for words in ("LIN-040", "channel 3 is not there", "Look at the cards"):
        assert words in text


def test_action_without_call_agent_says_so(app: Flask, sign_in: SignIn) -> None:
    client = sign_in("technician")
    post(client, "/channels/3/blocked", {"blocked": "1"})
    assert "APP-030" in client.get("/me", headers=HTML).text
