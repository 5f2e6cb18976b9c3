"""What templates can say: texts, times in the hospital's zone, durations, rights, addresses of files. Pure but for the request."""

import json
from datetime import datetime
from typing import Any

from flask import Flask, g, request, url_for
from markupsafe import Markup

from drivers.protocol import Cause
from webui.fields import yuan
from webui.flow_words import head, place_words
from webui.guard import csrf_token
from webui.retelling import known_as, retell
from webui.rights import Right
from webui.shared import i_may, language, say, shared

SCRIPT_TEXTS = "js."


def install(app: Flask) -> None:
    app.jinja_env.globals.update(
        t=say,
        t_or=say_or,
        may=lambda right: i_may(Right(right)),
        csrf=csrf_token,
        meaning=meaning,
        remedy=remedy,
        remedy_here=remedy_here,
        asset=asset,
        script_texts=script_texts,
        query_with=query_with,
        named=named,
    )
    app.jinja_env.filters.update(
        time=local_time,
        clock=local_clock,
        iso=iso,
        lasting=length,
        bytes=size,
        cause=cause,
        number=number,
        place=place,
        yuan=yuan,
        minute=minute,
        head=head,
        told=told,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.context_processor(_surroundings)


def _surroundings() -> dict[str, Any]:
    names = shared().hospital_name
    return {
        "account": g.get("account"),
        "language": g.get("language", "zh"),
        "hospital_name": names[g.get("language", "zh")] or names["zh"],
        "handset_there": shared().config.paths.handset_socket.exists(),
        "now": shared().clock.now(),
    }


def say_or(key: str, otherwise: str) -> str:
    """The text of a key made from a value that may be newer than the texts."""
    return say(key) if shared().wording.has(key) else otherwise


def meaning(code: str, what: str) -> str:
    """What a fault's code means in the reader's language; its own words when the texts do not know it."""
    return say_or(f"code.{code}", what)


def remedy(code: str, otherwise: str) -> str:
    """What to do about a fault, likewise."""
    return say_or(f"remedy.{code}", otherwise)


def told(sentence: str) -> str:
    """A sentence of another program in the reader's language; its own words when the texts do not know it."""
    return retell(shared().wording, language(), sentence)


def remedy_here(code: str, otherwise: str) -> str:
    """What to do about this one fault, if the texts know its own words; what is to be done about all of its code if not."""
    return otherwise if language() == "en" and otherwise else known_as(shared().wording, language(), otherwise) or remedy(code, otherwise)


def asset(name: str) -> str:
    return url_for("static", filename=name, v=shared().files_version)


def script_texts() -> Markup:
    """The texts that scripts show, as JSON that cannot end its script element."""
    wording = shared().wording
    texts = {key.removeprefix(SCRIPT_TEXTS): wording.say(language(), key) for key in sorted(wording.keys) if key.startswith(SCRIPT_TEXTS)}
    return as_json(texts)


def as_json(value: object) -> Markup:
    return Markup(json.dumps(value, ensure_ascii=False).replace("<", "\\u003c").replace("&", "\\u0026"))


def query_with(**changed: object) -> str:
    """The address of this page with some of its questions changed; None takes one away."""
    asked: dict[str, Any] = {**request.args.to_dict(), **changed}
    return url_for(request.endpoint or "", **{**(request.view_args or {}), **{k: v for k, v in asked.items() if v not in (None, "")}})


def local_time(at: datetime | None) -> str:
    """ "2026-03-08 10:00:05" in the hospital's zone."""
    return "–" if at is None else shared().local(at).strftime("%Y-%m-%d %H:%M:%S")


def minute(at: datetime | None) -> str:
    """ "2026-03-08 10:00" in the hospital's zone."""
    return local_time(at)[:16]


def named(row: object, field: str = "name") -> str:
    """What something is called in the reader's language: its `name_zh` or `name_en`, whichever there is."""
    return str(getattr(row, f"{field}_{language()}") or getattr(row, f"{field}_zh"))


def local_clock(at: datetime | None) -> str:
    return "–" if at is None else shared().local(at).strftime("%H:%M:%S")


def iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


def length(ms: float | None) -> str:
    """ "3:07" or "1:02:09"."""
    if ms is None:
        return "–"
    minutes, seconds = divmod(int(ms / 1000 + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def size(count: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TB"


def cause(value: int | None) -> str:
    """A Q.850 cause in words, with its number."""
    if value is None:
        return "–"
    known = value in Cause.__members__.values()
    return f"{say('cause.' + Cause(value).name.lower())} ({value})" if known else say("cause.other", number=value)


def number(value: str | None) -> str:
    """A telephone number, or that it was not shown."""
    return value or say("call.no_number")


def place(key: str) -> str:
    """Where a caller stands in the flow."""
    return say(f"place.{key}") if shared().wording.has(f"place.{key}") else place_words(key)
