"""How a view says what it asks for; who may do what is in appliance.store.rights. Pure.

Every view is decorated by exactly one of `anyone`, `signed_in`, `needs(right)`; the application refuses to start with one that is not.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from appliance.store.rights import RIGHTS, ROLES, Right, may

__all__ = ["RIGHTS", "ROLES", "Access", "Right", "access_of", "anyone", "may", "needs", "signed_in"]

View = TypeVar("View", bound=Callable[..., Any])


class Access(StrEnum):
    ANYONE = "anyone"
    SIGNED_IN = "signed_in"


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
