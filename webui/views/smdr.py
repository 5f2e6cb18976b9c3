"""Call records of the legacy switch: the list with its filter, as CSV, and read anew once a table was corrected.

Numbers are whole only for who may see them (unmask), and so are the lines themselves.
"""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.hospital import masking
from appliance.peripherals import wishes
from appliance.store.models import database
from appliance.store.peripheral_tables import PeripheralState, SwitchRecord
from appliance.store.transaction import write_transaction
from webui.page import local_time
from webui.paging import Pages
from webui.rights import Right, needs
from webui.shared import audit, i_may, say, shared
from webui.views.sms import standing

STATES = ("read", "unread", "other", "raw")
COLUMNS = (
    *("source", "ended_at", "trunk", "station", "ring_s", "duration_s", "number"),
    *("units", "kind", "account", "dialled", "state", "line"),
)
ROWS_MOST = 100_000
ROWS_AT_ONCE = 500
FORMULA = ("=", "+", "-", "@", "\t", "\r")

blueprint = Blueprint("smdr", __name__)


@blueprint.get("/switch-records")
@needs(Right.SEE_CALLS)
def show() -> str:
    sources = [row.name.removeprefix("smdr ") for row in PeripheralState.select().where(PeripheralState.name.startswith("smdr "))]
    return render_template(
        "smdr.html",
        pages=Pages.of(_found(), request.args.get("page")),
        asked=request.args,
        states=STATES,
        sources={name: standing(f"smdr {name}") for name in sorted(sources)},
        whole=i_may(Right.UNMASK),
        phone=_phone,
    )


def _phone(number: str) -> str:
    return masking.phone(number, masked=not i_may(Right.UNMASK))


@blueprint.get("/switch-records/export.csv")
@needs(Right.SEE_CALLS)
def export() -> Response:
    query = _found().limit(ROWS_MOST)
    with write_transaction(database):
        audit("records_exported", detail=request.query_string.decode("ascii", "replace")[:200])
    rows = [_cells(row) for row in query.iterator()]
    named = {"Content-Disposition": "attachment; filename=switch-records.csv"}
    return Response(_written(rows), mimetype="text/csv", headers=named)


def _cells(row: SwitchRecord) -> list[str]:
    cells = {name: str(getattr(row, name) if getattr(row, name) is not None else "") for name in COLUMNS}
    cells["ended_at"] = local_time(row.ended_at) if row.ended_at else ""
    cells["number"] = _phone(row.number)
    if not i_may(Right.UNMASK):
        cells["line"] = ""
    return [f"'{text}" if text.startswith(FORMULA) else text for text in cells.values()]


def _written(rows: list[list[str]]) -> Iterator[bytes]:
    """A piece at a time. A spreadsheet would take what begins with = for a formula, so a sign stands before it."""
    yield "\ufeff".encode()
    for begin in range(0, max(1, len(rows)), ROWS_AT_ONCE):
        text = io.StringIO()
        lines = csv.writer(text)
        if not begin:
            lines.writerow(COLUMNS)
        lines.writerows(rows[begin : begin + ROWS_AT_ONCE])
        yield text.getvalue().encode("utf-8", "replace")


@blueprint.post("/switch-records/read-anew")
@needs(Right.MANAGE_PERIPHERALS)
def read_anew() -> AnyResponse:
    source = request.form.get("source", "").replace("\0", "")[:32]
    with write_transaction(database):
        count = wishes.read_anew(source)
        if count:
            audit("records_read_anew", source)
    flash(say("smdr.read_anew_begun", count=count), "message" if count else "danger")
    return redirect(url_for("smdr.show"), 303)


def _found() -> Any:
    """The records that match the questions of the form, the last one first."""
    args = request.args
    query = SwitchRecord.select().order_by(SwitchRecord.id.desc())
    for column, name in ((SwitchRecord.station, "station"), (SwitchRecord.number, "number")):
        digits = "".join(letter for letter in args.get(name, "") if letter.isalnum() or letter in "*#")
        if digits:
            query = query.where(column.contains(digits))
    for name in ("source", "state"):
        if wanted := args.get(name, ""):
            query = query.where(getattr(SwitchRecord, name) == wanted.replace("\0", ""))
    if since := _moment(args.get("since", "")):
        query = query.where(SwitchRecord.received_at >= since)
    if until := _moment(args.get("until", "")):
        query = query.where(SwitchRecord.received_at < until)
    return query if args.get("doubles") else query.where(SwitchRecord.double_of.is_null())


def _moment(typed: str) -> datetime | None:
    """A date and time of the hospital's zone as the browser's own field gives it; None for nothing usable."""
    try:
        return datetime.fromisoformat(typed).replace(tzinfo=shared().zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
