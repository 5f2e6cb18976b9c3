"""`careline-web`: checks what it needs, takes the port, and serves the application with gunicorn's worker, without its arbiter: a second
process that looks after the first is the service manager's watchdog here, and costs no memory.

Threads: main, which accepts (READY and WATCHDOG while it does), up to `[web] threads` request threads (a live page or a handset keeps one),
and `live`, which follows the call agent; `redirect` where the service manager opened port 80 for us.
"""

import errno
import fcntl
import logging
import os
import socket
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import sdnotify
from flask import Flask
from gunicorn import sock
from gunicorn.config import Config as GunicornConfig
from gunicorn.workers.gthread import ThreadWorker

from appliance.store.errors import StoreError
from appliance.store.models import Account
from appliance.store.place import StorePlace, place_of
from webui import secret, store
from webui.app import create_app, hub_of
from webui.errors import WebError
from webui.redirect import Redirector
from webui.settings import Config, WebSettings
from webui.sockets import PAGES, REDIRECT, inherited

STORE_WAIT_S = 20.0
ALIVE_EVERY_S = 1.0
STOP_LIMIT_S = 3
BACKLOG = 128
SLOW_CLIENT_S = 10

log = logging.getLogger("careline.web")


def serve(config: Config) -> None:
    """Serve until told to stop. Raises: WebError WEB-001, 002, 003, 004, 005, 006, 012; ConfigError; StoreError."""
    ready = inherited()
    with _only_one(Path(config.paths.data_dir)):
        wait_for_store(place_of(config.paths), STORE_WAIT_S)
        check_certificate(config.web)
        listener = ready.get(PAGES) or listen(config.web)
        _limit_clients(listener)
        app = create_app(config)
        announce(config)
        hub_of(app).start()
        if REDIRECT in ready:
            Redirector(ready[REDIRECT]).start()
        _Server(app, _gunicorn(config.web, listener)).init_process()
        logging.shutdown()
        os._exit(0)  # whoever was not answered within STOP_LIMIT_S is not waited for


def listen(settings: WebSettings) -> socket.socket:
    """The listening socket. Raises: WebError WEB-001 when somebody else has the port or we may not have it, WEB-012 (see check_host)."""
    listener = _bound(settings.host, settings.port)
    listener.listen(BACKLOG)
    return listener


def check_host(settings: WebSettings) -> None:
    """Whether we could listen there, whoever has the port now. Raises: WebError WEB-012 for a host that is not this machine."""
    _bound(settings.host, 0).close()


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise _cannot_listen(host, port, error) from error
    return bound


def _cannot_listen(host: str, port: int, error: OSError) -> WebError:
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        remedy = 'Set [web] host to an address of this machine (`ip address` shows them), or to "0.0.0.0" for all'
        return WebError("WEB-012", f"cannot listen on {host}: {error.strerror}", remedy)
    reason = "it is taken" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
    return WebError("WEB-001", f"cannot listen on {host} port {port}: {reason}", "Stop the other program, or set another [web] port")


def _limit_clients(listener: socket.socket) -> None:
    """A client that sends half a request, or does not take its answer, loses the thread it keeps.

    Source: socket(7); accepted sockets inherit both limits.
    """
    limit = struct.pack("ll", SLOW_CLIENT_S, 0)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    """gunicorn takes a client that was too slow for a fault of its own."""
    return not (record.exc_info and isinstance(record.exc_info[1], BlockingIOError))


def wait_for_store(place: StorePlace, limit_s: float) -> None:
    """The call agent makes the store when it first starts; give it that long. Raises: WebError WEB-002, StoreError."""
    until = time.monotonic() + limit_s
    while True:
        try:
            store.bind(place)
            return
        except (WebError, StoreError):
            if time.monotonic() >= until:
                raise
        time.sleep(0.2)


def announce(config: Config) -> None:
    """Say where the pages are; while there is no account, say the code that lets the first administrator in."""
    host = "localhost" if config.web.host in ("0.0.0.0", "::", "127.0.0.1") else config.web.host
    log.info("pages at %s://%s:%d", "https" if config.web.https else "http", host, config.web.port)
    with store.connection():
        if Account.select().exists():
            return
    code = secret.setup_code(Path(config.paths.data_dir))
    log.warning("no account yet: open the pages and enter the set-up code %s", code)


def log_to_console() -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


def check_certificate(settings: WebSettings) -> None:
    """Raises: WebError WEB-006 for a file that cannot be read, or one of the two without the other."""
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        one, other = ("tls_certificate", "tls_key") if settings.tls_certificate else ("tls_key", "tls_certificate")
        raise WebError("WEB-006", f"[web] {one} is given and {other} is not", "Give both, or none for http")
    for key in ("tls_certificate", "tls_key"):
        name = getattr(settings, key)
        if name and not os.access(name, os.R_OK):
            raise WebError("WEB-006", f'cannot read [web] {key} = "{name}"', "Correct it, or the file's owner")


@contextmanager
def _only_one(data_dir: Path) -> Iterator[None]:
    """Raises: WebError WEB-003 when another web application works on this data folder, WEB-002 when there is no such folder."""
    path = data_dir / "web.lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise WebError("WEB-002", f"cannot write {path}: {error.strerror}", "Check [paths] data_dir and who owns it") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise WebError("WEB-003", f"careline-web is already running on {data_dir}", "Stop the other one first") from error
    finally:
        os.close(descriptor)


def _gunicorn(web: WebSettings, listener: socket.socket) -> GunicornConfig:
    config = GunicornConfig()
    settings: dict[str, Any] = {
        "bind": f"fd://{listener.fileno()}",
        "threads": web.threads,
        "worker_connections": web.threads + 200,
        "graceful_timeout": STOP_LIMIT_S,
        "keepalive": 5,
        "loglevel": "warning",
        "certfile": web.tls_certificate or None,
        "keyfile": web.tls_key or None,
    }
    for name, value in settings.items():
        config.set(name, value)
    return config


class _Loaded(NamedTuple):
    """The application as gunicorn asks for it."""

    app: Flask

    def wsgi(self) -> Flask:
        return self.app


class _Server(ThreadWorker):  # type: ignore[misc]  # gunicorn is published without types
    """gunicorn's worker with threads, as the only process. Ends within some STOP_LIMIT_S of SIGTERM or SIGINT."""

    def __init__(self, app: Flask, config: GunicornConfig) -> None:
        log = config.logger_class(config)
        logging.getLogger("gunicorn.error").addFilter(_is_worth_a_line)
        super().__init__(1, os.getppid(), sock.create_sockets(config, log), _Loaded(app), None, config, log)
        self._app = app
        self._notifier = sdnotify.SystemdNotifier()
        self._next_sign_s = 0.0

    def run(self) -> None:
        self._notifier.notify("READY=1")
        super().run()

    def notify(self) -> None:
        """Called at each turn of the loop that accepts."""
        if time.monotonic() >= self._next_sign_s:
            self._next_sign_s = time.monotonic() + ALIVE_EVERY_S
            self._notifier.notify("WATCHDOG=1")

    def handle_exit(self, number: int, frame: FrameType | None) -> None:
        hub_of(self._app).stop()  # the streams of live pages end
        super().handle_exit(number, frame)

    handle_quit = handle_exit

    def is_parent_alive(self) -> bool:
        """gunicorn's worker ends with its arbiter; whoever started us may end."""
        return True
