"""The prompts: all that callers can hear, what each is to say, its versions, which of them is in use, where it is used.

Putting a version in use tells the call agent, whose next playing has it; audios are made in prompt_audio.py.
"""

from itertools import islice
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from appliance.control.client import ControlClient
from appliance.control.messages import UsePrompts
from appliance.hospital.registry.field_fault import Refused
from appliance.ivr import publishing
from appliance.ivr.prompts import fixed, kept, versions
from appliance.ivr.prompts.catalogue import LANGS, Lang
from appliance.store.models import database
from appliance.store.transaction import write_transaction
from appliance.voice.state import state_of
from drivers.errors import CarelineError
from webui import flow_prompts, prompt_shelf
from webui.asking import refused
from webui.fields import faults_of, given
from webui.rights import Right, needs
from webui.shared import me, say, shared

ROWS = 50

blueprint = Blueprint("prompts", __name__)
blueprint.add_app_template_global(prompt_shelf.is_level)
blueprint.add_app_template_global(prompt_shelf.own_ms)
blueprint.add_app_template_global(prompt_shelf.own_lufs)
blueprint.add_app_template_global(prompt_shelf.prompt_subjects)


# --- the list ----------------------------------------------------------------------------------------------------------


@blueprint.get("/prompts")
@needs(Right.SEE_FLOWS)
def show() -> str:
    kind = _one_of("kind", prompt_shelf.KINDS, prompt_shelf.KINDS[0])
    state, lang = _one_of("state", prompt_shelf.STATES, ""), _one_of("lang", LANGS, "")
    uses, flow = flow_prompts.uses(), request.args.get("flow", "")
    shelf = prompt_shelf.Shelf(shared().clock.now())
    wanted = prompt_shelf.matching(request.args.get("q", ""))
    rows = [
        row
        for row in shelf.rows(kind)
        if wanted(row) and _has(row, state, lang) and (not flow or any(use.flow == flow for use in uses.get(row.prompt, ())))
    ]
    page, last = _page_of(len(rows))
    lists = {"rows": list(islice(rows, (page - 1) * ROWS, page * ROWS)), "uses": uses, "flows": publishing.flow_names()}
    return render_template(
        "prompts.html", total=len(rows), page=page, last=last, kind=kind, ready=shelf.ready(), voice=state_of(shared().data_dir), **lists
    )


def _has(row: prompt_shelf.Row, state: str, lang: str) -> bool:
    langs = [each for each in LANGS if lang in ("", each)]
    return not state or any(state in row.states[each] for each in langs)


def _page_of(count: int) -> tuple[int, int]:
    asked = request.args.get("page", "")
    last = max(1, -(-count // ROWS))
    return min(max(1, int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else 1), last), last


def _one_of(name: str, allowed: tuple[str, ...], otherwise: str) -> str:
    asked = request.args.get(name, "")
    return asked if asked in allowed else otherwise


@blueprint.get("/prompts/voice")
@needs(Right.SEE_FLOWS)
def voice() -> str:
    """How the box's own voice is, again and again."""
    return render_template("parts/prompt_voice.html", voice=state_of(shared().data_dir))


@blueprint.post("/prompts/ready")
@needs(Right.PUBLISH_PROMPTS)
def use_ready() -> AnyResponse:
    """All new prompts that have their audio and are not heard yet."""
    now = shared().clock.now()
    with write_transaction(database):
        ready = prompt_shelf.Shelf(now).ready()
        for prompt, lang, number in ready:
            versions.put_in_use(prompt, lang, number, me(), now)
    flash(say("prompts.ready_used", count=len(ready)))
    tell_call_agent()
    return redirect(url_for("prompts.show"), 303)


# --- a new one ---------------------------------------------------------------------------------------------------------


@blueprint.get("/prompts/new")
@needs(Right.EDIT_PROMPTS)
def new() -> str:
    return render_template("prompt_new.html", values={}, wrong={})


@blueprint.post("/prompts/new")
@needs(Right.EDIT_PROMPTS)
def make() -> AnyResponse:
    with write_transaction(database):
        made = versions.new_prompt(given(), flow_prompts.packaged().packaged_ids(), me(), shared().clock.now())
    if isinstance(made, Refused):
        return Response(render_template("prompt_new.html", values=given(), wrong=faults_of(made)), 422)
    flash(say("prompts.made", prompt=made))
    return redirect(url_for("prompts.one", prompt=made), 303)


# --- one ---------------------------------------------------------------------------------------------------------------


@blueprint.get("/prompts/<prompt>")
@needs(Right.SEE_FLOWS)
def one(prompt: str) -> str:
    if not prompt_shelf.exists(prompt):
        raise NotFound
    return page(prompt)


def page(prompt: str, wrong: dict[str, str] | None = None, texts: dict[Lang, str] | None = None) -> str:
    """`wrong`: by language and field ("zh.upload"); `texts`: what was typed and is not saved."""
    asked = {lang: request.args.get(lang, type=int) for lang in LANGS}
    return render_template(
        "prompt.html",
        prompt=prompt,
        sheets=prompt_shelf.sheets(prompt, asked),
        is_own=prompt not in flow_prompts.packaged().packaged_ids(),
        is_piece=fixed.is_piece(prompt, prompt_shelf.texts()),
        uses=flow_prompts.uses().get(prompt, []),
        subjects=prompt_shelf.prompt_subjects(prompt),
        studio=prompt_shelf.studio_keys(),
        voice=state_of(shared().data_dir),
        typed=texts or {},
        wrong=wrong or {},
    )


@blueprint.post("/prompts/<prompt>/<lang>/text")
@needs(Right.EDIT_PROMPTS)
def write(prompt: str, lang: str) -> AnyResponse:
    known = language_of(prompt, lang)
    if fixed.is_piece(prompt, prompt_shelf.texts()):
        abort(400)
    text = request.form.get("text", "")
    with write_transaction(database):
        before = prompt_shelf.sheet(prompt, known, None, shared().clock.now()).text
        written = versions.write_text(prompt, known, text, before, me(), shared().clock.now())
    if isinstance(written, Refused):
        return Response(page(prompt, {f"{lang}.{field}": words for field, words in faults_of(written).items()}, {known: text}), 422)
    flash(say("prompts.written"))
    return back(prompt)


@blueprint.post("/prompts/<prompt>/<lang>/<int:number>/use")
@needs(Right.PUBLISH_PROMPTS)
def use(prompt: str, lang: str, number: int) -> AnyResponse:
    """From the next playing on. 0: the package's own again."""
    known = language_of(prompt, lang)
    if number == versions.PACKAGED and flow_prompts.packaged().packaged_text(prompt, known) is None:
        raise NotFound
    try:
        with write_transaction(database):
            versions.put_in_use(prompt, known, number, me(), shared().clock.now())
    except CarelineError as error:
        raise NotFound from error
    flash(say("prompts.used", number=number) if number else say("prompts.used_own"))
    tell_call_agent()
    return back(prompt)


@blueprint.post("/prompts/<prompt>/<lang>/<int:number>/remove")
@needs(Right.EDIT_PROMPTS)
def remove(prompt: str, lang: str, number: int) -> AnyResponse:
    """A version that was never in use."""
    try:
        with write_transaction(database):
            path = versions.remove(prompt, language_of(prompt, lang), number, me(), shared().clock.now())
    except CarelineError as error:
        raise NotFound from error
    if path is None:
        flash(say("prompts.stays", number=number), "danger")
    else:
        kept.discard(shared().data_dir, path)
        flash(say("prompts.removed", number=number))
    return back(prompt)


def language_of(prompt: str, lang: str) -> Lang:
    """Aborts with 404 for a prompt or a language there is not."""
    known = next((each for each in LANGS if each == lang), None)
    if known is None or not prompt_shelf.exists(prompt):
        abort(404)
    return known


def back(prompt: str, **shown: Any) -> AnyResponse:
    """To the page of the prompt, at these versions (numbers) by language."""
    return redirect(url_for("prompts.one", prompt=prompt, **shown), 303)


def tell_call_agent() -> None:
    """One that is not there takes up what is in use when it starts."""
    try:
        with ControlClient(shared().config.paths.control_socket) as client:
            client.request(UsePrompts(by=me().name))
    except CarelineError as error:
        refused(error)
