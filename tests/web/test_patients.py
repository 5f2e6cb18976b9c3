"""Patients as the staff sees them: found, opened, made, changed; what is masked, what is audited, what is refused."""

import pytest
from flask.testing import FlaskClient

from appliance.hospital.registry import card_password, patients
from appliance.store.hospital_tables import Card, Patient
from appliance.store.models import Audit
from tests.web.conftest import HTML, SignIn, post, text_of
from webui import store

PHONE = "13800138000"
BAD_NAMES = {"": "必填", "x" * 65: "太长", "李😀": "表情", "<script>alert(1)</script>": "网页标记"}


def page(client: FlaskClient, address: str) -> str:
    return client.get(address, headers=HTML, follow_redirects=True).text


def audits(action: str) -> list[tuple[str, str]]:
    with store.connection():
        return [(row.subject, row.detail) for row in Audit.select().where(Audit.action == action).order_by(Audit.id)]


def count() -> int:
    with store.connection():
        return int(Patient.select().count())


def card_of(patient: int) -> Card:
    with store.connection():
        found: Card = Card.select().where(Card.patient == patient).order_by(Card.id.desc()).get()
        return found


@pytest.mark.parametrize("sought", ["6001000014", "10000001", "110101198001010010", "李娜", "李娜 1980-01-01"])
def test_found_by_whatever_names_one(sign_in: SignIn, sought: str) -> None:
    answer = sign_in("registrar").get("/patients", query_string={"q": sought}, headers=HTML)
    assert answer.headers.get("Location") == "/patients/1", sought


def test_a_shared_number_shows_the_whole_family(sign_in: SignIn) -> None:
    shown = text_of(page(sign_in("registrar"), f"/patients?q={PHONE}"))
    assert "李娜" in shown
    assert "赵敏" in shown


def test_numbers_are_masked_without_the_right(sign_in: SignIn) -> None:
    """What somebody typed themselves stays in the search field."""
    client = sign_in("registrar")
    shown = page(client, "/patients/1") + text_of(page(client, f"/patients?q={PHONE}"))
    for whole in (PHONE, "110101198001010010", "6001000014"):
        assert whole not in shown
    assert "138****8000" in shown
    assert "110****0010" in shown
    assert "110101198001010010" in page(sign_in("supervisor"), "/patients/1")


def test_every_look_is_audited(sign_in: SignIn) -> None:
    client = sign_in("registrar")
    page(client, "/patients?q=6001000014")
    page(client, "/patients/1")
    assert audits("patients_searched") == [("60****0014", "card 1")]
    assert audits("patient_opened") == [("patient 1", ""), ("patient 1", "")]
    page(sign_in("supervisor"), "/patients/1")
    assert audits("patient_opened")[-1] == ("patient 1", "unmasked")
    assert "huang" in page(client, "/patients/1")


def test_the_record_has_every_part(sign_in: SignIn) -> None:
    shown = text_of(page(sign_in("supervisor"), "/patients/1"))
    for part in ("就诊卡", "家属", "女儿", "已预约", "充值", "200.00", "13800138000", "内科门诊", "未设密码"):
        assert part in shown, part


def test_new_patient(sign_in: SignIn) -> None:
    form = {"name": "孙丽", "id_number": "", "birth_date": "1990-02-03", "sex": "f", "phones": "139 0000 1111", "language": "zh"}
    answer = post(sign_in("registrar"), "/patients/new", form | {"phones": "13900001111"})
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/patients/5"
    assert audits("patient_made") == [("patient 5", "")]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        *(("name", bad, "") for bad in BAD_NAMES),
        ("birth_date", "2999-01-01", "未来"),
        ("birth_date", "gestern", "日期"),
        ("id_number", "110101198001010011", "校验位"),
        ("id_number", "110101198001010010", "已"),
        ("phones", "abc", "电话"),
        ("number", "10000001", ""),
        ("sex", "x", "只能是"),
    ],
)
def test_bad_fields_are_told_and_nothing_is_saved(sign_in: SignIn, field: str, value: str, words: str) -> None:
    before = count()
    answer = post(sign_in("registrar"), "/patients/new", {"name": "孙丽", field: value})
    assert answer.status_code == 422
    assert f'id="f-{field}-fault"' in answer.text
    assert words in answer.text
    assert "<script>alert" not in answer.text
    assert count() == before


def test_changed_without_seeing_whole_numbers(sign_in: SignIn) -> None:
    client = sign_in("registrar")
    form = page(client, "/patients/1/edit")
    assert PHONE not in form
    assert 'name="phones"' not in form
    assert post(client, "/patients/1/edit", {"name": "李娜娜", "phones": "1", "id_number": "x"}).status_code == 303
    with store.connection():
        row = Patient.get_by_id(1)
        assert (row.name, row.id_number, row.number) == ("李娜娜", "110101198001010010", "10000001")
        assert patients.phones_of(1) == [PHONE, "13911112222"]


def test_who_may_unmask_changes_numbers(sign_in: SignIn) -> None:
    client = sign_in("supervisor")
    assert PHONE in page(client, "/patients/1/edit")
    assert post(client, "/patients/1/edit", {"name": "李娜", "phones": "13900002222", "id_number": ""}).status_code == 303
    with store.connection():
        assert patients.phones_of(1) == ["13900002222"]


def test_card_frozen_and_thawed_by_whoever_may(sign_in: SignIn) -> None:
    desk, chief = sign_in("registrar"), sign_in("supervisor")
    number = card_of(1).id
    post(desk, f"/cards/{number}/stop/freeze", {})
    assert card_of(1).state == "frozen"
    assert post(desk, f"/cards/{number}/release/thaw", {}).status_code == 403
    assert post(desk, f"/cards/{number}/stop/thaw", {}).status_code == 404
    post(chief, f"/cards/{number}/release/thaw", {})
    assert card_of(1).state == "active"
    assert "没有修改" in text_of(
        chief.post(f"/cards/{number}/release/thaw", data={"csrf": _csrf(chief)}, follow_redirects=True, headers=HTML).text
    )


def _csrf(client: FlaskClient) -> str:
    with client.session_transaction() as session:
        return str(session["csrf"])


def test_card_password_is_set_and_never_shown(sign_in: SignIn) -> None:
    client, number = sign_in("registrar"), card_of(1).id
    assert post(client, f"/cards/{number}/password", {"password": "482915", "again": "482915"}).status_code == 303
    with store.connection():
        check = card_password.begin(card_of(1).number)
    assert card_password.is_right(check, "482915")
    assert "482915" not in page(client, "/patients/1")
    for password, again in (("123456", "123456"), ("48291", "48291"), ("482915", "482916"), ("abcdef", "abcdef")):
        answer = post(client, f"/cards/{number}/password", {"password": password, "again": again})
        assert answer.status_code == 422
        assert f'value="{password}"' not in answer.text


def test_card_issued_and_replaced(sign_in: SignIn) -> None:
    client = sign_in("registrar")
    assert post(client, "/patients/4/cards", {"card_number": ""}).status_code == 303
    assert post(client, "/patients/4/cards", {"card_number": "6001000014"}).status_code == 422
    assert post(client, "/patients/4/cards", {"card_number": "<b>"}).status_code == 422
    old = card_of(1)
    assert post(client, f"/cards/{old.id}/replaced", {f"replace-{old.id}": "60019999"}).status_code == 303
    assert card_of(1).number == "60019999"
    assert card_of(1).account_id == old.account_id
    assert post(client, f"/cards/{old.id}/replaced", {}).status_code == 422


def test_family(sign_in: SignIn) -> None:
    client = sign_in("registrar")
    assert post(client, "/patients/1/family", {"relative": "10000003", "relation": "父亲"}).status_code == 303
    for unknown in ("10000001", "999", "😀"):
        assert post(client, "/patients/1/family", {"relative": unknown}).status_code == 422
    post(client, "/patients/1/family/3/removed", {})
    assert "父亲" not in page(client, "/patients/1")


def test_nobody(sign_in: SignIn) -> None:
    client = sign_in("registrar")
    for address in ("/patients/999", "/patients/999/edit", "/patients/999999999999999999999"):
        assert client.get(address, headers=HTML).status_code == 404
    assert audits("patient_opened") == []
