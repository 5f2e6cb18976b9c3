"""Numbers as PRI signals them, both ways. Pure. Source: Q.931 clauses 4.5.8 and 4.5.10, octets 3 and 3a."""

import re

from drivers.protocol import Caller, NumberSource, Presentation
from drivers.signalling.pri.binding import Event, Number, Setup
from drivers.signalling.pri.config import PriConfig

TYPES = {"unknown": 0, "international": 1, "national": 2, "subscriber": 4, "abbreviated": 6}
PLANS = {"unknown": 0, "isdn": 1, "national": 8, "private": 9}
_PRESENTATIONS = {0x00: Presentation.ALLOWED, 0x20: Presentation.RESTRICTED}
_SCREENING, _INDICATOR, _RESTRICTED = 0x03, 0x60, 0x20
_NOT_SCREENED, _PASSED, _BY_NETWORK = 0x00, 0x01, 0x03


def octet(kind: str, plan: str) -> int:
    """Octet 3 without its extension bit."""
    return TYPES[kind] << 4 | PLANS[plan]


def caller(event: Event, config: PriConfig) -> Caller:
    """Who calls. A number the network vouches for goes before one it does not."""
    told = event.calling or Number("", presentation=0x40)
    if event.ani is not None and event.ani.digits and not _vouched(told):
        hidden = told.presentation & _INDICATOR == _RESTRICTED
        told = Number(event.ani.digits, event.ani.plan, _BY_NETWORK | (_RESTRICTED if hidden else 0))
    return Caller(
        number=prefixed(told, config),
        presentation=presentation(told),
        source=NumberSource.NETWORK if _vouched(told) else NumberSource.USER,
        name=event.name,
    )


def rdnis(event: Event, config: PriConfig) -> str | None:
    """The number the call was diverted from, if it may be shown."""
    diverted = event.redirecting
    if diverted is None or presentation(diverted) is not Presentation.ALLOWED:
        return None
    return prefixed(diverted, config) or None


def presentation(number: Number) -> Presentation:
    known = _PRESENTATIONS.get(number.presentation & _INDICATOR, Presentation.UNAVAILABLE)
    return known if number.digits or known is Presentation.RESTRICTED else Presentation.UNAVAILABLE


def prefixed(number: Number, config: PriConfig) -> str:
    """The number as it would be dialled here: its type, which digits cannot show, becomes a prefix."""
    kinds = {TYPES["national"]: config.national_prefix, TYPES["international"]: config.international_prefix}
    prefix = kinds.get(number.plan >> 4 & 7, "")
    if not number.digits or number.digits.startswith(prefix):
        return number.digits
    return prefix + number.digits


def can_be_dialled(number: str) -> bool:
    """Digits of a keypad, with a + before an international number; no more than libpri and most switches take."""
    return re.fullmatch(r"\+?[0-9*#]{1,32}", number) is not None


def setup(config: PriConfig, slot: int, law: str, called: str, calling: str | None, complete: bool) -> Setup:
    """SETUP of a call of ours."""
    own = calling if calling and can_be_dialled(calling) else config.caller_number
    shown = _RESTRICTED if config.hide_number else 0
    return Setup(
        channel=slot,
        law=law,
        called=_typed(called, config.called_type, config.called_plan),
        calling=_typed(own, config.caller_type, config.caller_plan, shown | _NOT_SCREENED) if own else None,
        complete=complete,
    )


def _typed(number: str, kind: str, plan: str, shown: int = 0) -> Number:
    if number.startswith("+"):
        return Number(number[1:], octet("international", "isdn"), shown)
    return Number(number, octet(kind, plan), shown)


def _vouched(number: Number) -> bool:
    return number.presentation & _SCREENING in (_PASSED, _BY_NETWORK)
