"""Port 80: sends browsers to the same page by https, and does nothing else.

One thread that accepts, and one for each browser, few at a time.
"""

import http.server
import re
import socket
import threading
from http import HTTPStatus
from typing import Any

AT_ONCE = 16
SLOW_CLIENT_S = 5
HOST = re.compile(r"([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:\d{1,5})?")


class _Redirect(http.server.BaseHTTPRequestHandler):
    """Whatever is asked for is elsewhere."""

    timeout = SLOW_CLIENT_S
    server_version, sys_version = "Careline", ""

    def _send_on(self) -> None:
        """308 keeps the method. Source: RFC 9110, 15.4.9."""
        path = self.path if self.path.startswith("/") else "/"
        self.send_response(HTTPStatus.PERMANENT_REDIRECT)
        self.send_header("Location", f"https://{self._host()}{path}")
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _send_on  # noqa: N815  # names that http.server looks for

    def _host(self) -> str:
        """As the browser called us, or our address that it reached."""
        named = HOST.fullmatch(self.headers.get("Host", ""))
        if named:
            return named[1]
        address = str(self.connection.getsockname()[0]).removeprefix("::ffff:")
        return f"[{address}]" if ":" in address else address

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: nobody wants to read these."""


class Redirector:
    """Serves on a listening socket until the process ends."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._free = threading.BoundedSemaphore(AT_ONCE)

    def start(self) -> None:
        threading.Thread(target=self._accept, name="redirect", daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                browser, _ = self._listener.accept()
            except OSError:
                return
            if self._free.acquire(timeout=SLOW_CLIENT_S):
                threading.Thread(target=self._answer, args=(browser,), daemon=True).start()
            else:
                browser.close()

    def _answer(self, browser: socket.socket) -> None:
        try:
            browser.settimeout(SLOW_CLIENT_S)
            _Redirect(browser, browser.getpeername(), None)  # type: ignore[arg-type]  # it does not look at its server
        except OSError:
            return
        finally:
            browser.close()
            self._free.release()
