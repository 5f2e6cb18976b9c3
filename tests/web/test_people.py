"""Accounts as an administrator keeps them."""

from flask import Flask

from appliance.store.models import Account, Audit
from tests.web import prepared
from tests.web.conftest import HTML, SignIn, post, text_of
from webui import store

PASSWORD = "Cormorant-77-bay"


def number_of(name: str) -> int:
    with store.connection():
        return int(Account.get(Account.name == name).id)


def audited() -> list[str]:
    with store.connection():
        return [line.action for line in Audit.select().order_by(Audit.id.desc()).limit(3)]


def test_new_account_can_sign_in(app: Flask, sign_in: SignIn) -> None:
    admin = sign_in("administrator")
    assert post(admin, "/accounts", {"name": "何医生", "role": "inspector", "password": PASSWORD}).status_code == 303
    assert "account_created" in audited()
    newcomer = app.test_client()
    assert post(newcomer, "/sign-in", {"name": "何医生", "password": PASSWORD}).status_code == 303


def test_new_account_says_what_is_wrong(sign_in: SignIn) -> None:
    admin = sign_in("administrator")
    post(admin, "/language", {"language": "en"})
    for form, words in (
        ({"name": "wang", "role": "inspector", "password": PASSWORD}, "taken"),
        ({"name": "new", "role": "king", "password": PASSWORD}, "Choose a role"),
        ({"name": "new", "role": "inspector", "password": "short"}, "Too short"),
    ):
        answer = post(admin, "/accounts", form)
        assert answer.status_code == 422
        assert words in text_of(answer.text)


def test_switched_off_at_once(app: Flask, sign_in: SignIn) -> None:
    admin, inspector = sign_in("administrator"), sign_in("inspector")
    post(admin, f"/accounts/{number_of('wang')}/disabled", {"disabled": "1"})
    assert inspector.get("/dashboard", headers=HTML).status_code == 303
    post(admin, f"/accounts/{number_of('wang')}/disabled", {"disabled": "0"})
    assert sign_in("inspector").get("/dashboard", headers=HTML).status_code == 200


def test_role_changes_rights_and_ends_sessions(sign_in: SignIn) -> None:
    admin, inspector = sign_in("administrator"), sign_in("inspector")
    post(admin, f"/accounts/{number_of('wang')}/role", {"role": "technician"})
    assert inspector.get("/health", headers=HTML).status_code == 303
    assert sign_in("inspector").get("/health", headers=HTML).status_code == 200


def test_last_administrator_stays(sign_in: SignIn) -> None:
    admin = sign_in("administrator")
    number = number_of("chen")
    for address, form in ((f"/accounts/{number}/disabled", {"disabled": "1"}), (f"/accounts/{number}/role", {"role": "inspector"})):
        post(admin, address, form)
        assert admin.get("/accounts", headers=HTML).status_code == 200


def test_unlock(app: Flask, sign_in: SignIn) -> None:
    post(sign_in("administrator"), f"/accounts/{number_of('zhao')}/unlock", {})
    assert post(app.test_client(), "/sign-in", {"name": "zhao", "password": prepared.PASSWORD}).status_code == 303


def test_password_set_by_administrator(app: Flask, sign_in: SignIn) -> None:
    admin, inspector = sign_in("administrator"), sign_in("inspector")
    assert post(admin, f"/accounts/{number_of('wang')}/password", {"password": "no"}).status_code == 422
    assert post(admin, f"/accounts/{number_of('wang')}/password", {"password": PASSWORD}).status_code == 303
    assert inspector.get("/dashboard", headers=HTML).status_code == 303
    assert post(app.test_client(), "/sign-in", {"name": "wang", "password": PASSWORD}).status_code == 303


def test_unknown_account(sign_in: SignIn) -> None:
    assert post(sign_in("administrator"), "/accounts/999/unlock", {}).status_code == 404


def test_audit_log_can_be_narrowed(sign_in: SignIn) -> None:
    admin = sign_in("administrator")
    page = admin.get("/audit?action=listened", headers=HTML).text
    assert prepared.STORY_CALL in page
    assert "192.168.1.77" not in page
    assert "192.168.1.77" in admin.get("/audit", headers=HTML).text
