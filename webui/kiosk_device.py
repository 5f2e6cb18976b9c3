"""Whether the browser at the other end is one of the hospital's kiosks: a signed cookie that only the kiosk's secret of careline.toml
gets. Another secret there, and the device is none any more. In request threads."""

import hashlib
import secrets

from flask import current_app, request
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response

from webui.settings import KioskSettings
from webui.shared import shared

COOKIE = "careline_device"
COOKIE_S = 400 * 24 * 3600  # the most that browsers keep; given anew with every visit of the start page


def of_secret(typed: str) -> KioskSettings | None:
    """The kiosk whose secret that is. Every one is compared, so that the time tells nothing."""
    found = [kiosk for kiosk in shared().config.web.kiosks if secrets.compare_digest(kiosk.secret.encode(), typed.strip().encode())]
    return found[0] if found else None


def this_kiosk() -> KioskSettings | None:
    """Which one asks."""
    try:
        told = _signer().loads(request.cookies.get(COOKIE, ""))
    except BadSignature:
        return None
    return next((kiosk for kiosk in shared().config.web.kiosks if told == _told(kiosk)), None)


def mark(response: Response, kiosk: KioskSettings) -> None:
    """From now on this browser is that kiosk."""
    secure, value = shared().config.web.https, str(_signer().dumps(_told(kiosk)))
    response.set_cookie(COOKIE, value, max_age=COOKIE_S, path="/kiosk", samesite="Strict", httponly=True, secure=secure)


def _told(kiosk: KioskSettings) -> list[str]:
    return [kiosk.name, hashlib.sha256(kiosk.secret.encode()).hexdigest()[:32]]


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or "", salt="kiosk device")
