"""The real daemons started afresh on cards of a scenario's own, and ended with it. Guest only."""

import contextlib
from collections.abc import Iterable, Iterator

from drivers.dahdi.setup import CardSetup
from tests.lab import cards, product
from tests.lab.leftovers import end_leftovers
from tests.lab.nursery import Nursery
from tests.lab.product import Box


@contextlib.contextmanager
def fresh_box(more: str, setup: CardSetup, programs: Iterable[str] = product.MODULES) -> Iterator[Box]:
    """Those programs running, without records of earlier calls; a failure inside tells the tails of their logs.

    `more`: the configuration after product.HEAD_TEXT.
    """
    box = Box(Nursery(product.CONFIG))
    try:
        end_leftovers()
        product.PATHS.database.unlink(missing_ok=True)
        product.write_state(product.HEAD_TEXT + more)
        cards.install(setup)
        for program in programs:
            box.start(program)
        yield box
    except BaseException as error:
        error.add_note(product.logs())
        raise
    finally:
        end_leftovers()
