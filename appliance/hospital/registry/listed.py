"""Of what callers may ask by number there is anything. Inside the caller's transaction."""

from appliance.store import statements

_LISTED = "SELECT EXISTS (SELECT 1 FROM doctor WHERE listed), EXISTS (SELECT 1 FROM drug WHERE listed)"
_KINDS = ("doctors", "drugs")


def listed_kinds() -> set[str]:
    """Of "doctors" and "drugs" those of which at least one may be asked for."""
    return {kind for kind, there in zip(_KINDS, statements.run(_LISTED).fetchone(), strict=True) if there}
