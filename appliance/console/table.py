"""Tables of text for a terminal of so many columns, Chinese or English. Pure."""

from collections.abc import Sequence

from appliance.console.width import columns_of, padded, printable, wrapped

GAP = "  "
LEAST_COLUMNS = 4


def table(heads: Sequence[str], rows: Sequence[Sequence[object]], columns: int) -> list[str]:
    """Head, a line, and the rows. Numbers stand at the right. What is too wide is cut, the widest column first."""
    cells = [[printable(str(cell)) for cell in row] for row in rows]
    widths = _widths([list(heads), *cells], columns)
    right = [bool(rows) and all(isinstance(row[at], int | float) for row in rows) for at in range(len(heads))]
    lines = [_line(heads, widths, right), "-" * min(columns - 1, sum(widths) + len(GAP) * (len(widths) - 1))]
    return lines + [_line(row, widths, right) for row in cells]


def facts(pairs: Sequence[tuple[str, object]], columns: int) -> list[str]:
    """A name and its value a line, values below each other, long ones wrapped."""
    name_columns = min(max((columns_of(name) for name, _ in pairs), default=0), columns // 2)
    room = max(columns - 1 - name_columns - len(GAP), 10)
    lines = []
    for name, value in pairs:
        for at, part in enumerate(wrapped(printable(str(value)), room)):
            lines.append((padded("" if at else name, name_columns) + GAP + part).rstrip())
    return lines


def _widths(rows: list[list[str]], columns: int) -> list[int]:
    """One column less than the terminal has: in its last one, many terminals wrap by themselves."""
    widths = [max(map(columns_of, column)) for column in zip(*rows, strict=True)]
    room = columns - 1 - len(GAP) * (len(widths) - 1)
    while sum(widths) > room and max(widths) > LEAST_COLUMNS:
        widest = widths.index(max(widths))
        widths[widest] -= min(widths[widest] - LEAST_COLUMNS, sum(widths) - room, 4)
    return widths


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    parts = (padded(cell, width, right=at_right) for cell, width, at_right in zip(cells, widths, right, strict=True))
    return GAP.join(parts).rstrip()
