"""The one place where a card meets the ledger. Inside the caller's transaction."""

from collections.abc import Sequence

from appliance.hospital.ledger.accounts import Kind, open_card_account
from appliance.store.money_tables import LedgerAccount


def open_account(card_number: str) -> LedgerAccount:
    """The account of a new card."""
    return open_card_account(card_number)


def hand_over(account_id: int, card_number: str) -> None:
    """The account goes on under another card's number; its postings stay what they are."""
    LedgerAccount.update(code=f"card {card_number}").where(LedgerAccount.id == account_id).execute()


def open_accounts(card_numbers: Sequence[str]) -> dict[str, int]:
    """Accounts of many new cards at once, by card number."""
    codes = {f"card {number}": number for number in card_numbers}
    LedgerAccount.insert_many([{"kind": Kind.CARD.value, "code": code} for code in codes]).execute()
    rows = LedgerAccount.select(LedgerAccount.id, LedgerAccount.code).where(LedgerAccount.code.in_(list(codes)))
    return {codes[row.code]: row.id for row in rows}
