"""A long list, a page at a time. Pure but for the query it is given."""

from dataclasses import dataclass
from typing import Any

PAGE_ROWS = 50


@dataclass(frozen=True)
class Pages:
    """One page of a query: `rows`, which page it is (from 1), how many there are, and of how many rows."""

    rows: list[Any]
    page: int
    last: int
    total: int

    @classmethod
    def of(cls, query: Any, asked: str | None, page_rows: int = PAGE_ROWS) -> "Pages":
        """The page asked for; the nearest there is when that does not exist."""
        total = query.count()
        last = max(1, -(-total // page_rows))
        page = min(max(1, int(asked) if asked and asked.isascii() and asked.isdigit() and len(asked) < 9 else 1), last)
        return cls(list(query.paginate(page, page_rows)), page, last, total)
