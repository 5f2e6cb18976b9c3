"""Which lines the box has just now; none is an answer too. Any thread; asks the card, keeps nothing.

A box may be switched on before its first card is plugged in, or set up: the line server waits for it, and says so.
"""

from drivers.alarms import REMOVED
from drivers.dahdi import faults
from drivers.errors import LineError, NoCardError
from drivers.io import Card, ChannelSpec, SpanStatus
from drivers.protocol import NOT_SET_UP

ABOUT = "card"


def specs_of(card: Card) -> tuple[ChannelSpec, ...]:
    """Every channel that can be opened. Raises: LineError LIN-101, LIN-102."""
    try:
        return card.channels()
    except NoCardError:
        return ()


def spans_of(card: Card) -> tuple[SpanStatus, ...]:
    """Raises: LineError LIN-101, LIN-102."""
    try:
        return card.spans()
    except NoCardError:
        return ()


def absence(card: Card) -> LineError | None:
    """Why there is no line at all; None when there is one. Raises: LineError LIN-101, LIN-102."""
    if specs_of(card):
        return None
    if any(span.alarms != REMOVED for span in spans_of(card)):
        return LineError(NOT_SET_UP, "a telephony card is there, but none of its ports is set up", "Set it up on the page Set up the lines")
    return faults.no_card()
