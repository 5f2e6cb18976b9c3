"""Programs that alarms are sent to and facts come from, for tests: a mail server, net-snmp's snmptrapd, NUT's upsd, LCDproc's LCDd. All on
loopback, all ended by their own process id.
"""

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LIMIT_S = 10.0


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


def until(holds: Callable[[], Any], limit_s: float = LIMIT_S) -> Any:
    """What it answers once that is true. Raises: TimeoutError."""
    end_s = time.monotonic() + limit_s
    while time.monotonic() < end_s:
        if found := holds():
            return found
        time.sleep(0.05)
    raise TimeoutError


def certificate(folder: Path, days: float = 30) -> Path:
    """A self-signed one with its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=days))
    made = builder.sign(key, hashes.SHA256())
    plain = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "web.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + plain)
    return file


class MailBox:
    """What a mail server took. `refuse`: addresses it does not know. It wants user "careline", password "secret" where it has TLS."""

    def __init__(self, port: int, tls: Path | None = None) -> None:
        self.mails: list[EmailMessage] = []
        self.refuse: set[str] = set()
        self._parser = BytesParser(policy=default)
        more: dict[str, Any] = {}
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls)
            more = {"tls_context": context, "require_starttls": True, "authenticator": _may_enter, "auth_required": True}
        self._controller = Controller(self, hostname="127.0.0.1", port=port, **more)

    def __enter__(self) -> "MailBox":
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: object, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refuse:
            return "550 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: object, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        content = envelope.content
        assert isinstance(content, bytes)
        mail: Message = self._parser.parsebytes(content)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 taken"

    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mails]


def _may_enter(server: object, session: object, envelope: object, mechanism: str, given: object) -> AuthResult:
    assert isinstance(given, LoginPassword)
    return AuthResult(success=(given.login, given.password) == (b"careline", b"secret"), handled=False)


@contextlib.contextmanager
def running(command: list[str], **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A program, ended when the block is left."""
    found = shutil.which(command[0], path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    assert found, f"{command[0]} is not here: see setup/packages-test.txt"
    process = subprocess.Popen([found, *command[1:]], stdin=subprocess.DEVNULL, **more)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def trap_daemon(folder: Path, users: str) -> Iterator[tuple[int, Path]]:
    """snmptrapd: its port, and the file it writes a line of variables to for each trap."""
    port, log, config = free_port(socket.SOCK_DGRAM), folder / "traps.log", folder / "snmptrapd.conf"
    config.write_text(users)
    environment = {**os.environ, "MIBS": "", "SNMP_PERSISTENT_DIR": str(folder)}
    command = ["snmptrapd", "-f", "-n", "-On", "-C", "-c", str(config), "-Lf", str(log), "-F", "TRAP %v\n", f"udp:127.0.0.1:{port}"]
    with running(command, env=environment, stderr=subprocess.DEVNULL):
        until(lambda: log.exists() and "NET-SNMP version" in log.read_text())
        yield port, log


class Nut:
    """upsd with a UPS in software, "test"."""

    def __init__(self, port: int) -> None:
        self.port = port

    def set(self, variable: str, value: str) -> None:
        command = ["upsrw", "-s", f"{variable}={value}", "-u", "admin", "-p", "secret", f"test@127.0.0.1:{self.port}"]
        subprocess.run(command, check=True, capture_output=True, timeout=LIMIT_S)


@contextlib.contextmanager
def nut(folder: Path) -> Iterator[Nut]:
    """The real upsd and dummy-ups."""
    port = free_port()
    device = folder / "test.dev"
    device.write_text("ups.status: OL\nbattery.charge: 100\nbattery.runtime: 1200\n")
    (folder / "nut.conf").write_text("MODE=standalone\n")
    (folder / "ups.conf").write_text(f"[test]\ndriver = dummy-ups\nport = {device}\nmode = dummy-once\n")
    (folder / "upsd.conf").write_text(f"LISTEN 127.0.0.1 {port}\n")
    (folder / "upsd.users").write_text("[admin]\npassword = secret\nactions = SET\ninstcmds = ALL\n")
    for file in folder.iterdir():
        file.chmod(0o640)
    environment = {**os.environ, **dict.fromkeys(("NUT_CONFPATH", "NUT_STATEPATH", "NUT_ALTPIDPATH"), str(folder))}
    user = ["-u", os.environ.get("USER", "root")]
    quiet = {"env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with running(["/lib/nut/dummy-ups", "-a", "test", *user, "-F"], **quiet), running(["/lib/nut/upsd", *user, "-F"], **quiet):
        until(lambda: _answers(port))
        yield Nut(port)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1.0) as asked:
            asked.sendall(b"GET VAR test ups.status\n")
            return b"OL" in asked.recv(200)
    except OSError:
        return False


@contextlib.contextmanager
def lcd(folder: Path) -> Iterator[tuple[int, Path]]:
    """LCDd with its driver "text": its port, and the file it draws frames into."""
    port, config, frames = free_port(), folder / "LCDd.conf", folder / "frames"
    drivers = next(Path("/usr/lib").glob("*/lcdproc"))
    config.write_text(
        f"[server]\nDriverPath={drivers}/\nDriver=text\nBind=127.0.0.1\nPort={port}\nReportToSyslog=no\nUser=root\nForeground=yes\n"
        "ServerScreen=no\n[text]\nSize=20x4\n"
    )
    with frames.open("wb") as out, running(["LCDd", "-c", str(config), "-f"], stdout=out, stderr=subprocess.DEVNULL):
        until(lambda: _listens(port))
        yield port, frames


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
        return True
    return False
