"""A version of a flow walked on paper, with a keypad: what would be said, what is known, which exits there are, how much was seen.

The walk is in the address: its entry, language and answers. No call is made and nothing is changed.
"""

from typing import cast

from flask import Blueprint, abort, current_app, render_template, request, session
from flask.sansio.blueprints import BlueprintSetupState
from werkzeug.exceptions import NotFound

from appliance.ivr.flow import split
from appliance.ivr.nodes import AskDigits, Keyed
from appliance.ivr.prompts.catalogue import LANGS, Lang
from appliance.ivr.simulation import Coverage, Surroundings, Walk, coverage, simulate
from webui import flow_prompts, flow_words
from webui.flow_walks import Taken, WalksTaken, given_before, samples
from webui.flow_words import Shown
from webui.rights import Right, needs
from webui.shared import shared

ANSWERS_MOST, ANSWER_LONGEST, STOPS_SHOWN = 100, 40, 200
KEYS = "123456789*0#"

blueprint = Blueprint("flow_walk", __name__)


@blueprint.record
def _install(state: BlueprintSetupState) -> None:
    """Each application keeps its own walks."""
    state.app.extensions["walks"] = WalksTaken()


def _walks() -> WalksTaken:
    return cast(WalksTaken, current_app.extensions["walks"])


@blueprint.get("/flows/<flow>/<int:version>/walk")
@needs(Right.SEE_FLOWS)
def show(flow: str, version: int) -> str:
    shown = flow_words.open_version(flow, version)
    if shown.flow is None or shown.faults:
        return render_template("flow_walk.html", shown=shown, walk=None)
    taken = _asked(shown)
    walk = _walked(shown, taken)
    seen = [_walked(shown, one) for one in _walks().add((str(session["key"]), flow, version, shown.row.saved if shown.row else 0), taken)]
    last = walk.stops[-1]
    node = shown.flows.at(last.place)[1]
    secret = "1" * node.min + "#" if isinstance(node, AskDigits) and node.secret else ""  # nobody is to type a real one here
    keypad = {"keys": KEYS if isinstance(node, Keyed) else "", "types": isinstance(node, AskDigits), "secret": secret}
    ever = _coverage(shown, seen)
    figures = {"now": _coverage(shown, [walk]), "ever": ever, "walks": len(seen), "full": len(taken[2]) >= ANSWERS_MOST}
    drawn = {"drawing": flow_words.drawing(shown.flow), "places": flow_words.places(shown.flow), "unseen": _unseen(ever)}
    stops = walk.stops[-STOPS_SHOWN:]
    return render_template("flow_walk.html", shown=shown, walk=walk, stops=stops, taken=taken, last=last, **keypad, **figures, **drawn)


def _unseen(ever: Coverage) -> tuple[set[str], dict[str, list[str]]]:
    """Places of this flow, and exits by place, that no walk has come by."""
    exits: dict[str, list[str]] = {}
    for place, exit_name in ever.unseen_exits:
        exits.setdefault(split(place)[2], []).append(exit_name)
    return {split(place)[2] for place in ever.unseen_places}, exits


def _asked(shown: Shown) -> Taken:
    """Aborts with 400 for what no page of ours asks."""
    assert shown.flow is not None
    entries = list(shown.flow.entries)
    entry, lang = request.args.get("entry") or (entries[0] if entries else ""), request.args.get("lang") or flow_words.reader()
    answers = tuple(answer.strip() for answer in request.args.getlist("a"))
    if entry not in entries:
        raise NotFound
    if lang not in LANGS or len(answers) > ANSWERS_MOST or any(len(answer) > ANSWER_LONGEST for answer in answers):
        abort(400)
    return entry, lang, answers


def _walked(shown: Shown, taken: Taken) -> Walk:
    assert shown.flow is not None
    today = shared().day()
    known = samples(shown.flows, today)
    around = Surroundings(flow_prompts.here().text, shared().config.hospital.calendar, today, known)
    entry, lang, answers = taken
    return simulate(shown.flows, f"{shown.name}/{entry}", answers, around, cast(Lang, lang), given_before(shown.flow, known))


def _coverage(shown: Shown, walks: list[Walk]) -> Coverage:
    return coverage(shown.flows, walks, [shown.name])
