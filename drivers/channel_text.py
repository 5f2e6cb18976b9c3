"""Channel numbers as people write them: "1-24,26". Pure."""

import re

HIGHEST_CHANNEL = 1024  # Source: dahdi/user.h, DAHDI_MAX_CHANNELS


def channel_numbers(text: str) -> tuple[int, ...]:
    """Numbers of "1-24,26", in that order. Raises: ValueError naming the part that is wrong."""
    numbers: list[int] = []
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\d{1,4})(?:\s*-\s*(\d{1,4}))?\s*", part)
        if not found:
            raise ValueError(f"`{part.strip()}` is no channel number or range")
        first = int(found[1])
        last = int(found[2] or first)
        if not 1 <= first <= last <= HIGHEST_CHANNEL:
            raise ValueError(f"`{part.strip()}` is not within 1-{HIGHEST_CHANNEL} or runs backwards")
        numbers.extend(range(first, last + 1))
    return tuple(numbers)


def channel_text(numbers: list[int]) -> str:
    """The shortest way to write these rising numbers: "1-24,26"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(f"{first}-{last}" if last > first else str(first) for first, last in runs)
