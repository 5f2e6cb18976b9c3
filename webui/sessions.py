"""Sessions of three kinds that never meet: the staff's, a patient's at home, a kiosk's. Pure but for the request.

Each has a cookie of its own, sent only to its own part of the site and signed for it, so that one is worth nothing as another.
"""

from flask import Flask, request
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer

AREAS = {"/p": "careline_patient", "/kiosk": "careline_kiosk"}


def area_of(path: str) -> str:
    """ "/p", "/kiosk", or empty for the staff's pages."""
    return next((area for area in AREAS if path == area or path.startswith(f"{area}/")), "")


class AreaSessions(SecureCookieSessionInterface):
    """Flask's signed cookies, one for each area."""

    def get_cookie_name(self, app: Flask) -> str:
        return AREAS.get(area_of(request.path)) or super().get_cookie_name(app)

    def get_cookie_path(self, app: Flask) -> str:
        return area_of(request.path) or super().get_cookie_path(app)

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Signed for the area: the key is one, what is derived from it is not."""
        serializer = super().get_signing_serializer(app)
        area = area_of(request.path)
        if serializer is None or not area:
            return serializer
        return URLSafeTimedSerializer(
            app.secret_key or "",
            salt=f"{self.salt} {area}",
            serializer=self.serializer,
            signer_kwargs={"key_derivation": self.key_derivation, "digest_method": self.digest_method},
        )
