"""First set-up, log-in, lock-out, sessions that end, and what a refused person learns (nothing)."""

import stat
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance.store.models import Account, Audit
from drivers.clock import VirtualClock
from tests.web import prepared
from tests.web.conftest import HTML, SignIn, post, text_of, token
from webui import secret, store
from webui.app import POSTS_A_MINUTE, create_app
from webui.settings import load_config

NEW_PASSWORD = "Cormorant-77-bay"


def try_sign_in(client: FlaskClient, name: str, password: str = prepared.PASSWORD) -> TestResponse:
    return post(client, "/sign-in", {"name": name, "password": password})


def is_signed_in(client: FlaskClient) -> bool:
    return client.get("/me", headers=HTML).status_code == 200


@pytest.fixture
def new_app(tmp_path: Path) -> Flask:
    """A box without any account."""
    return create_app(load_config(prepared.make_place(tmp_path / "new", empty=True).config))


def first_form(app: Flask, client: FlaskClient, **changed: str) -> dict[str, str]:
    code = secret.setup_code(app.extensions["careline"].data_dir)
    client.get("/setup", headers=HTML)
    form = {"code": code, "name": "chen", "password": NEW_PASSWORD, "again": NEW_PASSWORD, "csrf": token(client)}
    return {**form, **changed}


def test_new_box_leads_everybody_to_set_up(new_app: Flask) -> None:
    client = new_app.test_client()
    for page in ("/", "/dashboard", "/sign-in", "/calls"):
        assert client.get(page, headers=HTML).headers["Location"].startswith("/setup")


def test_set_up_makes_administrator_once(new_app: Flask) -> None:
    client = new_app.test_client()
    form = first_form(new_app, client)
    assert client.post("/setup", data=form, headers=HTML).headers["Location"] == "/dashboard"
    assert is_signed_in(client)
    assert not secret.setup_code_file(new_app.extensions["careline"].data_dir).exists()
    stranger = new_app.test_client()
    again = stranger.post("/setup", data={**form, "name": "eve", "csrf": token(stranger)}, headers=HTML)
    assert again.headers["Location"] == "/sign-in"
    with store.connection():
        assert [account.name for account in Account.select()] == ["chen"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"code": "AAAA-BBBB-CCCC-DDDD"}, "not the set-up code"),
        ({"name": ""}, "Enter a name"),
        ({"name": "a b/c"}, "digits, dots and dashes"),
        ({"password": "short1A", "again": "short1A"}, "at least 10"),
        ({"again": "something else 1"}, "differ"),
        ({"password": "aaaaaaaaaaaa", "again": "aaaaaaaaaaaa"}, "4 different"),
        ({"password": "xxchen12345x", "again": "xxchen12345x"}, "contain the name"),
        ({"password": "my-password-1", "again": "my-password-1"}, "easily guessed"),
        ({"password": "ab12" * 40, "again": "ab12" * 40}, "at most 128"),
    ],
)
def test_set_up_says_what_is_wrong(new_app: Flask, changed: dict[str, str], words: str) -> None:
    client = new_app.test_client()
    answer = client.post("/setup", data=first_form(new_app, client, **changed), headers={**HTML, "Accept-Language": "en"})
    assert answer.status_code == 422
    assert words in text_of(answer.text)
    with store.connection():
        assert not Account.select().exists()


def test_set_up_code_cannot_be_guessed_by_trying(new_app: Flask) -> None:
    client = new_app.test_client()
    statuses = [client.post("/setup", data=first_form(new_app, client, code="AAAA"), headers=HTML).status_code for _ in range(8)]
    assert statuses == [422] * 6 + [429] * 2


def test_code_is_forgiving_about_form() -> None:
    assert secret.same_code(" k7qm 2xwb-9rtdhhva", "K7QM-2XWB-9RTD-HHVA")
    assert not secret.same_code("", "K7QM-2XWB-9RTD-HHVA")


def test_secret_files_are_private(new_app: Flask) -> None:
    folder = new_app.extensions["careline"].data_dir
    first_form(new_app, new_app.test_client())
    for name in ("web-secret", "setup-code"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert secret.secret_key(folder) == secret.secret_key(folder)


def test_refusals_look_the_same(app: Flask, clock: VirtualClock) -> None:
    """Unknown, wrong, locked, switched off: same status, same words."""
    seen = set()
    for name, password in (("nobody", "x"), ("chen", "wrong"), ("zhao", prepared.PASSWORD), ("sun", prepared.PASSWORD)):
        answer = try_sign_in(app.test_client(), name, password)
        seen.add((answer.status_code, text_of(answer.text)))
    assert len(seen) == 1
    assert next(iter(seen))[0] == 401


def test_account_locks_and_opens_by_itself(app: Flask, clock: VirtualClock) -> None:
    for _ in range(5):
        assert try_sign_in(app.test_client(), "chen", "wrong").status_code == 401
    assert try_sign_in(app.test_client(), "chen").status_code == 401
    clock.step_wall(timedelta(minutes=16))
    assert try_sign_in(app.test_client(), "chen").status_code == 303


def test_too_many_tries_from_one_address(app: Flask) -> None:
    statuses = [try_sign_in(app.test_client(), f"guess{number}", "x").status_code for number in range(22)]
    assert statuses == [401] * 20 + [429] * 2


def test_log_in_and_refusals_are_audited(app: Flask) -> None:
    try_sign_in(app.test_client(), "chen", "wrong")
    try_sign_in(app.test_client(), "chen")
    with store.connection():
        last = Audit.select().order_by(Audit.id.desc()).limit(2)
        assert [(line.action, line.subject) for line in last] == [("signed_in", "chen"), ("sign_in_refused", "chen")]


def test_cookie_is_strict(app: Flask) -> None:
    cookie = try_sign_in(app.test_client(), "chen").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Secure" not in cookie


def test_cookie_is_secure_with_a_certificate(place: prepared.Place) -> None:
    place.config.write_text(place.config.read_text().replace("[web]\n", '[web]\ntls_certificate = "a.pem"\ntls_key = "b.pem"\n'))
    client = create_app(load_config(place.config)).test_client()
    answer = client.get("/sign-in", headers=HTML, base_url="https://localhost")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "max-age" in answer.headers["Strict-Transport-Security"]


def test_session_is_new_after_log_in(app: Flask) -> None:
    client = app.test_client()
    before = token(client)
    try_sign_in(client, "chen")
    assert token(client) != before


def test_new_password_ends_other_sessions(app: Flask, sign_in: SignIn) -> None:
    here, there = sign_in("technician"), sign_in("technician")
    form = {"current": prepared.PASSWORD, "password": NEW_PASSWORD, "again": NEW_PASSWORD}
    assert post(here, "/me/password", form).status_code == 303
    assert is_signed_in(here)
    assert not is_signed_in(there)
    assert try_sign_in(app.test_client(), "liwei").status_code == 401
    assert try_sign_in(app.test_client(), "liwei", NEW_PASSWORD).status_code == 303


def test_new_password_needs_the_old_one(sign_in: SignIn) -> None:
    client = sign_in("technician")
    answer = post(client, "/me/password", {"current": "nope", "password": NEW_PASSWORD, "again": NEW_PASSWORD})
    assert answer.status_code == 422


def test_copied_cookie_is_worthless_after_sign_out(app: Flask, sign_in: SignIn) -> None:
    client = sign_in("inspector")
    cookie = client.get_cookie("careline")
    assert cookie is not None
    post(client, "/sign-out", {})
    thief = app.test_client()
    thief.set_cookie("careline", cookie.value)
    assert not is_signed_in(thief)


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""])
def test_log_in_never_leads_away(app: Flask, wanted: str) -> None:
    client = app.test_client()
    answer = post(client, "/sign-in", {"name": "chen", "password": prepared.PASSWORD, "next": wanted})
    assert answer.headers["Location"] == "/dashboard"


def test_log_in_leads_back(app: Flask) -> None:
    client = app.test_client()
    away = client.get("/calls?number=138", headers=HTML).headers["Location"]
    assert away == "/sign-in?next=/calls?number%3D138"
    answer = post(client, "/sign-in", {"name": "chen", "password": prepared.PASSWORD, "next": "/calls?number=138"})
    assert answer.headers["Location"] == "/calls?number=138"


def test_htmx_and_scripts_are_told_plainly(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/calls", headers={"HX-Request": "true"}).headers["HX-Redirect"] == "/sign-in"
    refused = client.get("/dashboard/live", headers={"Accept": "text/event-stream"})
    assert (refused.status_code, refused.text) == (401, "Sign in first: /sign-in\n")


def test_changes_are_limited_by_account_and_not_by_address(sign_in: SignIn) -> None:
    """All of a hospital may have one address: whoever changes too much must not use up what others may do."""
    busy, other = sign_in("technician"), sign_in("administrator")
    wrong = {"current": "nope", "password": NEW_PASSWORD, "again": NEW_PASSWORD}
    statuses = [post(busy, "/me/password", wrong).status_code for _ in range(POSTS_A_MINUTE + 1)]
    assert statuses[-1] == 429
    assert post(other, "/me/password", wrong).status_code != 429


def test_a_language_chosen_before_the_log_in_stays_for_this_session(app: Flask) -> None:
    client = app.test_client()
    post(client, "/language", {"language": "en"})
    assert try_sign_in(client, prepared.NAMES["administrator"]).status_code == 303
    assert '<html lang="en"' in client.get("/me", headers=HTML).text
    other = app.test_client()
    other.set_cookie("language", "en")
    try_sign_in(other, prepared.NAMES["administrator"])
    assert '<html lang="zh-CN"' in other.get("/me", headers=HTML).text, "the account keeps its own"
    post(client, "/language", {"language": "zh"})
    assert '<html lang="zh-CN"' in client.get("/me", headers=HTML).text
