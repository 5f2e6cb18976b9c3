"""What an error of the database came of. Pure; loads no driver: an error of one that is not loaded cannot be there."""

import sys
from collections.abc import Iterator

from peewee import DatabaseError, InterfaceError


def first_of(error: BaseException) -> BaseException:
    """What went wrong first: what is lost in the middle cannot be undone either, and says so too."""
    return [*chain(error)][-1]


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it came of, as far as that is the database's."""
    while isinstance(error, _errors()):
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _errors() -> tuple[type[BaseException], ...]:
    driver = sys.modules.get("psycopg")
    return (DatabaseError, InterfaceError, driver.Error) if driver else (DatabaseError, InterfaceError)
