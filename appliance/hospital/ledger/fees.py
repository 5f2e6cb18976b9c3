"""Fees from a card, and their way back. Inside the caller's transaction."""

from datetime import datetime

from appliance.hospital.ledger.accounts import FEES, Kind, account_of
from appliance.hospital.ledger.posting import Cause, Movement, NotPosted, Posted, transfer, undo
from appliance.store.money_tables import LedgerAccount


def charge(account: LedgerAccount, fee_fen: int, once_key: str, now: datetime, cause: Cause) -> Posted | NotPosted:
    """Take a fee. Raises: HospitalError HOS-101 for one that is not above zero."""
    return transfer(Movement.FEE, account, account_of(Kind.FEES, FEES), fee_fen, f"fee {once_key}", now, cause)


def give_back(transaction: int, now: datetime, cause: Cause) -> Posted | NotPosted:
    """The whole of it, once: again says `again`; NotPosted.UNDONE_BEFORE when it came back by another way."""
    return undo(transaction, Movement.REFUND, f"refund {transaction}", now, cause)
