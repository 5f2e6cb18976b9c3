"""What every card must do when it is asked for what it has not: refuse with words for a technician."""

from collections.abc import Callable

from drivers.errors import LineError


def refusal(call: Callable[..., object], *values: object) -> LineError:
    """The LineError that `call(*values)` must raise, with code, what and remedy."""
    try:
        call(*values)
    except LineError as error:
        refused = error
    else:
        raise AssertionError("it was done, and should have been refused")
    assert refused.code.startswith("LIN-")
    assert refused.what
    assert refused.remedy
    return refused
