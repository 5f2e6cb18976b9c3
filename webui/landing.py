"""Where somebody lands after signing in: the first page of theirs. In request threads."""

from flask import url_for

from webui.rights import Right, may

FIRST_PAGES: tuple[tuple[Right, str], ...] = (
    (Right.SEE_LIVE, "dashboard.show"),
    (Right.BOOK, "desk.show"),
    (Right.TAKE_MONEY, "money.show"),
    (Right.SEE_PATIENTS, "patients.show"),
    (Right.EDIT_HOSPITAL, "hospital.home"),
)
"""The page of the first right a role has."""


def landing(role: str) -> str:
    """The address of that page; without any right, one's own account."""
    return url_for(next((endpoint for right, endpoint in FIRST_PAGES if may(role, right)), "account.show"))
