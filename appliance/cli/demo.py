"""`careline demo`: the whole box on the card in software, in one terminal."""

import asyncio
import contextlib
import http.client
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from appliance.cli.doctor import terminal_language
from appliance.cli.pidfile import PidFile
from appliance.cli.serve import command_of
from appliance.cli.supervisor import Child, Supervisor
from appliance.doctor.sockets import examine_port
from appliance.errors import StartError
from appliance.hospital.demo import PASSWORD, people
from drivers.settings import Paths

NUMBER = "96120"
SOCKET_PATH_MOST = 107  # Source: unix(7), sun_path
CONNECT_S = 1.0

CONFIG = """\
# Made by `careline demo`: eight lines to a telephone exchange in software, and two sets that answer.
[paths]
run_dir = "{state}/run"
data_dir = "{state}/data"

[web]
host = "{host}"
port = {port}

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
"""

READY = {
    "en": """
Careline is up, on a card in software. Its state is in {state}.

  Web pages     {address}
  Set-up code   {code}   (asked for when you make the administrator's account)
  A telephone   "Handset" in the web pages; dial {number}.
                Or in another terminal:
                {careline} handset --config {config} --keys w2 --record heard.wav
  A card        {card}, password {password}; its holder rings from {caller} (--caller)
  What is wrong {careline} doctor --config {config}
  Stop          Ctrl-C
""",
    "zh": """
Careline 已经启动，使用软件模拟的电话卡。状态保存在 {state}。

  网页      {address}
  设置码    {code}   （建立管理员账户时需要）
  电话      网页里的“话机”；拨 {number}。
            或者在另一个终端：
            {careline} handset --config {config} --keys w2 --record heard.wav
  就诊卡    {card}，密码 {password}；持卡人的电话是 {caller}（--caller）
  检查故障  {careline} doctor --config {config}
  停止      Ctrl-C
""",
}


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of the web pages; 0.0.0.0 opens them to the network.")
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True, help="Port of the web pages.")
@click.option("--state", type=click.Path(path_type=Path, file_okay=False), help="Keep everything in this folder.  [default: a new one]")
@click.option("--hospital/--no-hospital", default=True, show_default=True, help="Fill it with a made-up hospital: once, in the background.")
def demo(host: str, port: int, state: Path | None, hospital: bool) -> None:
    """Try the whole box without a telephone card; Ctrl-C ends it."""
    check_port(host, port)
    with _state(state) as folder, PidFile(folder / "demo.pid", f"a demo in {folder}"), contextlib.ExitStack() as background:
        config = write_config(folder, host, port)

        def when_ready() -> None:
            _tell(folder, config, host, port)
            if hospital:
                background.enter_context(_filling(config, folder / "log/hospital.log"))

        asyncio.run(_run(_children(folder, config, port), folder / "log", when_ready))
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


def write_config(folder: Path, host: str, port: int) -> Path:
    """careline.toml of a demo in `folder`."""
    path = folder / "careline.toml"
    path.write_text(CONFIG.format(state=folder, host=host, port=port, number=NUMBER))
    return path


def check_port(host: str, port: int) -> None:
    """Raises: StartError APP-049 when the port is not to be had."""
    found = examine_port(host, port)
    if found.code or "served" in found.detail.en:
        what = found.detail.en if found.code else f"a Careline runs already on port {port} ({found.detail.en})"
        raise StartError("APP-049", what, "Stop it, or choose another with --port")


def _children(folder: Path, config: Path, port: int) -> list[Child]:
    paths = Paths(run_dir=str(folder / "run"), data_dir=str(folder / "data"))
    return [
        Child("lines", command_of("lines", config), lambda: _answers(paths.lines_socket)),
        Child("calls", command_of("calls", config), lambda: _answers(paths.control_socket)),
        Child("web", command_of("web", config), lambda: _serves(port)),
        Child("printers", command_of("printers", config), lambda: True),  # nobody waits for it
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


def _tell(folder: Path, config: Path, host: str, port: int) -> None:
    code_file = folder / "data/setup-code"
    code = code_file.read_text().strip() if code_file.exists() else "-"
    shown = "127.0.0.1" if host == "0.0.0.0" else host
    text = READY[terminal_language()]
    card = {"card": people.first_card(), "password": PASSWORD, "caller": people.KNOWN[0][3]}
    address = f"http://{shown}:{port}/"
    click.echo(text.format(state=folder, config=config, code=code, number=NUMBER, address=address, careline=_careline(), **card))


def _careline() -> str:
    """How this very command can be called from the folder the reader is in."""
    return sys.argv[0]
