"""What stands before every view: who is asking, may they, did the request come from our own page; and the headers on every answer.

Deny by default: a view that does not say who may see it keeps the application from starting.
"""

import secrets
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, redirect, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.store.models import Account, database
from webui.errors import WebError
from webui.rights import Access, Right, access_of, anyone, may
from webui.shared import shared
from webui.wording import DEFAULT_LANGUAGE, LANGUAGES, language_for

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
WITHOUT_ACCOUNTS = (
    *("setup.first", "setup.make_first", "setup_restore.show", "setup_restore.check_code", "setup_restore.take"),
    *("account.choose_language", "start.alive", "start.favicon"),
)
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "media-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
}


def install(app: Flask) -> None:
    """Put the guard before and the headers behind every view of `app`."""
    anyone(app.view_functions["static"])
    app.before_request(_guard)
    app.teardown_request(_close_store)
    app.after_request(_set_headers)


def check_views(app: Flask) -> None:
    """Raises: WebError when a view does not say who may see it."""
    for endpoint, view in app.view_functions.items():
        if access_of(view) is None:
            raise WebError("WEB-009", f"the view {endpoint} does not say who may see it", "Decorate it with a right")


def csrf_token() -> str:
    """The token of this session, for forms and htmx."""
    token: str = session.setdefault("csrf", secrets.token_urlsafe(24))
    return token


def start_session(account: Account) -> None:
    """A fresh session, so that nothing planted before the log-in lives on but the language that was chosen there."""
    chosen = language_for(session.get("language"))
    session.clear()
    if chosen:
        session["language"] = chosen
    session.permanent = True
    session["account"] = account.id
    session["key"] = account.session_key


def _guard() -> AnyResponse | None:
    g.account = None
    g.language = _asked_language(None)
    if request.endpoint == "static":
        return None
    database.connect(reuse_if_open=True)
    g.account = _account_of_session()
    g.language = _asked_language(g.account)
    if request.endpoint is None:
        return None  # the page of what is not there
    _check_origin()
    return _entrance(_access_here())


def _entrance(access: Access | Right) -> AnyResponse | None:
    """None: go on to the view."""
    if not _has_accounts() and request.endpoint not in WITHOUT_ACCOUNTS:
        return _send_to("setup.first")
    if access is Access.ANYONE:
        return None
    if g.account is None:
        return _send_to("account.sign_in", next=_wanted_page())
    if isinstance(access, Right) and not may(g.account.role, access):
        abort(403)
    return None


def _access_here() -> Access | Right:
    access = access_of(current_app.view_functions[request.endpoint or ""])
    if access is None:
        abort(403)
    return access


def _account_of_session() -> Account | None:
    """The account, while its key is still the one this session was given."""
    number = session.get("account")
    account = Account.get_or_none(Account.id == number) if isinstance(number, int) else None
    if account is None or account.disabled:
        return None
    return account if secrets.compare_digest(str(session.get("key", "")), account.session_key) else None


def _asked_language(account: Account | None) -> str:
    if account is not None:
        return language_for(session.get("language")) or language_for(account.language) or DEFAULT_LANGUAGE
    cookie = language_for(request.cookies.get("language"))
    return cookie or request.accept_languages.best_match(LANGUAGES) or DEFAULT_LANGUAGE


def _check_origin() -> None:
    """Every change carries the session's token; a web socket, which cannot, must come from a page of this very address."""
    if "websocket" in request.headers.get("Upgrade", "").lower():
        if urlsplit(request.headers.get("Origin", "")).netloc != request.host:
            abort(403)
        return
    if request.method in SAFE_METHODS:
        return
    given = request.headers.get("X-CSRF-Token") or request.form.get("csrf", "")
    if not secrets.compare_digest(given.encode(), csrf_token().encode()):
        abort(400, "csrf")
    if not shared().post_limit.allows(_who_asks()):
        abort(429)


def _who_asks() -> str:
    """Whoever is logged in counts for himself: behind a hospital's proxy all of its staff have one address."""
    return f"account {g.account.id}" if g.account else request.remote_addr or ""


def _has_accounts() -> bool:
    return bool(g.account) or bool(Account.select().exists())


def _wanted_page() -> str | None:
    """Where to go after the log-in; a fragment or a stream is not a page to come back to."""
    if request.method != "GET" or "text/html" not in request.accept_mimetypes.values() or "HX-Request" in request.headers:
        return None
    return request.full_path.rstrip("?")


def _send_to(endpoint: str, **values: Any) -> AnyResponse:
    """To another page: a browser is redirected, htmx is told to, a script gets 401 and a line."""
    target = url_for(endpoint, **values)
    if "HX-Request" in request.headers:
        return Response("", 401, {"HX-Redirect": target})
    if "text/html" in request.accept_mimetypes.values():
        return redirect(target, 303)
    return Response(f"Sign in first: {target}\n", 401, mimetype="text/plain")


def _close_store(_error: BaseException | None) -> None:
    if not database.is_closed():
        database.close()


def _set_headers(response: AnyResponse) -> AnyResponse:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    if shared().config.web.https:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response
