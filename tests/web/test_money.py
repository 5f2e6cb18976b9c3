"""The money desk: cash onto a card and back, statements, corrections by two persons, bank files, the day's sheet."""

import io

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance.store.hospital_tables import Card
from appliance.store.models import Audit
from appliance.store.money_tables import Correction, LedgerAccount, LedgerTransaction
from tests.web.conftest import HTML, SignIn, post, text_of, token
from webui import store

NUMBER = "6001000014"
BAD_AMOUNTS = ("", "0", "-5", "-0.01", "abc", "1e3", "😀", "<script>alert(1)</script>", "9" * 20, "1.234")


def balance(card: int = 1) -> int:
    with store.connection():
        row = Card.get_by_id(card)
        return int(LedgerAccount.get_by_id(row.account_id).balance_fen)


def of(code: str) -> int:
    with store.connection():
        return int(LedgerAccount.get(LedgerAccount.code == code).balance_fen)


def transactions() -> int:
    with store.connection():
        return int(LedgerTransaction.select().count())


def upload(client: FlaskClient, content: str, name: str = "bank.csv") -> TestResponse:
    form = {"csrf": token(client), "file": (io.BytesIO(content.encode()), name)}
    return client.post("/money/bank", data=form, content_type="multipart/form-data", headers=HTML)


def test_found_by_card_and_masked(sign_in: SignIn) -> None:
    client = sign_in("cashier")
    assert client.get(f"/money?q={NUMBER}", headers=HTML).headers["Location"] == "/money/cards/1"
    shown = client.get("/money/cards/1", headers=HTML).text
    assert NUMBER not in shown
    assert "200.00" in shown
    assert "李娜" in text_of(client.get("/money?q=13800138000", headers=HTML).text)


def test_money_is_taken_once(sign_in: SignIn) -> None:
    client = sign_in("cashier")
    for _ in range(2):
        assert post(client, "/money/cards/1/top-up", {"amount": "50.5", "once": "k"}).status_code == 303
    assert balance() == 25_050
    assert of("cash qian") == -5_050
    with store.connection():
        assert Audit.select().where(Audit.action == "money_taken").first().subject == "patient 1"


@pytest.mark.parametrize("form", ["top-up", "refund", "correction"])
@pytest.mark.parametrize("amount", BAD_AMOUNTS)
def test_bad_amounts_move_nothing(sign_in: SignIn, form: str, amount: str) -> None:
    before = transactions()
    more = {"change": "more", "against": "fees", "reason": "x"} if form == "correction" else {}
    answer = post(sign_in("cashier"), f"/money/cards/1/{form}", {"amount": amount, "once": "k"} | more)
    assert answer.status_code == 422
    assert f'id="{form.replace("-", "_")}-amount-fault"' in answer.text
    assert "<script>alert" not in answer.text
    assert transactions() == before


def test_too_much_at_once(sign_in: SignIn) -> None:
    answer = post(sign_in("cashier"), "/money/cards/1/top-up", {"amount": "10000.01", "once": "k"})
    assert answer.status_code == 422
    assert balance() == 20_000


def test_paid_back_but_no_more_than_there_is(sign_in: SignIn) -> None:
    client = sign_in("cashier")
    assert post(client, "/money/cards/1/refund", {"amount": "200.01", "once": "a"}).status_code == 422
    for _ in range(2):
        assert post(client, "/money/cards/1/refund", {"amount": "150", "once": "b"}).status_code == 303
    assert balance() == 5_000


def test_the_statement_of_some_days(sign_in: SignIn) -> None:
    client = sign_in("cashier")
    post(client, "/money/cards/1/top-up", {"amount": "1", "once": "k"})
    shown = text_of(client.get("/money/cards/1?since=2026-03-08&until=2026-03-08", headers=HTML).text)
    assert "期初 200.00" in shown
    assert "期末 201.00" in shown
    assert client.get("/money/cards/1?since=never&until=2026-99-99", headers=HTML).status_code == 200


def test_a_correction_takes_two_persons(sign_in: SignIn) -> None:
    cashier, chief = sign_in("cashier"), sign_in("supervisor")
    form = {"amount": "30", "change": "less", "against": "fees", "reason": "重复充值 <5"}
    assert post(cashier, "/money/cards/1/correction", form).status_code == 303
    assert balance() == 20_000
    assert post(cashier, "/money/corrections/1/approved", {}).status_code == 403
    assert "重复充值 &lt;5" in chief.get("/money/corrections", headers=HTML).text
    post(chief, "/money/corrections/1/approved", {})
    assert balance() == 17_000
    post(chief, "/money/corrections/1/approved", {})
    assert balance() == 17_000


def test_who_asked_does_not_approve_even_with_the_right(sign_in: SignIn) -> None:
    client = sign_in("administrator")
    post(client, "/money/cards/1/correction", {"amount": "30", "change": "more", "against": "cash", "reason": "x"})
    assert "不能自己批准" in post(client, "/money/corrections/1/approved", {}, follow_redirects=True).text
    assert balance() == 20_000


def test_a_correction_is_refused(sign_in: SignIn) -> None:
    post(sign_in("cashier"), "/money/cards/1/correction", {"amount": "30", "change": "more", "against": "fees", "reason": "x"})
    post(sign_in("supervisor"), "/money/corrections/1/refused", {})
    with store.connection():
        assert Correction.get_by_id(1).state == "refused"
    assert balance() == 20_000


@pytest.mark.parametrize(
    ("field", "value", "status"), [("reason", "", 422), ("reason", "x" * 501, 422), ("against", "king", 400), ("change", "", 400)]
)
def test_bad_corrections(sign_in: SignIn, field: str, value: str, status: int) -> None:
    form = {"amount": "30", "change": "more", "against": "fees", "reason": "x"} | {field: value}
    assert post(sign_in("cashier"), "/money/cards/1/correction", form).status_code == status
    with store.connection():
        assert Correction.select().count() == 0


def test_a_bank_file_line_by_line(sign_in: SignIn) -> None:
    client = sign_in("cashier")
    lines = f"流水号,卡号,金额\nB1,{NUMBER},100\nB1,{NUMBER},100\nB2,9999,5\nB3,{NUMBER},-7\nB4,<script>,1"
    answer = upload(client, lines)
    shown = text_of(answer.text)
    assert answer.status_code == 200
    for words in ("已入账", "重复，未入账", "卡号不明，已挂账", "未入账"):
        assert words in shown
    assert "<script>," not in answer.text
    assert balance() == 30_000
    assert upload(client, lines).status_code == 422
    assert balance() == 30_000


def test_a_transfer_finds_its_card(sign_in: SignIn) -> None:
    client = sign_in("cashier")
    upload(client, "流水号,卡号,金额\nB2,9999,5")
    for wrong in ("", "999", "😀"):
        assert post(client, "/money/bank/1/assigned", {"card": wrong}).status_code == 422
    assert post(client, "/money/bank/1/assigned", {"card": NUMBER}).status_code == 303
    assert balance() == 20_500
    assert post(client, "/money/bank/1/assigned", {"card": NUMBER}).status_code == 422
    assert balance() == 20_500


@pytest.mark.parametrize("content", ["", "nothing", "a,b\n1,2", "流水号,卡号,金额"])
def test_files_that_will_not_do(sign_in: SignIn, content: str) -> None:
    before = transactions()
    assert upload(sign_in("cashier"), content).status_code == 422
    assert transactions() == before


def test_the_day_is_closed_once_and_balances(sign_in: SignIn) -> None:
    client = sign_in("cashier")
    assert "账目平衡" in client.get("/money/closing", headers=HTML).text
    assert "尚未日结" in client.get("/money/closing", headers=HTML).text
    post(client, "/money/closing", {"day": "2026-03-08"})
    shown = text_of(client.get("/money/closing?day=2026-03-08", headers=HTML).text)
    assert "qian 于" in shown
    assert "600.00" in shown
    assert "已经日结" in post(client, "/money/closing", {"day": "2026-03-08"}, follow_redirects=True).text
    for day in ("2999-01-01", "", "x"):
        assert "请选择今天" in post(client, "/money/closing", {"day": day}, follow_redirects=True).text
