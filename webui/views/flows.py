"""The flows of calls: what is live, versions drawn as graphs, their places; drafts edited as text, published, taken back.

Publishing tells the call agent, which walks new calls on it; calls that run finish on the edition they began with.
"""

from datetime import datetime

from flask import Blueprint, render_template, request
from werkzeug.exceptions import NotFound

from appliance.ivr import publishing
from appliance.ivr.reading import built_in_texts
from appliance.store.flow_tables import FlowEdition, FlowVersion
from webui import flow_words
from webui.rights import Right, needs

EDITIONS_SHOWN = 20

blueprint = Blueprint("flows", __name__)


@blueprint.get("/flows")
@needs(Right.SEE_FLOWS)
def show() -> str:
    live = publishing.live_versions()
    flows, _ = publishing.build(publishing.texts_of_edition(publishing.newest_edition()) or {}, 0)
    drafts = {row.flow: row for row in FlowVersion.select().where(FlowVersion.state == publishing.DRAFT)}
    rows = {(row.flow, row.version): row for row in FlowVersion.select().where(FlowVersion.state == publishing.PUBLISHED)}
    names = publishing.flow_names()
    titles = {name: flow.title.get(flow_words.reader(), "") for name, flow in flows.flows.items()}
    return render_template("flows.html", names=names, live=live, rows=rows, drafts=drafts, titles=titles, editions=_editions())


def _editions() -> list[tuple[int, datetime | None, str, str]]:
    """Number, when, by whom, note; the newest first, the program's own last; empty when nothing was ever published."""
    rows = FlowEdition.select().order_by(FlowEdition.number.desc()).limit(EDITIONS_SHOWN)
    told = [(row.number, row.published_at, row.published_by, row.note) for row in rows]
    return [*told, (0, None, "", "")] if told else []


@blueprint.get("/flows/<flow>")
@needs(Right.SEE_FLOWS)
def one(flow: str) -> str:
    """The version that is live; of a flow that never was, the newest."""
    rows = publishing.versions(flow)
    live = publishing.live_versions().get(flow)
    if live is None and not rows:
        raise NotFound
    return _version(flow, live if live is not None else rows[0].version)


@blueprint.get("/flows/<flow>/<int:version>")
@needs(Right.SEE_FLOWS)
def version(flow: str, version: int) -> str:
    return _version(flow, version)


def _version(name: str, version: int) -> str:
    shown = flow_words.open_version(name, version)
    drawing = flow_words.drawing(shown.flow) if shown.flow else None
    rows = publishing.versions(name)
    lists = {
        "versions": rows,
        "is_own": name in built_in_texts(),
        "live": publishing.live_versions().get(name),
        "has_draft": any(row.state == publishing.DRAFT for row in rows),
    }
    return render_template("flow.html", shown=shown, drawing=drawing, places=flow_words.places(shown.flow), **lists)


@blueprint.get("/flows/<flow>/<int:version>/place")
@needs(Right.SEE_FLOWS)
def place(flow: str, version: int) -> str:
    shown, wanted = flow_words.open_version(flow, version), request.args.get("name", "")
    if shown.flow is None or wanted not in shown.flow.places:
        raise NotFound
    node = shown.flow.places[wanted]
    told = {
        "texts": flow_words.texts(node),
        "exits": flow_words.exits(shown.flow, wanted),
        "reached": flow_words.reached_from(shown.flows, shown.flow, wanted),
        "entries": [name for name, to in shown.flow.entries.items() if to == wanted],
        "settings": flow_words.settings(node),
        "cases": flow_words.cases(node),
        "faults": [fault for fault in shown.faults if fault.place == wanted and fault.flow == flow],
    }
    title = node.title.get(flow_words.reader()) or wanted
    return render_template("flow_place.html", shown=shown, name=wanted, node=node, title=title, kind=flow_words.kind_of(node), **told)
