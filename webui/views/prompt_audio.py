"""Audios of a prompt: heard as on the telephone, uploaded, cut and levelled, spoken by the box's own voice, recorded by telephone.

Each makes a version that no caller hears until it is put in use.
"""

import contextlib
import uuid
from array import array
from pathlib import Path

from flask import Blueprint, Response, flash, render_template, request
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from appliance.control.client import MUSIC_LIMIT_S, ControlClient
from appliance.control.messages import ReadPromptUpload
from appliance.ivr.prompts import kept, orders, shape, versions, wav
from appliance.ivr.prompts.catalogue import Lang, PromptError
from appliance.store.models import database
from appliance.store.transaction import write_transaction
from appliance.voice.state import state_of
from drivers.errors import CarelineError
from webui import flow_prompts, prompt_shelf, sound
from webui.page import meaning, remedy
from webui.rights import Right, needs
from webui.shared import me, say, shared
from webui.views.music import KINDS, UPLOAD_BYTES_MOST
from webui.views.prompts import back, language_of, page

MS_DIGITS_MOST = 7

blueprint = Blueprint("prompt_audio", __name__)


@blueprint.url_value_preprocessor
def _allow(endpoint: str | None, _: object) -> None:
    """A recording is larger than any other form."""
    if endpoint == "prompt_audio.upload":
        request.max_content_length = UPLOAD_BYTES_MOST


# --- heard -------------------------------------------------------------------------------------------------------------


@blueprint.get("/prompts/<prompt>/<lang>/<int:number>/sound.wav")
@needs(Right.SEE_FLOWS)
def play(prompt: str, lang: str, number: int) -> Response:
    """As it sounds on the telephone: 8 kHz A-law."""
    return sound.heard(_file(prompt, language_of(prompt, lang), number))


@blueprint.get("/prompts/<prompt>/<lang>/<int:number>/outline.json")
@needs(Right.SEE_FLOWS)
def outline(prompt: str, lang: str, number: int) -> Response:
    return sound.outline_of(_file(prompt, language_of(prompt, lang), number))


def _file(prompt: str, lang: Lang, number: int) -> Path:
    """Aborts with 404 when there is no such version."""
    try:
        if number == versions.PACKAGED:
            return flow_prompts.packaged().path(prompt, lang)
        return shared().data_dir / versions.version(prompt, lang, number).path
    except CarelineError as error:
        raise NotFound from error


# --- made --------------------------------------------------------------------------------------------------------------


@blueprint.post("/prompts/<prompt>/<lang>/upload")
@needs(Right.EDIT_PROMPTS)
def upload(prompt: str, lang: str) -> AnyResponse:
    known, given = language_of(prompt, lang), request.files.get("file")
    kind = KINDS.get(Path(given.filename or "").suffix.lower()) if given else None
    if given is None or kind is None:
        return _wrong(prompt, f"{lang}.upload", say("prompts.no_file"))
    try:
        alaw = _uploaded(given, kind, level="level" in request.form)
        return _keep(prompt, known, alaw, versions.UPLOAD, Path(given.filename or "").name)
    except CarelineError as error:
        return _wrong(prompt, f"{lang}.upload", _words(error))


def _uploaded(given: FileStorage, kind: str, *, level: bool) -> bytes:
    """A-law of a file from anywhere; the call agent has it read within limits. Raises: CarelineError."""
    target = shared().data_dir / kept.FOLDER / kept.INCOMING / uuid.uuid4().hex
    samples = target.with_suffix(".pcm")
    try:
        _save(given, target)
        with ControlClient(shared().config.paths.control_socket) as client:
            client.request(ReadPromptUpload(upload=target.name, kind=kind), MUSIC_LIMIT_S)
        pcm = array("h", samples.read_bytes())
    except OSError as error:
        raise PromptError("APP-194", f"the upload cannot be kept ({error.strerror})", "Free space on the data disk") from error
    finally:
        given.close()
        for path in (target, samples):
            with contextlib.suppress(OSError):
                path.unlink()
    if not shape.SHORTEST_MS <= len(pcm) // shape.SAMPLES_PER_MS <= shape.LONGEST_MS:
        raise PromptError("APP-195", f"the file has {len(pcm) // shape.RATE_HZ} s", f"Allowed are {shape.LONGEST_MS // 1000} s at most")
    return shape.levelled(pcm) if level else shape.encode(pcm)


def _save(given: FileStorage, target: Path) -> None:
    """For the call agent to read. Raises: OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    given.save(target)
    target.chmod(0o660)


@blueprint.post("/prompts/<prompt>/<lang>/<int:number>/shape")
@needs(Right.EDIT_PROMPTS)
def shape_it(prompt: str, lang: str, number: int) -> AnyResponse:
    """Cut it, level it, or both, as a new version."""
    known = language_of(prompt, lang)
    path = _file(prompt, known, number)
    start_ms, end_ms = (_ms(request.form.get(name, "")) for name in ("start", "end"))
    if start_ms is None or end_ms is None:
        return _wrong(prompt, f"{lang}.shape", say("prompts.no_times"))
    try:
        before = wav.unwrap(path)
        alaw = shape.cut(before, start_ms, end_ms, level="level" in request.form)
        row = prompt_shelf.sheet(prompt, known, number, shared().clock.now())
        said = row.text_of(number) or row.text
        return _keep(prompt, known, alaw, versions.EDIT, "", text=said, made_from=number, before=shape.loudness(before).lufs)
    except CarelineError as error:
        return _wrong(prompt, f"{lang}.shape", _words(error))


def _ms(seconds: str) -> int | None:
    """ "1.25" as 1250; None for what is no such time."""
    whole, _, part = seconds.strip().partition(".")
    digits = whole + part[:3].ljust(3, "0")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= MS_DIGITS_MOST else None


def _keep(
    prompt: str,
    lang: Lang,
    alaw: bytes,
    source: str,
    note: str,
    *,
    text: str | None = None,
    made_from: int | None = None,
    before: float | None = None,
) -> AnyResponse:
    """As a version of what the prompt is to say now, or of `text`. Raises: CarelineError."""
    now = shared().clock.now()
    with kept.keeping(shared().data_dir, prompt, lang, alaw) as audio, write_transaction(database):
        said = prompt_shelf.sheet(prompt, lang, None, now).text if text is None else text
        number = versions.add(prompt, lang, audio, said, source, me().name, now, note=note, made_from=made_from)
    was = "–" if before is None else f"{before:.1f}"
    after = "–" if audio.loudness_lufs is None else f"{audio.loudness_lufs:.1f}"
    flash(say("prompts.shaped", number=number, before=was, after=after) if made_from is not None else say("prompts.added", number=number))
    return back(prompt, **{lang: number})


# --- asked for ---------------------------------------------------------------------------------------------------------


@blueprint.post("/prompts/<prompt>/<lang>/speak")
@needs(Right.EDIT_PROMPTS)
def speak(prompt: str, lang: str) -> AnyResponse:
    """The box's own voice says the text; the page tells when it has."""
    known, now = language_of(prompt, lang), shared().clock.now()
    with write_transaction(database):
        orders.speak(prompt, known, prompt_shelf.sheet(prompt, known, None, now).text, me(), now)
    return back(prompt)


@blueprint.post("/prompts/<prompt>/<lang>/record")
@needs(Right.EDIT_PROMPTS)
def record(prompt: str, lang: str) -> AnyResponse:
    """A code, for whoever calls in and reads the text."""
    known, now = language_of(prompt, lang), shared().clock.now()
    with write_transaction(database):
        order = orders.record(prompt, known, prompt_shelf.sheet(prompt, known, None, now).text, me(), now)
    if order is None:
        return _wrong(prompt, f"{lang}.record", say("prompts.too_many_codes"))
    return back(prompt)


@blueprint.post("/prompts/<prompt>/<lang>/take-back")
@needs(Right.EDIT_PROMPTS)
def take_back(prompt: str, lang: str) -> AnyResponse:
    with write_transaction(database):
        orders.take_back(prompt, language_of(prompt, lang))
    return back(prompt)


@blueprint.get("/prompts/<prompt>/<lang>/order")
@needs(Right.SEE_FLOWS)
def order(prompt: str, lang: str) -> str:
    """What became of what was asked for, and the versions there are now: again and again while something is waited for."""
    sheet = prompt_shelf.sheet(prompt, language_of(prompt, lang), request.args.get("shown", type=int), shared().clock.now())
    values = {"studio": prompt_shelf.studio_keys(), "voice": state_of(shared().data_dir)}
    return render_template("parts/prompt_order.html", prompt=prompt, sheet=sheet, swap=True, **values)


def _wrong(prompt: str, field: str, words: str) -> AnyResponse:
    flash(say("prompts.not_done"), "danger")
    return Response(page(prompt, {field: words}), 422)


def _words(error: CarelineError) -> str:
    return f"{meaning(error.code, error.what)} ({error.code}). {remedy(error.code, error.remedy)}"
