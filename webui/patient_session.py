"""Who is at home at the other end: a card whose password was right not long ago. In request threads.

The session lives in a signed cookie (sessions.py). It ends after IDLE_S without a page, LONGEST_S after the log-in, with a new password of
the card, and when the card is not in use any more.
"""

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import ParamSpec, TypeVar, cast

from flask import flash, g, redirect, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.hospital.registry.cards import CardState
from appliance.store.hospital_tables import Card
from webui.rights import anyone
from webui.shared import say, shared

IDLE_S = 15 * 60
LONGEST_S = 60 * 60
AFTERWARDS_S = 2  # a page that looks whether the session is over must not come a moment before

P = ParamSpec("P")
R = TypeVar("R")


def begin(card_id: int) -> None:
    """A fresh session, so that nothing planted before the log-in lives on."""
    card, now = Card.get_by_id(card_id), shared().clock.now()
    session.clear()
    session.update(card=card.id, key=key_of(card), id=secrets.token_urlsafe(12), began=now.timestamp(), seen=now.timestamp())


def end() -> None:
    session.clear()


def holder_name() -> str:
    """Under which places are kept for this session."""
    return f"web {session['id']}"


def my_card() -> Card:
    """Only for views that ask for one."""
    return cast(Card, g.card)


def open_card() -> Card | None:
    """The card of this session while it lasts; the moment is noted as the last one seen."""
    number = session.get("card")
    if not isinstance(number, int) or _is_over(shared().clock.now()):
        return None
    card = Card.get_or_none(Card.id == number)
    if card is None or card.state != CardState.ACTIVE or session.get("key") != key_of(card):
        return None
    session["seen"] = shared().clock.now().timestamp()
    return card


def _is_over(now: datetime) -> bool:
    idle, whole = (now.timestamp() - float(session.get(name, 0.0)) for name in ("seen", "began"))
    return idle > IDLE_S or whole > LONGEST_S


def key_of(card: Card) -> str:
    """Another one with every new password."""
    return hashlib.sha256(f"patient session {card.id} {card.password_hash}".encode()).hexdigest()[:24]


def seconds_left() -> int:
    """Until the session is over if nothing is done."""
    now = shared().clock.now().timestamp()
    whole = LONGEST_S - (now - float(session["began"]))
    return max(0, int(min(IDLE_S, whole))) + AFTERWARDS_S


def card_holder(view: Callable[P, R]) -> Callable[P, R | AnyResponse]:
    """The view asks for a card's session; without one, the log-in comes first."""

    @wraps(view)
    def asked(*args: P.args, **kwargs: P.kwargs) -> R | AnyResponse:
        g.card = open_card()
        if g.card is None:
            was_there = "card" in session
            end()
            if was_there:
                flash(say("my.ended"), "danger")
            return redirect(url_for("patient_entry.show"), 303)
        return view(*args, **kwargs)

    return anyone(asked)
