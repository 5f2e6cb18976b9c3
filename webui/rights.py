"""Who may do what: the table of roles and rights, and how a view says what it asks for. Pure.

Every view is decorated by exactly one of `anyone`, `signed_in`, `needs(right)`; the application refuses to start with one that is not.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


class Right(StrEnum):
    """One thing a person may be allowed to do. Listening and taking a copy away are apart, so are asking for a correction and approving it,
    locking a card (edit_patients) and making a locked one usable again (release_cards)."""

    SEE_LIVE = "see_live"
    SEE_CALLS = "see_calls"
    LISTEN = "listen"
    DOWNLOAD = "download"
    BLOCK_CHANNELS = "block_channels"
    TEST_LINES = "test_lines"
    SET_UP_LINES = "set_up_lines"
    HANG_UP = "hang_up"
    SEE_HEALTH = "see_health"
    MANAGE_MUSIC = "manage_music"
    USE_HANDSET = "use_handset"
    SEE_AUDIT = "see_audit"
    MANAGE_ACCOUNTS = "manage_accounts"
    SEE_PATIENTS = "see_patients"
    UNMASK = "unmask"
    EDIT_PATIENTS = "edit_patients"
    RELEASE_CARDS = "release_cards"
    BOOK = "book"
    TAKE_MONEY = "take_money"
    REFUND = "refund"
    CORRECT = "correct"
    APPROVE_CORRECTION = "approve_correction"
    SEE_LEDGER = "see_ledger"
    CLOSE_DAY = "close_day"
    SEE_PRICES = "see_prices"
    APPROVE_PRICES = "approve_prices"
    MAKE_SCRATCH_CARDS = "make_scratch_cards"
    MANAGE_BANS = "manage_bans"
    EDIT_HOSPITAL = "edit_hospital"
    EDIT_RULES = "edit_rules"
    FILE_COMPLAINTS = "file_complaints"
    SEE_COMPLAINTS = "see_complaints"
    HANDLE_COMPLAINTS = "handle_complaints"
    TAKE_WORK = "take_work"
    MANAGE_DESKS = "manage_desks"
    SEE_FLOWS = "see_flows"
    EDIT_FLOWS = "edit_flows"
    PUBLISH_FLOWS = "publish_flows"
    EDIT_PROMPTS = "edit_prompts"
    PUBLISH_PROMPTS = "publish_prompts"


class Access(StrEnum):
    ANYONE = "anyone"
    SIGNED_IN = "signed_in"


RIGHTS: dict[str, frozenset[Right]] = {
    "administrator": frozenset(Right),
    "technician": frozenset(
        {
            Right.SEE_LIVE,
            Right.SEE_CALLS,
            Right.BLOCK_CHANNELS,
            Right.TEST_LINES,
            Right.SET_UP_LINES,
            Right.HANG_UP,
            Right.SEE_HEALTH,
            Right.USE_HANDSET,
        }
    ),
    "inspector": frozenset({Right.SEE_LIVE, Right.SEE_CALLS, Right.LISTEN}),
    "registrar": frozenset(
        {Right.SEE_PATIENTS, Right.EDIT_PATIENTS, Right.BOOK, Right.FILE_COMPLAINTS, Right.TAKE_WORK, Right.USE_HANDSET},
    ),
    "cashier": frozenset({Right.SEE_PATIENTS, Right.TAKE_MONEY, Right.REFUND, Right.CORRECT, Right.SEE_LEDGER, Right.CLOSE_DAY}),
    "business": frozenset({Right.EDIT_HOSPITAL, Right.SEE_PRICES, Right.EDIT_RULES, Right.SEE_FLOWS, Right.EDIT_FLOWS, Right.EDIT_PROMPTS}),
    "supervisor": frozenset(
        {
            *(Right.SEE_LIVE, Right.SEE_CALLS, Right.LISTEN),
            *(Right.SEE_PATIENTS, Right.UNMASK, Right.EDIT_PATIENTS, Right.RELEASE_CARDS, Right.BOOK),
            *(Right.SEE_PRICES, Right.APPROVE_PRICES),
            *(Right.APPROVE_CORRECTION, Right.SEE_LEDGER, Right.EDIT_RULES, Right.MAKE_SCRATCH_CARDS, Right.MANAGE_BANS),
            *(Right.FILE_COMPLAINTS, Right.SEE_COMPLAINTS, Right.HANDLE_COMPLAINTS, Right.TAKE_WORK, Right.MANAGE_DESKS),
            *(Right.SEE_FLOWS, Right.PUBLISH_FLOWS, Right.PUBLISH_PROMPTS),
        },
    ),
}
ROLES = tuple(RIGHTS)


def may(role: str, right: Right) -> bool:
    return right in RIGHTS.get(role, frozenset())


def anyone(view: View) -> View:
    return _marked(view, Access.ANYONE)


def signed_in(view: View) -> View:
    return _marked(view, Access.SIGNED_IN)


def needs(right: Right) -> Callable[[View], View]:
    return lambda view: _marked(view, right)


def access_of(view: Callable[..., Any]) -> Access | Right | None:
    """What a view asks for; None when it was forgotten."""
    access: Access | Right | None = getattr(view, "access", None)
    return access


def _marked(view: View, access: Access | Right) -> View:
    vars(view)["access"] = access
    return view
