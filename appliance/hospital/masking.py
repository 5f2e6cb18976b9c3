"""What is shown of a number to whoever may not see the whole. Pure."""


def mask(number: str, head: int = 2, tail: int = 4) -> str:
    """ "6001000014" is "60****0014"; of a short number only the last two are left."""
    if len(number) <= head + tail:
        return "*" * max(0, len(number) - 2) + number[-2:]
    return f"{number[:head]}****{number[-tail:]}"


def card(number: str, *, masked: bool) -> str:
    return mask(number) if masked else number


def phone(number: str, *, masked: bool) -> str:
    """ "138****8000"."""
    return mask(number, 3) if masked else number


def identity_number(number: str | None, *, masked: bool) -> str:
    return mask(number or "", 3) if masked else number or ""
