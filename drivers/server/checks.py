"""Checks of what a command asks for. Pure."""

from drivers.errors import LineError


def in_range(name: str, number: float, lowest: float, highest: float) -> None:
    """Raises: LineError LIN-042."""
    if not lowest <= number <= highest:
        raise LineError("LIN-042", f"{name} = {number}", f"Allowed are {lowest:g} to {highest:g}")
