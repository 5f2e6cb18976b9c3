"""Whether a value is somebody else's already. Runs inside the caller's transaction."""

from typing import Any

from peewee import Field


def is_taken(field: Field, value: str, row_id: int | None) -> bool:
    """Whether another row than `row_id` (None: any) has `value`."""
    model: Any = field.model
    query = model.select().where(field == value)
    return bool((query if row_id is None else query.where(model.id != row_id)).exists())


def fields_of(entry: Any, *names: str) -> dict[str, Any]:
    """These fields of an entry, by name: the columns they are kept in."""
    return {name: getattr(entry, name) for name in names}
