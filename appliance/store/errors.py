"""Faults of the store."""

from drivers.errors import CarelineError


class StoreError(CarelineError):
    """The database cannot be opened, read or written."""
