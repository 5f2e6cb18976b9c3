"""Whether the box is well enough to keep the version that was started: the lines, the store, a call to itself, the pages. Read only.

Each function says what is wrong, or None. Every wait has a limit. Used by `proof`.
"""

import http.client
import ssl

from appliance.config import Config
from appliance.control.client import ControlClient
from appliance.control.messages import Grade, RunSelfCall, SelfCallEnd
from appliance.system.client import SystemClient
from drivers.errors import CarelineError

CALL_LIMIT_MS = 15_000
WEB_LIMIT_S = 5.0
LINES, CARD = "line_server", "card"
WEB_PORT = 8080  # as webui.settings has it
TOLERATED = frozenset({"disk", "left_behind", "ledger"})
"""Checks that say nothing about the program that runs."""


def call_agent(config: Config, failed_before: tuple[str, ...]) -> str | None:
    """Every check of the call agent, but what was not well before."""
    try:
        with ControlClient(config.paths.control_socket, "proof") as client:
            checks = client.ask_health().health.checks
    except CarelineError as error:
        return f"the call agent does not answer ({error.what})"
    excused = {*failed_before, *TOLERATED, *({CARD} if LINES in failed_before else ())}  # without a card, older versions had no line server
    bad = [f"{check.name}: {check.code} {check.detail}" for check in checks if check.grade is Grade.FAILED and check.name not in excused]
    if not any(check.name == LINES for check in checks):
        return "the call agent has not looked at the lines yet"
    return "; ".join(bad) or None


def own_call(config: Config) -> str | None:
    """A call to itself is answered and heard; lines that are all busy with callers prove as much."""
    try:
        with ControlClient(config.paths.control_socket, "proof") as client:
            told = client.run_self_call(RunSelfCall(limit_ms=CALL_LIMIT_MS, by="update"))
    except CarelineError as error:
        return f"the box could not call itself ({error.code}: {error.what})"
    if told.end in (SelfCallEnd.HEARD, SelfCallEnd.SKIPPED):
        return None
    return f"the call of the box to itself ended as {told.end.value} {told.detail}".strip()


def pages(config: Config) -> str | None:
    web = config.web
    host, port = str(web.get("host", "0.0.0.0")), int(web.get("port", WEB_PORT))
    where = "127.0.0.1" if host in ("0.0.0.0", "") else "::1" if host == "::" else host
    try:
        connection = _connection(where, port, bool(web.get("tls_certificate")))
        connection.request("GET", "/alive")
        status = connection.getresponse().status
        connection.close()
    except (OSError, http.client.HTTPException) as error:
        return f"the pages do not answer on port {port} ({error})"
    return None if status == http.HTTPStatus.OK else f"the pages answer with status {status}"


def _connection(host: str, port: int, tls: bool) -> http.client.HTTPConnection:
    """The certificate is the box's own, and this is the box."""
    if not tls:
        return http.client.HTTPConnection(host, port, timeout=WEB_LIMIT_S)
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(host, port, timeout=WEB_LIMIT_S, context=trusting)


def box_service(config: Config) -> str | None:
    try:
        SystemClient(config.paths.system_socket, "proof").close()
    except CarelineError as error:
        return f"the box service does not answer ({error.what})"
    return None


def all_of(config: Config, failed_before: tuple[str, ...]) -> str | None:
    """The first that is wrong; the call last, for it takes longest. Without a line server before there is none to be had."""
    wrong = call_agent(config, failed_before) or pages(config) or box_service(config)
    return wrong or (None if LINES in failed_before else own_call(config))
