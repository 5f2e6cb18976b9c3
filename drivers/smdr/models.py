"""The tables of switches known to us. Pure. Another model, or another set-up of these, is a table in careline.toml.

Sources: service manual Hicom 150 E Office, "Call detail recording, central" (compressed and long form); Hicom 112 and HiPath 1100 system
descriptions. Of Hicom 112's last columns and of HiPath 1100's widths they say nothing: those are read as leniently as can be.
"""

from drivers.smdr.table import Column, Field, Table

HIPATH_1100 = (
    r"(?P<date>\d\d[./]\d\d[./]\d\d)\s+(?P<time>\d\d:\d\d(?::\d\d)?)\s+(?P<trunk>\S+)\s+(?P<station>\S+)\s+(?:\d+\s+)?"
    r"(?P<ring>\d+:\d\d)?\s*(?P<duration>\d\d:\d\d:\d\d)(?:\s+(?P<number>[\d*#?]+))?(?:\s+(?P<kind>[A-Z]))?"
    r"(?:\s+(?P<units>\d+(?:[.,]\d+)?))?(?:\s+(?P<account>\d+))?\s*$"
)


def _columns(*widths: tuple[Field, int], apart: int = 0) -> tuple[Column, ...]:
    columns, first = [], 1
    for field, width in widths:
        columns.append(Column(field=field, first=first, last=first + width - 1))
        first += width + apart
    return tuple(columns)


COMPRESSED = Table(
    name="hicom150_compressed",
    columns=(
        *_columns(("date", 8), ("time", 8), ("trunk", 3), ("station", 6), ("ring", 5)),
        Column(field="duration", first=31, last=38),
        Column(field="number", first=39, last=63),
        Column(field="units", first=64, last=74),
        Column(field="kind", first=75, last=76),
        Column(field="account", first=77, last=87),
        Column(field="dialled", first=88, last=98),
    ),
)
LONG = Table(
    name="hicom150_long",
    columns=_columns(
        *(("date", 8), ("time", 8), ("trunk", 3), ("station", 6), ("ring", 5), ("duration", 8), ("number", 20), ("units", 11), ("kind", 2)),
        apart=1,
    ),
)
HICOM_112 = Table(
    name="hicom112",
    columns=_columns(
        *(("date", 8), ("time", 8), ("trunk", 2), ("station", 5), ("ring", 5), ("duration", 8), ("number", 20), ("units", 12), ("kind", 2)),
        apart=1,
    ),
)
MODELS = {table.name: table for table in (COMPRESSED, LONG, HICOM_112, Table(name="hipath1100", pattern=HIPATH_1100))}
"""By name."""
