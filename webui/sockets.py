"""The listening sockets that the service manager opened for us, so that ports below 1024 need no rights of ours.

Called once, before any thread.

Source: sd_listen_fds(3), systemd.socket(5).
"""

import os
import socket

FIRST = 3
PAGES, REDIRECT = "https", "http"  # FileDescriptorName= of careline-web.socket and careline-web-redirect.socket


def inherited() -> dict[str, socket.socket]:
    """By name; empty when we were started without. Not handed on to programs that we start."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return {}
    names = os.environ.get("LISTEN_FDNAMES", "").split(":")
    found = {}
    for number, name in enumerate(names[: int(os.environ.get("LISTEN_FDS", "0"))], FIRST):
        os.set_inheritable(number, False)
        found[name] = socket.socket(fileno=number)
    for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        os.environ.pop(name, None)
    return found
