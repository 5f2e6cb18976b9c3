"""Cards: their states, their accounts, and passwords tried from many lines at once."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.hospital.registry import card_password, cards
from appliance.hospital.registry.card_password import Password, PasswordOutcome
from appliance.hospital.registry.cards import STEPS, CardState, CardStep
from appliance.store.hospital_tables import Card
from appliance.store.models import database
from appliance.store.money_tables import LedgerAccount
from appliance.store.place import StorePlace
from appliance.store.transaction import write_transaction
from tests.unit.hospital_rig import NOW, card, codes, new_store, patient, store, taken

__all__ = ["store"]
RIGHT, WRONG = "295038", "604912"


def with_password() -> Card:
    row = card(patient())
    card_password.set_password(row.id, card_password.hashed(RIGHT))
    return Card.get_by_id(row.id)


def tried(number: str, password: str) -> PasswordOutcome:
    check = card_password.begin(number)
    return card_password.finish(check, card_password.is_right(check, password), NOW)


@pytest.mark.usefixtures("store")
def test_a_card_has_an_account_and_a_number_with_a_check_digit() -> None:
    first, second = card(patient()), card(patient())
    assert (first.number, second.number) == ("6001000014", "6001000022")
    assert LedgerAccount.get_by_id(first.account_id).code == "card 6001000014"
    assert codes(cards.issue(first.patient_id, NOW, "desk", second.number)) == {"number": "duplicate"}
    assert codes(cards.issue(0, NOW, "desk")) == {"patient": "unknown"}


@given(st.integers(cards.FIRST_NUMBER, 999_999_999), st.integers(0, 8))
def test_a_slip_of_the_finger_is_nobodys_card(serial: int, place: int) -> None:
    number = cards.numbered(serial)
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    is_known_blind_spot = {number[place], number[place + 1]} == {"0", "9"}  # of the Luhn digit
    assert swapped == number or is_known_blind_spot or cards.numbered(int(swapped[:-1])) != swapped


@pytest.mark.usefixtures("store")
def test_a_new_card_takes_the_money_along() -> None:
    old = with_password()
    new = taken(cards.replace(old.id, NOW, "desk"))
    old = Card.get_by_id(old.id)
    assert (old.state, old.account, old.replaced_by) == ("closed", None, new)
    assert (new.password_hash, new.state) == ("", "active")
    assert [account.code for account in LedgerAccount.select()] == [f"card {new.number}"]
    assert codes(cards.replace(old.id, NOW, "desk")) == {"number": "closed"}
    assert tried(old.number, RIGHT).result is Password.CLOSED


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(("state", "what"), list(itertools.product(CardState, CardStep)))
def test_every_step_from_every_state(state: CardState, what: CardStep) -> None:
    row = card(patient())
    Card.update(state=state, wrong_count=2).where(Card.id == row.id).execute()
    before, after = STEPS[what]
    assert cards.step(row.id, what, NOW, "desk") == (state in before)
    assert Card.get_by_id(row.id).state == (after if state in before else state)


@pytest.mark.usefixtures("store")
def test_the_third_wrong_password_locks_and_the_right_one_is_not_told_then() -> None:
    row = with_password()
    assert tried(row.number, WRONG) == PasswordOutcome(Password.WRONG, 2)
    assert tried(row.number, WRONG) == PasswordOutcome(Password.WRONG, 1)
    assert tried(row.number, WRONG) == PasswordOutcome(Password.LOCKED)
    assert tried(row.number, RIGHT) == PasswordOutcome(Password.LOCKED)
    assert cards.step(row.id, CardStep.UNLOCK, NOW, "desk")
    assert tried(row.number, RIGHT) == PasswordOutcome(Password.RIGHT, 0, row.id, row.patient_id)


@pytest.mark.usefixtures("store")
def test_a_right_password_forgets_the_wrong_ones() -> None:
    row = with_password()
    for _ in range(4):
        tried(row.number, WRONG)
        tried(row.number, WRONG)
        assert tried(row.number, RIGHT).result is Password.RIGHT


@pytest.mark.usefixtures("store")
def test_what_is_no_card_and_what_has_no_password() -> None:
    row = card(patient())
    assert tried("1234", RIGHT).result is Password.UNKNOWN
    assert tried(row.number, "").result is Password.NOT_SET
    assert tried(row.number, "1" * 10_000).result is Password.NOT_SET


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("what", [CardStep.FREEZE, CardStep.LOSE, CardStep.CLOSE])
def test_a_card_that_is_stopped_while_the_password_is_proved(what: CardStep) -> None:
    row = with_password()
    check = card_password.begin(row.number)
    cards.step(row.id, what, NOW, "desk")
    assert card_password.finish(check, True, NOW).result == STEPS[what][1]


@pytest.mark.usefixtures("store")
def test_a_password_set_anew_meanwhile_counts_nothing() -> None:
    row = with_password()
    check = card_password.begin(row.number)
    card_password.set_password(row.id, card_password.hashed("730164"))
    assert card_password.finish(check, True, NOW).result is Password.CHANGED
    assert Card.get_by_id(row.id).wrong_count == 0


@pytest.mark.parametrize("right_at", [None, 0, 2, 3, 7])
def test_many_lines_at_once_lock_the_card_exactly_at_the_limit(store_place: StorePlace, right_at: int | None) -> None:
    """All have begun before the first is done; what is right counts only until the card is locked."""
    opened = new_store(store_place)
    with database.atomic():
        row = with_password()
        checks = [card_password.begin(row.number) for _ in range(8)]
    passwords = [RIGHT if place == right_at else WRONG for place in range(8)]
    with ThreadPoolExecutor(4) as threads:
        verdicts = list(threads.map(card_password.is_right, checks, passwords))
    results = []
    for check, verdict in zip(checks, verdicts, strict=True):
        with database.atomic():
            results.append(card_password.finish(check, verdict, NOW).result)
    wrong_in_a_row = 0
    for place, result in enumerate(results):
        if wrong_in_a_row >= card_password.LIMIT:
            assert result is Password.LOCKED
        elif place == right_at:
            assert result is Password.RIGHT
            wrong_in_a_row = 0
        else:
            wrong_in_a_row += 1
            assert result is (Password.LOCKED if wrong_in_a_row == card_password.LIMIT else Password.WRONG)
    opened.close()


def test_connections_that_count_at_the_same_time(store_place: StorePlace) -> None:
    """Threads with connections of their own, as the web and the call agent have."""
    opened = new_store(store_place)
    with database.atomic():
        row = with_password()
        check = card_password.begin(row.number)

    def one(_: int) -> Password:
        with database.connection_context(), write_transaction(database):
            return card_password.finish(check, False, NOW).result

    with ThreadPoolExecutor(8) as threads:
        results = sorted(threads.map(one, range(24)))
    assert results == [Password.LOCKED] * 22 + [Password.WRONG] * 2
    assert Card.get_by_id(row.id).wrong_count == card_password.LIMIT
    opened.close()


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("password", "again", "code"),
    [
        (RIGHT, RIGHT, None),
        (RIGHT, WRONG, "password_differs"),
        ("12345", "12345", "password_length"),
        ("１２３４５６", "１２３４５６", "password_length"),
        ("111111", "111111", "password_simple"),
        ("123456", "123456", "password_simple"),
        ("987654", "987654", "password_simple"),
        ("800506", "800506", "password_simple"),
        ("000014", "000014", "password_simple"),
    ],
)
def test_new_passwords(password: str, again: str, code: str | None) -> None:
    row = card(patient(birth_date="1980-05-06"))
    fault = card_password.fault_of(password, again, row)
    assert (fault and fault.code) == code
    assert fault is None or fault.text("en")
