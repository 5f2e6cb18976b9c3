"""Where a link to another switch is, as careline.toml says it. Pure."""

from typing import Literal

import msgspec

Framing = Literal["8N1", "7E1", "7O1", "8E1", "7N1", "8N2", "7E2"]
Flow = Literal["none", "rtscts", "xonxoff"]


class Where(msgspec.Struct, frozen=True, kw_only=True):
    """Exactly one of `device` (a path), `listen`, `connect` (host:port) is set."""

    device: str = ""
    baud: int = 9600
    framing: Framing = "8N1"
    flow: Flow = "none"
    listen: str = ""
    connect: str = ""

    def __str__(self) -> str:
        return self.device or self.listen or self.connect


def address_of(text: str) -> tuple[str, int] | None:
    """host:port; None for what is none."""
    host, colon, port = text.rpartition(":")
    good = bool(colon and host) and port.isascii() and port.isdigit() and 0 < int(port) <= 65535
    return (host.strip("[]"), int(port)) if good else None
