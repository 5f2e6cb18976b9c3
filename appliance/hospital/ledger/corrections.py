"""Corrections of an account, which take two persons: one asks, another approves. Inside the caller's transaction."""

from datetime import datetime
from enum import StrEnum

from appliance.hospital.ledger.posting import Cause, Entry, Movement, NotPosted, post
from appliance.store.money_tables import Correction, LedgerAccount

REASON_MOST = 500


class Decision(StrEnum):
    """`same_person`: who asked does not decide. `decided`: before, by somebody. `insufficient`: the card has not so much."""

    APPROVED = "approved"
    REFUSED = "refused"
    SAME_PERSON = "same_person"
    DECIDED = "decided"
    INSUFFICIENT = "insufficient"
    UNKNOWN = "unknown"


class NotAsked(StrEnum):
    NO_REASON = "no_reason"
    AMOUNT = "amount"
    SAME_ACCOUNT = "same_account"


def ask(account: LedgerAccount, against: LedgerAccount, amount_fen: int, reason: str, by: str, now: datetime) -> Correction | NotAsked:
    """`amount_fen` > 0: `account` is to have more, and `against` less."""
    faults = (
        (not reason.strip() or len(reason) > REASON_MOST, NotAsked.NO_REASON),
        (amount_fen == 0, NotAsked.AMOUNT),
        (account.id == against.id, NotAsked.SAME_ACCOUNT),
    )
    for wrong, fault in faults:
        if wrong:
            return fault
    return Correction.create(account=account, against=against, amount_fen=amount_fen, reason=reason.strip(), asked_by=by, asked_at=now)


def open_ones() -> list[Correction]:
    """Those nobody has decided, the oldest first."""
    return list(Correction.select().where(Correction.state == "asked").order_by(Correction.id))


def approve(correction_id: int, by: str, now: datetime) -> Decision:
    """Post it; `by` is the account of somebody else than asked."""
    found = _to_decide(correction_id, by)
    if isinstance(found, Decision):
        return found
    entries = (Entry(found.account_id, found.amount_fen), Entry(found.against_id, -found.amount_fen))
    cause = Cause(by=by, memo=f"correction {found.id}, asked by {found.asked_by}")
    posted = post(Movement.CORRECTION, entries, f"correction {found.id}", now, cause)
    if isinstance(posted, NotPosted):
        return Decision.INSUFFICIENT
    _decide(found, Decision.APPROVED, by, now)
    Correction.update(transaction=posted.transaction).where(Correction.id == found.id).execute()
    return Decision.APPROVED


def refuse(correction_id: int, by: str, now: datetime) -> Decision:
    """It is not posted. Who asked may take it back so."""
    found = Correction.get_or_none(Correction.id == correction_id)
    if found is None:
        return Decision.UNKNOWN
    return Decision.REFUSED if _decide(found, Decision.REFUSED, by, now) else Decision.DECIDED


def _to_decide(correction_id: int, by: str) -> Correction | Decision:
    found = Correction.get_or_none(Correction.id == correction_id)
    if found is None:
        return Decision.UNKNOWN
    if found.state != "asked":
        return Decision.DECIDED
    return Decision.SAME_PERSON if not by or found.asked_by == by else found


def _decide(found: Correction, decision: Decision, by: str, now: datetime) -> bool:
    change = Correction.update(state=decision.value, decided_by=by, decided_at=now)
    return bool(change.where(Correction.id == found.id, Correction.state == "asked").execute())
