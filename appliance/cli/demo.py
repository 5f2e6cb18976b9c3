"""`careline demo`: the whole box on the card in software, in one terminal."""

import asyncio
import contextlib
import http.client
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from appliance.cli.doctor import terminal_language
from appliance.cli.handset import first_number
from appliance.cli.pidfile import PidFile
from appliance.cli.serve import command_of
from appliance.cli.supervisor import Child, Supervisor
from appliance.doctor.sockets import examine_port
from appliance.errors import StartError
from appliance.hospital.demo import PASSWORD, people
from drivers import settings
from drivers.errors import ConfigError
from drivers.settings import Paths

NUMBER = "96120"
SOCKET_PATH_MOST = 107  # Source: unix(7), sun_path
CONNECT_S = 1.0
HOST, PORT = "127.0.0.1", 8080
SECRET_BYTES = 6  # of the kiosk: 12 characters

CONFIG = """\
# Made by `careline demo`, and kept from then on: eight lines to a telephone exchange in software, and two sets that answer.
[paths]
run_dir = "{state}/run"
data_dir = "{state}/data"

[web]
host = "{host}"
port = {port}

[[web.kiosks]]
name = "hall"
secret = "{secret}"

[lines]
card = "virtual"

[[lines.groups]]
name = "trunk"
channels = "1-8"

[[lines.groups]]
name = "sets"
channels = "9-10"
role = "extension"

[[lines.virtual.spans]]
kind = "fxo"
channels = 8

[[lines.virtual.spans]]
kind = "fxs"
channels = 2

[[lines.virtual.numbers]]
number = "{number}"
spans = [1]

# Each answers after its second ring, unless somebody sits at it (page "Handset").
[[lines.virtual.sets]]
channel = 9
after_ms = 6000

[[lines.virtual.sets]]
channel = 10
after_ms = 6000
"""

SET_UP = {
    "en": "  Set-up code   {code}   (asked for when you make the administrator's account)\n",
    "zh": "  设置码    {code}   （建立管理员账户时需要）\n",
}

READY = {
    "en": """
Careline is up, on a card in software. Its state is in {state}.

  Web pages     {address}
{set_up}  A telephone   "Handset" in the web pages; dial {number}.
                Or in another terminal:
                {careline} handset --config {config} --keys w2 --record heard.wav
  A card        {card}, password {password}; its holder rings from {caller} (--caller)
  A kiosk       {address}kiosk/set-up, secret {secret}; then {address}kiosk
  What is wrong {careline} doctor --config {config}
  Stop          Ctrl-C
""",
    "zh": """
Careline 已经启动，使用软件模拟的电话卡。状态保存在 {state}。

  网页      {address}
{set_up}  电话      网页里的“话机”；拨 {number}。
            或者在另一个终端：
            {careline} handset --config {config} --keys w2 --record heard.wav
  就诊卡    {card}，密码 {password}；持卡人的电话是 {caller}（--caller）
  自助机    {address}kiosk/set-up，密钥 {secret}；然后打开 {address}kiosk
  检查故障  {careline} doctor --config {config}
  停止      Ctrl-C
""",
}


class Web(msgspec.Struct, frozen=True):
    """What the demo needs of `[web]`."""

    host: str = HOST
    port: int = PORT
    kiosks: tuple[dict[str, Any], ...] = ()


class DemoConfig(msgspec.Struct, frozen=True):
    """What the demo needs of careline.toml; each process checks what it needs itself."""

    paths: Paths = Paths()
    lines: dict[str, Any] = {}
    calls: dict[str, Any] = {}
    console: dict[str, Any] = {}
    hospital: dict[str, Any] = {}
    web: dict[str, Any] = {}

    @property
    def pages(self) -> Web:
        """As `read_config` saw that it can be read."""
        return msgspec.convert(self.web, Web)


@click.command()
@click.option("--host", help=f"Address of the web pages; 0.0.0.0 opens them to the network.  [default: {HOST}]")
@click.option("--port", type=click.IntRange(1, 65535), help=f"Port of the web pages.  [default: {PORT}]")
@click.option("--state", type=click.Path(path_type=Path, file_okay=False), help="Keep everything in this folder.  [default: a new one]")
@click.option("--fresh", is_flag=True, help="Write the careline.toml in --state anew; the old one becomes careline.toml.old.")
@click.option("--hospital/--no-hospital", default=True, show_default=True, help="Fill it with a made-up hospital: once, in the background.")
def demo(host: str | None, port: int | None, state: Path | None, fresh: bool, hospital: bool) -> None:
    """Try the whole box without a telephone card; Ctrl-C ends it.

    A careline.toml that is in the folder of --state already is kept; but for --host and --port, if they are given.
    """
    with _state(state) as folder, PidFile(folder / "demo.pid", f"a demo in {folder}"), contextlib.ExitStack() as background:
        config, read = _config(folder, host, port, fresh=fresh)

        def when_ready() -> None:
            tell(folder, config, read)
            if hospital:
                background.enter_context(_filling(config, folder / "log/hospital.log"))

        asyncio.run(_run(_children(config, read), folder / "log", when_ready))
    click.echo("Careline has ended.")


@contextlib.contextmanager
def _filling(config: Path, log: Path) -> Iterator[None]:
    """The made-up hospital being filled in, batch by batch (about 20 s, the first time): it may be ended at any moment."""
    command = [sys.executable, "-m", "appliance.hospital.demo", "--config", str(config)]
    with log.open("ab") as errors, subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=errors, start_new_session=True) as filler:
        try:
            yield
        finally:
            filler.terminate()


async def _run(children: list[Child], logs: Path, when_ready: Callable[[], None]) -> None:
    await Supervisor(children, logs, click.echo).run(when_ready)


@contextlib.contextmanager
def _state(given: Path | None) -> Iterator[Path]:
    """The folder of this demo; a new one is gone afterwards."""
    folder = given.absolute() if given else Path(tempfile.mkdtemp(prefix="careline-demo-"))
    if len(str(folder / "run/handset.sock")) > SOCKET_PATH_MOST:
        raise StartError("APP-048", f"the path {folder} is too long for the sockets in it", "Name a shorter one with --state")
    try:
        for part in ("run", "data", "log"):
            (folder / part).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StartError("APP-048", f"cannot make folders in {folder}: {error.strerror}", "Name another one with --state") from error
    try:
        yield folder
    finally:
        if not given:
            shutil.rmtree(folder, ignore_errors=True)


def write_config(folder: Path, host: str = HOST, port: int = PORT, *, fresh: bool = False) -> Path:
    """careline.toml of a demo in `folder`; one that is there is kept, unless it is to be `fresh`. Raises: StartError APP-048."""
    path = folder / "careline.toml"
    if fresh and path.exists():
        path.replace(path.with_name("careline.toml.old"))
    if not path.exists():
        secret = secrets.token_hex(SECRET_BYTES)
        _write(path, CONFIG.format(state=folder, host=host, port=port, number=NUMBER, secret=secret))
    return path


def read_config(path: Path) -> DemoConfig:
    """Raises: StartError APP-121."""
    try:
        read = settings.load(path, DemoConfig)
        settings.convert(path, {key: read.web[key] for key in ("host", "port", "kiosks") if key in read.web}, Web)
    except ConfigError as error:
        raise StartError("APP-121", f"{path} cannot be used: {error}", "Correct it, or begin anew with --fresh") from error
    return read


def set_page(path: Path, key: str, value: str | int) -> None:
    """Where the pages are, in a file that is kept: `key` of [web], nothing else. Raises: StartError APP-048, APP-121 (no such line)."""
    shown = f'"{value}"' if isinstance(value, str) else str(value)
    text, found = re.subn(rf"(?m)^(\[web\]\s*\n[^\[]*?^{key} *= *).*$", lambda line: line[1] + shown, path.read_text(), count=1)
    if not found:
        raise StartError("APP-121", f"{path} has no line `{key} = …` below [web]", f"Write `{key} = {shown}` there")
    _write(path, text)


def _config(folder: Path, host: str | None, port: int | None, *, fresh: bool) -> tuple[Path, DemoConfig]:
    """The file as it is used. A port that is taken is told before anything is written."""
    path = folder / "careline.toml"
    if fresh or not path.exists():
        check_port(host or HOST, port or PORT)
        write_config(folder, host or HOST, port or PORT, fresh=fresh)
        return path, read_config(path)
    pages = read_config(path).pages
    check_port(host or pages.host, port or pages.port)
    for key, asked, written in (("host", host, pages.host), ("port", port, pages.port)):
        if asked is not None and asked != written:
            set_page(path, key, asked)
    return path, read_config(path)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as error:
        raise StartError("APP-048", f"cannot write {path}: {error.strerror}", "Name another folder with --state") from error


def check_port(host: str, port: int) -> None:
    """Raises: StartError APP-049 when the port is not to be had."""
    found = examine_port(host, port)
    if found.code or "served" in found.detail.en:
        what = found.detail.en if found.code else f"a Careline runs already on port {port} ({found.detail.en})"
        raise StartError("APP-049", what, "Stop it, or choose another with --port")


def _children(config: Path, read: DemoConfig) -> list[Child]:
    paths, port = read.paths, read.pages.port
    return [
        Child("lines", command_of("lines", config), lambda: _answers(paths.lines_socket)),
        Child("calls", command_of("calls", config), lambda: _answers(paths.control_socket)),
        Child("web", command_of("web", config), lambda: _serves(port)),
        Child("printers", command_of("printers", config), lambda: True),  # nobody waits for these two
        Child("health", command_of("health", config), lambda: True),
    ]


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(CONNECT_S)
        return sock.connect_ex(str(path)) == 0


def _serves(port: int) -> bool:
    """True when a page is answered, whatever the answer: the port is taken well before that."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=CONNECT_S)
    try:
        connection.request("HEAD", "/")
        connection.getresponse()
    except OSError:
        return False
    finally:
        connection.close()
    return True


def _set_up(code_file: Path) -> str:
    """The line of the set-up code; none once the administrator's account is made."""
    return SET_UP[terminal_language()].format(code=code_file.read_text().strip()) if code_file.exists() else ""


def tell(folder: Path, config: Path, read: DemoConfig) -> None:
    """On the terminal: where everything of the demo is."""
    pages = read.pages
    shown = "127.0.0.1" if pages.host == "0.0.0.0" else pages.host
    told = {
        "set_up": _set_up(Path(read.paths.data_dir) / "setup-code"),
        "number": first_number(read.lines) if read.lines.get("virtual", {}).get("numbers") else "-",
        "address": f"http://{shown}:{pages.port}/",
        "secret": next((kiosk.get("secret", "-") for kiosk in pages.kiosks), "-"),
    }
    card = {"card": people.first_card(), "password": PASSWORD, "caller": people.KNOWN[0][3]}
    click.echo(READY[terminal_language()].format(state=folder, config=config, careline=_careline(), **told, **card))


def _careline() -> str:
    """How this very command can be called from the folder the reader is in."""
    return sys.argv[0]
