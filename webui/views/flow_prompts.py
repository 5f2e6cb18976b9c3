"""Prompts as flows use them: a list to search, where each is used, how it sounds. Nothing is changed here."""

from flask import Blueprint, Response, abort, render_template, request

from appliance.ivr.prompts.catalogue import LANGS
from webui import flow_prompts, sound
from webui.rights import Right, needs
from webui.shared import shared

SEARCH_MOST = 60

blueprint = Blueprint("flow_prompts", __name__)


@blueprint.get("/flow-prompts")
@needs(Right.SEE_FLOWS)
def show() -> str:
    """Those that are found, and how many places say each."""
    wanted = request.args.get("q", "")[:SEARCH_MOST]
    used = flow_prompts.uses()
    prompts = flow_prompts.here()
    found = prompts.find(wanted) if wanted.strip() else [(prompt, prompts.texts(prompt)) for prompt in sorted(used)]
    return render_template("flow_prompts.html", wanted=wanted, found=found, used=used)


@blueprint.get("/flow-prompts/<prompt>")
@needs(Right.SEE_FLOWS)
def one(prompt: str) -> str:
    prompts = flow_prompts.here()
    if not prompts.is_known(prompt):
        abort(404)
    silent = [lang for lang in LANGS if prompt not in prompts.ids(lang)]
    used = flow_prompts.uses().get(prompt, [])
    return render_template("flow_prompt.html", prompt=prompt, texts=prompts.texts(prompt), silent=silent, used=used)


@blueprint.get("/flow-prompts/<prompt>/<lang>.wav")
@needs(Right.SEE_FLOWS)
def sound_file(prompt: str, lang: str) -> Response:
    if not flow_prompts.here().is_known(prompt):
        abort(404)
    path = next((flow_prompts.sound_of(shared().data_dir, prompt, one) for one in LANGS if one == lang), None)
    return sound.heard(path) if path else abort(404)
