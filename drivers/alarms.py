"""Alarms of one channel: its span's, and its own. Pure."""

REMOVED, NOT_OPEN = ("removed",), ("notopen",)


class Alarms:
    """In the kernel's words (red, yellow, blue …), or "removed", "notopen"."""

    def __init__(self, own: tuple[str, ...]) -> None:
        self._span: tuple[str, ...] = ()
        self._own = own

    @property
    def all(self) -> tuple[str, ...]:
        """Each once."""
        return tuple(dict.fromkeys((*self._span, *self._own)))

    @property
    def is_gone(self) -> bool:
        """Its card was pulled, or it could not be opened."""
        return self._own in (REMOVED, NOT_OPEN)

    def change(self, span: tuple[str, ...] | None = None, own: tuple[str, ...] | None = None) -> bool:
        """Take what is given; True when that makes a difference."""
        before = self.all
        self._span = self._span if span is None else span
        self._own = self._own if own is None else own
        return self.all != before
