"""Money comes onto a card once: at the desk, with a secret that nobody can try out, in the bank's file."""

from datetime import timedelta

import pytest

from appliance.hospital.imports.row import FileRefused
from appliance.hospital.ledger import bank_file, deposits
from appliance.hospital.ledger.bank_file import FileRead, FileTaken, LineState, TakenBefore
from appliance.hospital.ledger.deposits import NotTopped, PrintedSecret, Topped, at_desk, by_secret, digest_of
from appliance.hospital.ledger.posting import Movement, transfer
from appliance.hospital.registry.cards import CardStep, replace, step
from appliance.store.hospital_tables import Card
from appliance.store.money_tables import BankLine, CardSecret, LedgerAccount, LedgerTransaction
from tests.unit.booking_rig import CAUSE, balance, ledger_balances, rich, top_up
from tests.unit.hospital_rig import NOW, store, taken

__all__ = ["store"]
pytestmark = pytest.mark.usefixtures("store")

SECRET = "1234567890123456"


@pytest.fixture
def card(store: None) -> Card:
    return rich(fen=0)


def held_by(code: str) -> int:
    return int(LedgerAccount.get(LedgerAccount.code == code).balance_fen)


def test_cash_at_the_desk_comes_onto_the_card_once(card: Card) -> None:
    assert at_desk(card.id, "1", 5_000, "form 7", NOW, CAUSE) == Topped(1, 5_000, 5_000)
    assert at_desk(card.id, "1", 5_000, "form 7", NOW, CAUSE) == Topped(1, 5_000, 5_000, again=True)
    assert (balance(card), held_by("cash 1"), ledger_balances()) == (5_000, -5_000, True)


@pytest.mark.parametrize("fen", [0, -1, 1_000_001])
def test_amounts_that_cannot_be(card: Card, fen: int) -> None:
    assert at_desk(card.id, "1", fen, "form 7", NOW, CAUSE) is NotTopped.AMOUNT
    assert LedgerTransaction.select().count() == 0


@pytest.mark.parametrize(
    ("what", "expected"), [(CardStep.LOSE, NotTopped.CARD_CLOSED), (CardStep.CLOSE, NotTopped.CARD_CLOSED), (CardStep.FREEZE, None)]
)
def test_cards_that_take_no_money(card: Card, what: CardStep, expected: NotTopped | None) -> None:
    step(card.id, what, NOW, "desk")
    outcome = at_desk(card.id, "1", 100, "form 7", NOW, CAUSE)
    assert outcome is expected if expected else isinstance(outcome, Topped)
    assert at_desk(99, "1", 100, "form 7", NOW, CAUSE) is NotTopped.UNKNOWN_CARD


def test_a_card_that_was_replaced_takes_no_money_and_the_new_one_has_it(card: Card) -> None:
    top_up(card, 700)
    new = taken(replace(card.id, NOW, "desk"))
    assert at_desk(card.id, "1", 100, "a", NOW, CAUSE) is NotTopped.CARD_CLOSED
    assert at_desk(new.id, "1", 100, "b", NOW, CAUSE) == Topped(2, 100, 800)


def printed(secret: str = SECRET, value_fen: int = 10_000) -> PrintedSecret:
    first = CardSecret.select().count() + 1
    return deposits.print_secrets([(secret, digest_of(secret))], value_fen, first, sold=True)[0]


def keyed(card: Card, secret: str = SECRET, key: str = "k", phone: str = "13900001111", minutes: int = 0) -> Topped | NotTopped:
    return by_secret(card.id, digest_of(secret), (f"phone {phone}",), key, NOW + timedelta(minutes=minutes), CAUSE)


def test_a_secret_is_worth_its_value_once(card: Card) -> None:
    printed()
    assert keyed(card) == Topped(1, 10_000, 10_000)
    assert keyed(card) == Topped(1, 10_000, 10_000, again=True)
    assert keyed(card, key="another call") is NotTopped.SECRET_USED
    assert (balance(card), held_by("card secrets"), CardSecret.get().state) == (10_000, -10_000, "used")


def test_of_a_secret_only_a_digest_is_kept() -> None:
    printed()
    row = CardSecret.get()
    assert SECRET not in "".join(str(value) for value in row.__data__.values())
    assert len(deposits.new_secret()) == 16
    assert deposits.new_secret() != deposits.new_secret()


def test_a_card_that_was_not_sold_has_no_value_yet(card: Card) -> None:
    first, second = deposits.print_secrets([(SECRET, digest_of(SECRET)), ("2" * 16, digest_of("2" * 16))], 500, 1)
    assert keyed(card) is NotTopped.WRONG_SECRET
    assert (deposits.set_sold([first.serial, second.serial]), deposits.set_sold([first.serial])) == (2, 0)
    assert deposits.void([second.serial]) == 1
    assert keyed(card, key="b") == Topped(1, 500, 500)
    assert keyed(card, "2" * 16, key="c") is NotTopped.WRONG_SECRET
    assert deposits.void([first.serial]) == 0


def test_wrong_secrets_lock_the_card_they_are_for(card: Card) -> None:
    printed()
    tries = [keyed(card, f"{n}", f"k{n}", phone=f"{n}") for n in range(6)]
    assert tries == [NotTopped.WRONG_SECRET] * 4 + [NotTopped.LOCKED] * 2
    assert keyed(card, key="right", phone="x") is NotTopped.LOCKED
    assert (balance(card), CardSecret.get().state) == (0, "sold")
    assert isinstance(keyed(card, key="right", phone="x", minutes=24 * 60 + 1), Topped)


def test_wrong_secrets_lock_the_telephone_they_come_from(card: Card) -> None:
    printed()
    for n in range(5):
        keyed(rich(fen=0), f"{n}", f"k{n}")
    assert keyed(card, key="a") is NotTopped.LOCKED
    assert isinstance(keyed(card, key="b", phone="13900002222"), Topped)


def test_the_same_try_told_again_is_counted_once(card: Card) -> None:
    printed()
    assert {keyed(card, "0", "the same visit") for _ in range(9)} == {NotTopped.WRONG_SECRET}
    assert isinstance(keyed(card), Topped)


HEAD = "流水号,卡号,金额,冲正流水号\n"


def file(lines: str, name: str = "bank.csv", head: str = HEAD) -> FileRead:
    read = bank_file.read_file(name, (head + lines).encode())
    assert isinstance(read, FileRead), read
    return read


def took(lines: str, name: str = "bank.csv") -> FileTaken:
    outcome = bank_file.take(file(lines, name), NOW, CAUSE)
    assert isinstance(outcome, FileTaken), outcome
    return outcome


def told(outcome: FileTaken) -> list[tuple[int, str, str]]:
    return [(result.line, result.state.value, result.why) for result in outcome.results]


def test_transfers_come_onto_their_cards(card: Card) -> None:
    outcome = took(f"A1,{card.number},100\nA2,{card.number},0.50,\n")
    assert told(outcome) == [(2, "booked", ""), (3, "booked", "")]
    assert (balance(card), held_by("bank"), outcome.number_of(LineState.BOOKED)) == (10_050, -10_050, 2)


def test_the_same_file_is_taken_once_and_says_who_took_it(card: Card) -> None:
    took(f"A1,{card.number},100\n")
    assert bank_file.take(file(f"A1,{card.number},100\n", "again.csv"), NOW, CAUSE) == TakenBefore(1, NOW, "desk")
    assert balance(card) == 10_000


def test_a_reference_is_booked_once_whatever_file_it_stands_in(card: Card) -> None:
    assert told(took(f"A1,{card.number},100\nA1,{card.number},100\n")) == [(2, "booked", ""), (3, "duplicate", "")]
    assert told(took(f"A1,{card.number},99\n")) == [(2, "duplicate", "")]
    assert balance(card) == 10_000


def test_what_the_bank_takes_back_leaves_the_card_once(card: Card) -> None:
    lines = f"A1,{card.number},100\nR1,{card.number},100,A1\nR2,{card.number},100,A1\nR1,{card.number},100,A1\n"
    assert told(took(lines)) == [(2, "booked", ""), (3, "booked", ""), (4, "refused", "reversed_before"), (5, "duplicate", "")]
    assert (balance(card), held_by("bank"), ledger_balances()) == (0, 0, True)
    assert [row.state for row in BankLine.select().order_by(BankLine.line)] == ["reversed", "booked", "refused", "duplicate"]
    assert told(took(f"A1,{card.number},100\n")) == [(2, "duplicate", "")]


@pytest.mark.parametrize(
    ("line", "why"),
    [("R1,{card},100,A9", "no_such_transfer"), ("R1,{card},99,A1", "differs"), ("R1,60010,100,A1", "differs"), ("A1,{card},100,A1", "")],
)
def test_reversals_that_cannot_be(card: Card, line: str, why: str) -> None:
    took(f"A1,{card.number},100\n")
    (result,) = took(line.format(card=card.number)).results
    assert (result.state, result.why) == (LineState.REFUSED if why else LineState.DUPLICATE, why)
    assert balance(card) == 10_000


def test_what_was_spent_is_not_taken_back(card: Card) -> None:
    took(f"A1,{card.number},100\n")
    spend = rich("王芳", 0)
    assert card.account is not None
    assert spend.account is not None
    transfer(Movement.FEE, card.account, spend.account, 1, "spent", NOW, CAUSE)
    assert told(took(f"R1,{card.number},100,A1\n")) == [(2, "refused", "insufficient")]
    assert (balance(card), BankLine.get().state) == (9_999, "booked")


def test_money_for_an_unknown_card_waits_and_can_be_assigned_and_reversed(card: Card) -> None:
    assert told(took("A1,9999999,100\n")) == [(2, "unknown_card", "")]
    (line,) = bank_file.suspense()
    assert (held_by("suspense"), line.amount_fen) == (10_000, 10_000)
    account = bank_file.assign(line.id, card.id, NOW, CAUSE)
    assert account is not None
    assert (account.balance_fen, held_by("suspense"), bank_file.suspense()) == (10_000, 0, [])
    assert bank_file.assign(line.id, card.id, NOW, CAUSE) is None
    assert told(took(f"R1,{card.number},100,A1\n")) == [(2, "booked", "")]
    assert (balance(card), held_by("bank"), held_by("suspense"), ledger_balances()) == (0, 0, 0, True)


def test_money_that_waits_can_be_taken_back() -> None:
    took("A1,9999999,100\n")
    assert told(took("R1,9999999,100,A1\n")) == [(2, "booked", "")]
    assert (held_by("suspense"), held_by("bank"), bank_file.suspense()) == (0, 0, [])


def test_a_closed_card_takes_nothing_and_a_person_must_look(card: Card) -> None:
    step(card.id, CardStep.LOSE, NOW, "desk")
    assert told(took(f"A1,{card.number},100\n")) == [(2, "refused", "card_closed")]
    took("A2,9999999,100\n")
    assert bank_file.assign(bank_file.suspense()[0].id, card.id, NOW, CAUSE) is None


@pytest.mark.parametrize(
    ("line", "field", "code"),
    [
        (",6001,1", "reference", "required"),
        ("A1,,1", "card", "required"),
        ("A1,60o1,1", "card", "digits"),
        ("A1,6001,-5", "amount", "negative"),
        ("A1,6001,0", "amount", "money"),
        ("A1,6001,", "amount", "required"),
        ("A1,6001,1e9", "amount", "money"),
        ("A1,6001,10000.01", "amount", "range"),
        ("😀,6001,1", "reference", "emoji"),
        ("<script>,6001,1", "reference", "markup"),
        (f"{'9' * 65},6001,1", "reference", "too_long"),
    ],
)
def test_a_line_that_will_not_do_says_why_and_the_others_are_booked(card: Card, line: str, field: str, code: str) -> None:
    first, second = took(f"{line}\nA2,{card.number},1\n").results
    assert (first.line, first.state, second.state) == (2, LineState.REFUSED, LineState.BOOKED)
    assert first.fault is not None
    assert (first.fault.field, first.fault.code, balance(card)) == (field, code, 100)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (HEAD.encode(), "no_rows"),
        ("流水号,卡号\nA1,1\n".encode(), "column_missing"),
        ("流水号,卡号,金额,颜色\nA1,1,1,red\n".encode(), "column_unknown"),
        ("流水号,卡号,金额,reference\nA1,1,1,A2\n".encode(), "column_twice"),
    ],
)
def test_a_file_that_will_not_do(content: bytes, code: str) -> None:
    read = bank_file.read_file("bank.csv", content)
    assert isinstance(read, FileRefused)
    assert read.code == code


def test_many_cards_and_many_lines_balance_to_the_fen() -> None:
    cards = [rich(f"人{n}", 0) for n in range(40)]
    lines = "".join(f"A{n},{cards[n % 40].number},{n % 97 + 1}.{n % 100:02d}\n" for n in range(300))
    outcome = took(lines + f"A7,{cards[7].number},8.07\nR1,{cards[5].number},6.05,A5\n")
    assert outcome.number_of(LineState.DUPLICATE) == 1
    expected = sum((n % 97 + 1) * 100 + n % 100 for n in range(300)) - 605
    assert (sum(balance(card) for card in cards), held_by("bank")) == (expected, -expected)
    assert ledger_balances()
