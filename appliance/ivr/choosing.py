"""Whether a row of a branch holds. Pure."""

from collections.abc import Mapping

from appliance.ivr import values
from appliance.ivr.nodes import Case, Value


def holds(case: Case, variables: Mapping[str, Value]) -> bool:
    """What has no value is less than, and equal to, nothing.

    Raises: ValueError when less or at_least is asked of a text that is no number; KeyError for a value without one.
    """
    value = variables.get(case.variable)
    match case.test:
        case "is_set":
            return value is not None
        case "is_empty":
            return value is None or value == ""
    if value is None:
        return False
    other = values.resolve(case.value, variables)
    match case.test:
        case "is":
            return str(value) == str(other)
        case "is_not":
            return str(value) != str(other)
        case "begins_with":
            return str(value).startswith(str(other))
        case "less":
            return int(value) < int(other)
        case _:
            return int(value) >= int(other)
