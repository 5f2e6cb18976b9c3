"""Money moves once, adds up to nothing, and is never more than there is."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.hospital.errors import HospitalError
from appliance.hospital.ledger.accounts import FEES, Kind, account_of, cash_desk, open_card_account
from appliance.hospital.ledger.posting import Cause, Entry, Movement, NotPosted, Posted, post, transfer, undo
from appliance.store.models import database
from appliance.store.money_tables import LedgerAccount, LedgerTransaction, Posting
from tests.unit.hospital_rig import NOW, store

__all__ = ["store"]
CAUSE = Cause(by="desk")


def balance(account: LedgerAccount) -> int:
    return int(LedgerAccount.get_by_id(account.id).balance_fen)


@pytest.mark.usefixtures("store")
def test_money_moves_from_one_account_to_the_other() -> None:
    card, desk = open_card_account("6001"), cash_desk("1")
    assert isinstance(transfer(Movement.TOP_UP, desk, card, 5_000, "a", NOW, CAUSE), Posted)
    assert (balance(card), balance(desk)) == (5_000, -5_000)


@pytest.mark.usefixtures("store")
def test_the_same_key_moves_money_once() -> None:
    card, desk = open_card_account("6001"), cash_desk("1")
    first = transfer(Movement.TOP_UP, desk, card, 5_000, "a", NOW, CAUSE)
    again = transfer(Movement.TOP_UP, desk, card, 5_000, "a", NOW, CAUSE)
    assert isinstance(first, Posted)
    assert again == Posted(first.transaction, again=True)
    assert balance(card) == 5_000


@pytest.mark.usefixtures("store")
def test_a_card_never_goes_below_zero_and_nothing_is_left_of_the_attempt() -> None:
    card, fees = open_card_account("6001"), account_of(Kind.FEES, FEES)
    assert transfer(Movement.FEE, card, fees, 1, "a", NOW, CAUSE) is NotPosted.INSUFFICIENT
    assert (balance(card), balance(fees), LedgerTransaction.select().count()) == (0, 0, 0)


@pytest.mark.usefixtures("store")
def test_a_transaction_is_undone_once_whatever_the_key() -> None:
    card, desk = open_card_account("6001"), cash_desk("1")
    paid = transfer(Movement.TOP_UP, desk, card, 700, "a", NOW, CAUSE)
    assert isinstance(paid, Posted)
    undone = undo(paid.transaction, Movement.REVERSAL, "b", NOW, CAUSE)
    assert isinstance(undone, Posted)
    assert undo(paid.transaction, Movement.REVERSAL, "b", NOW, CAUSE) == Posted(undone.transaction, again=True)
    assert undo(paid.transaction, Movement.REVERSAL, "c", NOW, CAUSE) is NotPosted.UNDONE_BEFORE
    assert balance(card) == 0


@pytest.mark.usefixtures("store")
def test_entries_that_do_not_add_up_are_a_fault() -> None:
    card, desk = open_card_account("6001"), cash_desk("1")
    with pytest.raises(HospitalError, match="HOS-100"):
        post(Movement.TOP_UP, (Entry(card.id, 5), Entry(desk.id, -4)), "a", NOW, CAUSE)
    with pytest.raises(HospitalError, match="HOS-101"):
        transfer(Movement.TOP_UP, desk, card, 0, "a", NOW, CAUSE)


MOVES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(1, 900), st.integers(0, 12)), max_size=40)


@pytest.mark.usefixtures("store")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES)
def test_whatever_happens_the_books_balance(moves: list[tuple[int, int, int, int]]) -> None:
    with database.atomic() as attempt:
        accounts = [open_card_account(str(n)) for n in range(3)] + [cash_desk("1"), account_of(Kind.FEES, FEES)]
        for source, target, amount_fen, key in moves:
            if source != target:
                transfer(Movement.TOP_UP, accounts[source], accounts[target], amount_fen, f"key {key}", NOW, CAUSE)
        held = [balance(account) for account in accounts]
        posted = [sum(row.amount_fen for row in Posting.select().where(Posting.account == account)) for account in accounts]
        assert held == posted
        assert sum(held) == 0
        assert min(held[:3]) >= 0
        assert LedgerTransaction.select().count() == Posting.select(Posting.transaction).distinct().count()
        attempt.rollback()
