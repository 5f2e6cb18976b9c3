"""A link to another switch, opened again and again: what the threads of call records and of the message desk link have in common."""

from collections.abc import Callable
from threading import Event

from drivers.smdr.source import Source, SourceError, opened
from drivers.smdr.where import Where

AGAIN_AFTER_S = 5.0
SOON_S = 1.0  # after a link that broke


def serve_link(where: Where, ending: Event, serve: Callable[[Source, Event], None], tell: Callable[[SourceError], None]) -> None:
    """Until `ending` is set. `serve` works with a link until it breaks (SourceError) or all ends; `tell` hears of each fault."""
    while not ending.is_set():
        try:
            source = opened(where)
        except SourceError as error:
            tell(error)
            ending.wait(AGAIN_AFTER_S)
            continue
        try:
            serve(source, ending)
        except SourceError as error:
            tell(error)
        finally:
            source.close()
        ending.wait(SOON_S)
