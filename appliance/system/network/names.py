"""The host's name, name servers (resolv.conf) and time servers (chrony's sources). Blocking on small files and one program with a limit;
threads of careline-system.
"""

import logging
import socket
import subprocess
from collections.abc import Iterable
from pathlib import Path

from appliance.system.errors import BoxError
from appliance.system.network.settings_file import write_whole

HEAD = "# Written by careline-system, see the page Network.\n"
SERVERS_ASKED_MOST = 3  # Source: resolv.conf(5), MAXNS
PROGRAM_LIMIT_S = 5.0

log = logging.getLogger("careline.network")


def set_host_name(name: str) -> None:
    """Raises: BoxError SYS-057."""
    if socket.gethostname() == name:
        return
    try:
        socket.sethostname(name)
    except OSError as error:
        what = f"setting the host name {name}: {error.strerror}"
        raise BoxError("SYS-057", what, "Let careline-system run as root (CAP_SYS_ADMIN)") from error


def write_resolv_conf(path: Path, servers: Iterable[str], domains: Iterable[str]) -> None:
    """Each server is given two seconds, so that a dead one costs little. Raises: BoxError SYS-067."""
    lines = [f"nameserver {server}\n" for server in list(servers)[:SERVERS_ASKED_MOST]]
    searched = " ".join(domains)
    text = HEAD + (f"search {searched}\n" if searched else "") + "".join(lines) + "options timeout:2 attempts:2\n"
    _write_changed(path, text)


def write_time_sources(path: Path, servers: Iterable[str], chronyc: str) -> None:
    """chrony reads them anew. Raises: BoxError SYS-067."""
    if not _write_changed(path, HEAD + "".join(f"server {server} iburst\n" for server in servers)):
        return
    try:
        subprocess.run([chronyc, "reload", "sources"], check=True, capture_output=True, timeout=PROGRAM_LIMIT_S)
    except (OSError, subprocess.SubprocessError) as error:
        log.info("chrony reads its servers when it starts: %s", error)


def _write_changed(path: Path, text: str) -> bool:
    """Whether it was another."""
    try:
        if path.read_text("utf-8") == text:
            return False
    except (OSError, UnicodeDecodeError):
        pass  # there is none yet
    write_whole(path, text.encode(), 0o644)
    return True
