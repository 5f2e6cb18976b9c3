"""The one place where a card meets the ledger. Inside the caller's transaction."""

from appliance.hospital.ledger.accounts import open_card_account
from appliance.store.money_tables import LedgerAccount


def open_account(card_number: str) -> LedgerAccount:
    """The account of a new card."""
    return open_card_account(card_number)


def hand_over(account_id: int, card_number: str) -> None:
    """The account goes on under another card's number; its postings stay what they are."""
    LedgerAccount.update(code=f"card {card_number}").where(LedgerAccount.id == account_id).execute()
