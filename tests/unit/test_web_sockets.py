"""Ports that the service manager opened: they are found by name, and port 80 sends browsers to https. Real sockets on loopback."""

import http.client
import os
import socket
import subprocess
import sys

import pytest

from webui.redirect import Redirector

LIMIT_S = 20

TELL = """
import os
os.environ["LISTEN_PID"] = str(os.getpid())
from webui.sockets import inherited
found = inherited()
print(*sorted((name, each.getsockname()[1], os.get_inheritable(each.fileno())) for name, each in found.items()))
print("LISTEN_FDS" in os.environ, inherited())
"""


def listening() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return listener


def test_sockets_of_the_service_manager_are_found_by_name_once() -> None:
    with listening() as pages, listening() as plain:
        _check_found(pages, plain)


def _check_found(pages: socket.socket, plain: socket.socket) -> None:
    def as_systemd_does() -> None:
        kept = [os.dup(each.fileno()) for each in (pages, plain)]
        for number, each in enumerate(kept, 3):
            os.dup2(each, number)

    environment = os.environ | {"LISTEN_FDS": "2", "LISTEN_FDNAMES": "https:http"}
    command = [sys.executable, "-c", TELL]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=LIMIT_S, check=True, env=environment, close_fds=False, preexec_fn=as_systemd_does
    )
    ports = f"('http', {plain.getsockname()[1]}, False) ('https', {pages.getsockname()[1]}, False)"
    assert done.stdout.splitlines() == [ports, "False {}"]


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("careline.example:8080", "careline.example"),
        ("[fd00::5]", "[fd00::5]"),
        ("evil\u00e9/@example", "127.0.0.1"),
        ("", "127.0.0.1"),
    ],
)
def test_a_browser_without_https_is_sent_to_the_same_page_with_it(host: str, place: str) -> None:
    with listening() as listener:
        Redirector(listener).start()
        browser = http.client.HTTPConnection("127.0.0.1", listener.getsockname()[1], timeout=LIMIT_S)
        browser.request("POST", "/calls?day=1", body=b"x=1", headers={"Host": host.encode("latin-1").decode("latin-1")})
        answer = browser.getresponse()
        assert (answer.status, answer.headers["Location"]) == (308, f"https://{place}/calls?day=1")
        browser.close()


def test_one_who_says_nothing_keeps_nobody_waiting() -> None:
    with listening() as listener:
        Redirector(listener).start()
        with socket.create_connection(listener.getsockname(), LIMIT_S):
            browser = http.client.HTTPConnection("127.0.0.1", listener.getsockname()[1], timeout=LIMIT_S)
            browser.request("GET", "/")
            assert browser.getresponse().status == 308
            browser.close()
