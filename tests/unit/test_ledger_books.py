"""The books: statements whose lines add up, corrections by two persons, sheets of days that balance, postings nobody can change."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from peewee import IntegrityError

from appliance.hospital.ledger import closing, corrections, fees, statement
from appliance.hospital.ledger.accounts import cash_desk
from appliance.hospital.ledger.closing import ClosedBefore, Sheet
from appliance.hospital.ledger.corrections import Decision, NotAsked
from appliance.hospital.ledger.posting import NotPosted, Posted
from appliance.store.hospital_tables import Card
from appliance.store.models import database
from appliance.store.money_tables import Correction, DailyClosing, LedgerAccount, LedgerTransaction, Posting
from tests.unit.booking_rig import CAUSE, balance, ledger_balances, rich, top_up
from tests.unit.hospital_rig import NOW, TODAY, store

__all__ = ["store"]
pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture
def card(store: None) -> Card:
    return rich()


def account(of: Card) -> LedgerAccount:
    return LedgerAccount.get_by_id(of.account_id)


def charge(card: Card, fen: int, key: str, days: int = 0) -> Posted | NotPosted:
    return fees.charge(account(card), fen, key, NOW + timedelta(days=days), CAUSE)


def test_a_fee_and_its_way_back_once(card: Card) -> None:
    paid = charge(card, 700, "f")
    assert isinstance(paid, Posted)
    assert balance(card) == 9_300
    refunds = [fees.give_back(paid.transaction, NOW, CAUSE) for _ in range(3)]
    assert [refund.again for refund in refunds if isinstance(refund, Posted)] == [False, True, True]
    assert (balance(card), charge(card, 10_001, "g")) == (10_000, NotPosted.INSUFFICIENT)


def test_the_last_five_movements_the_latest_first(card: Card) -> None:
    for n in range(1, 7):
        charge(card, n, f"f{n}")
    lines = statement.last(card.account_id or 0)
    assert [(line.amount_fen, line.balance_fen) for line in lines] == [(-6, 9_979), (-5, 9_985), (-4, 9_990), (-3, 9_994), (-2, 9_997)]
    assert (lines[0].kind, lines[0].call, lines[0].recording, lines[0].by) == ("fee", "c1", "r1", "desk")


def test_pages_lead_to_the_first_movement(card: Card) -> None:
    for n in range(1, 7):
        charge(card, n, f"f{n}")
    seen, page = [], statement.page(card.account_id or 0, None, 3)
    while page:
        seen += [line.amount_fen for line in page]
        page = statement.page(card.account_id or 0, page[-1].posting, 3)
    assert seen == [-6, -5, -4, -3, -2, -1, 10_000]


def test_a_periods_lines_add_up_from_opening_to_closing(card: Card) -> None:
    for days in (1, 2, 3):
        charge(card, 100 * days, f"f{days}", days)
    both = statement.whole(card.account_id or 0, NOW + timedelta(days=2), NOW + timedelta(days=3))
    assert (both.opening_fen, [line.amount_fen for line in both.lines], both.closing_fen) == (9_900, [-200], 9_700)
    whole = statement.whole(card.account_id or 0)
    assert (whole.opening_fen, len(whole.lines), whole.closing_fen) == (0, 4, balance(card))
    empty = statement.whole(card.account_id or 0, NOW + timedelta(days=2, hours=1), NOW + timedelta(days=2, hours=2))
    assert (empty.opening_fen, empty.lines, empty.closing_fen) == (9_700, (), 9_700)


def test_a_correction_takes_two_persons(card: Card) -> None:
    asked = corrections.ask(account(card), cash_desk("1"), 300, "paid twice", "amy", NOW)
    assert isinstance(asked, Correction)
    assert [row.id for row in corrections.open_ones()] == [asked.id]
    assert corrections.approve(asked.id, "amy", NOW) is Decision.SAME_PERSON
    assert corrections.approve(asked.id, "", NOW) is Decision.SAME_PERSON
    assert balance(card) == 10_000
    assert corrections.approve(asked.id, "bob", NOW) is Decision.APPROVED
    assert (balance(card), ledger_balances(), corrections.open_ones()) == (10_300, True, [])
    assert corrections.approve(asked.id, "bob", NOW) is Decision.DECIDED
    moved = LedgerTransaction.get_by_id(Correction.get().transaction_id)
    assert (moved.kind, moved.by, moved.memo) == ("correction", "bob", f"correction {asked.id}, asked by amy")


def test_a_correction_that_is_refused_or_cannot_be_posts_nothing(card: Card) -> None:
    refused = corrections.ask(account(card), cash_desk("1"), -300, "slip", "amy", NOW)
    assert isinstance(refused, Correction)
    assert corrections.refuse(refused.id, "amy", NOW) is Decision.REFUSED
    assert corrections.approve(refused.id, "bob", NOW) is Decision.DECIDED
    assert corrections.refuse(refused.id, "bob", NOW) is Decision.DECIDED
    too_much = corrections.ask(account(card), cash_desk("1"), -10_001, "slip", "amy", NOW)
    assert isinstance(too_much, Correction)
    assert corrections.approve(too_much.id, "bob", NOW) is Decision.INSUFFICIENT
    assert Correction.get_by_id(too_much.id).state == "asked"
    assert (corrections.approve(99, "bob", NOW), corrections.refuse(99, "bob", NOW)) == (Decision.UNKNOWN, Decision.UNKNOWN)
    assert balance(card) == 10_000


def test_what_cannot_be_asked(card: Card) -> None:
    own, desk = account(card), cash_desk("1")
    assert corrections.ask(own, desk, 1, "  ", "amy", NOW) is NotAsked.NO_REASON
    assert corrections.ask(own, desk, 1, "x" * 501, "amy", NOW) is NotAsked.NO_REASON
    assert corrections.ask(own, desk, 0, "why", "amy", NOW) is NotAsked.AMOUNT
    assert corrections.ask(own, own, 1, "why", "amy", NOW) is NotAsked.SAME_ACCOUNT


def closed(day: date = TODAY) -> Sheet:
    sheet = closing.close(day, NOW, "bob")
    assert isinstance(sheet, Sheet), sheet
    return sheet


def lines(sheet: Sheet) -> dict[str, tuple[int, int, int, int]]:
    return {
        line.kind: (line.opening_fen, line.in_fen, line.out_fen, line.closing_fen)
        for line in sheet.lines
        if line.closing_fen or line.in_fen
    }


def test_a_days_sheet_has_what_each_kind_of_account_held_and_what_came_and_went(card: Card) -> None:
    charge(card, 700, "f")
    sheet = closed()
    assert (sheet.balances, closing.unbalanced()) == (True, None)
    assert lines(sheet) == {"card": (0, 10_000, 700, 9_300), "cash": (0, 0, 10_000, -10_000), "fees": (0, 700, 0, 700)}
    assert [(line.kind, line.number, line.moved_fen) for line in sheet.movements] == [("fee", 1, 700), ("top_up", 1, 10_000)]
    assert (closing.kept(TODAY), closing.kept(TODAY + timedelta(days=1)), DailyClosing.get().balanced) == (sheet, None, True)


def test_what_is_posted_after_closing_stands_on_the_next_sheet(card: Card) -> None:
    closed()
    charge(card, 700, "late")
    charge(card, 300, "of another day", days=5)
    before = closing.sheet(TODAY + timedelta(days=1))
    second = closed(TODAY + timedelta(days=1))
    assert second == before
    assert lines(second) == {"card": (10_000, 0, 1_000, 9_000), "cash": (-10_000, 0, 0, -10_000), "fees": (0, 1_000, 0, 1_000)}
    third = closed(TODAY + timedelta(days=2))
    assert (third.balances, third.movements) == (True, ())


def test_a_day_is_closed_once_and_none_before_it() -> None:
    closed()
    assert closing.close(TODAY, NOW, "amy") == ClosedBefore(TODAY)
    assert closing.close(TODAY - timedelta(days=1), NOW, "amy") == ClosedBefore(TODAY)
    assert DailyClosing.select().count() == 1


def test_a_balance_changed_by_hand_is_found(card: Card) -> None:
    LedgerAccount.update(balance_fen=10_001).where(LedgerAccount.id == card.account_id).execute()
    sheet = closed()
    assert (sheet.balances, closing.unbalanced()) == (False, TODAY)
    (fault,) = sheet.faults
    assert (fault.code, fault.balance_fen, fault.postings_fen, fault.last_after_fen) == (f"card {card.number}", 10_001, 10_000, 10_000)


def test_a_posting_made_up_by_hand_is_found(card: Card) -> None:
    closed()
    moved = LedgerTransaction.get()
    Posting.create(transaction=moved, account=card.account_id, amount_fen=5, balance_after_fen=10_005)
    sheet = closed(TODAY + timedelta(days=1))
    assert not sheet.balances
    assert [(fault.code, fault.balance_fen, fault.postings_fen) for fault in sheet.faults] == [(f"card {card.number}", 10_000, 10_005)]


CHANGES: tuple[Callable[[], Any], ...] = (
    lambda: Posting.update(amount_fen=1),
    lambda: Posting.update(balance_after_fen=1).where(Posting.id == 1),
    lambda: Posting.delete(),
    lambda: LedgerTransaction.update(memo="other"),
    lambda: LedgerTransaction.update(at=NOW),
    lambda: LedgerTransaction.update(reverses=1),
    lambda: LedgerTransaction.update(closing=None),
    lambda: LedgerTransaction.delete(),
)


@pytest.mark.parametrize("change", CHANGES)
def test_nobody_changes_what_is_posted(card: Card, change: Callable[[], Any]) -> None:
    closed()
    with pytest.raises(IntegrityError, match="the ledger only grows"), database.atomic():
        change().execute()
    assert (balance(card), closing.faults()) == (10_000, ())


MOVES = st.lists(st.tuples(st.sampled_from(["top_up", "fee", "refund", "close"]), st.integers(1, 9_000), st.integers(0, 2)), max_size=30)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES)
def test_whatever_happens_every_sheet_balances_and_opens_where_the_last_closed(moves: list[tuple[str, int, int]]) -> None:
    with database.atomic() as attempt:
        cards = [rich(f"人{n}", 0) for n in range(3)]
        paid: list[int] = []
        sheets: list[Sheet] = []
        for place, (what, fen, whose) in enumerate(moves):
            if what == "top_up":
                top_up(cards[whose], fen + place * 10_000)
            elif what == "fee" and isinstance(fee := charge(cards[whose], fen, f"f{place}"), Posted):
                paid.append(fee.transaction)
            elif what == "refund" and paid:
                fees.give_back(paid[fen % len(paid)], NOW, CAUSE)
            elif what == "close":
                sheets.append(closed(TODAY + timedelta(days=len(sheets))))
        sheets.append(closed(TODAY + timedelta(days=len(sheets))))
        assert all(sheet.balances for sheet in sheets)
        assert sum(line.number for sheet in sheets for line in sheet.movements) == LedgerTransaction.select().count()
        for of in cards:
            whole = statement.whole(of.account_id or 0)
            assert whole.opening_fen + sum(line.amount_fen for line in whole.lines) == whole.closing_fen == balance(of)
        attempt.rollback()
