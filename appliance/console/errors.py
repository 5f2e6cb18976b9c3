"""How a line or a wait at it ends other than well, and the console's own faults (codes SYS-030 to SYS-039).

What ends a wait because of the person is no fault, and nothing that catches faults may catch it: as KeyboardInterrupt, a BaseException.
"""

from drivers.errors import CarelineError


class ConsoleError(CarelineError):
    """The console cannot use its line, or was asked for what it cannot do."""


class HungUp(BaseException):
    """Nobody is at the line any more: what was not complete is not done."""


class Interrupted(BaseException):
    """Ctrl-C or Ctrl-Z: back to the prompt."""


class Idle(BaseException):
    """Nobody wrote anything for too long."""


class EndOfInput(BaseException):
    """Ctrl-D on an empty line."""


class LoggedOut(BaseException):
    """The session is over, as somebody wished."""


class TooMany(BaseException):
    """So many wrong passwords that the line is let go."""


class UsageError(Exception):
    """What was written cannot be understood; `key` of the console's texts says why, `values` fill its places."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key, self.values = key, values
