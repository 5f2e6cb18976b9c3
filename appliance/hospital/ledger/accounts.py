"""The accounts of the ledger. A card's account holds what its holder has to spend; the others are where that came from or went to."""

from enum import StrEnum

from appliance.store.money_tables import LedgerAccount


class Kind(StrEnum):
    """Only a card's account may never be below zero: what it holds belongs to somebody else."""

    CARD = "card"
    CASH = "cash"
    BANK = "bank"
    CARD_SECRETS = "card_secrets"
    FEES = "fees"
    SUSPENSE = "suspense"


FEES = "fees"
SUSPENSE = "suspense"
BANK = "bank"
CARD_SECRETS = "card secrets"


def account_of(kind: Kind, code: str) -> LedgerAccount:
    """The account of that code, made when there is none."""
    found = LedgerAccount.get_or_none(LedgerAccount.code == code)
    if found is None:
        LedgerAccount.insert(kind=kind.value, code=code).on_conflict_ignore().execute()
        found = LedgerAccount.get(LedgerAccount.code == code)
    return found


def open_card_account(card_number: str) -> LedgerAccount:
    """The account of a new card, with nothing on it."""
    return account_of(Kind.CARD, f"card {card_number}")


def cash_desk(name: str) -> LedgerAccount:
    """The till of a desk."""
    return account_of(Kind.CASH, f"cash {name}")
