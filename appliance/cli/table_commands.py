"""`careline status`, `careline spans list` …: every command of the console (appliance/console/commands) for scripts and SSH.

What is written is parsed and done by the same table; only where it is told differs. The machine's user asks, who has all rights: only
members of the group careline reach the sockets.
"""

import os
import pwd
import queue
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import click
import msgspec

from appliance import config as configuration
from appliance.cli.doctor import terminal_language
from appliance.cli.options import CONFIG
from appliance.console.command import Argument, Command, given
from appliance.console.commands import TABLE
from appliance.console.errors import EndOfInput, Idle, Interrupted, UsageError
from appliance.console.words import say
from appliance.console.work import Work
from drivers.clock import RealClock

LOOK_EVERY_S = 0.2
WIDE = 200
T = TypeVar("T")


class Output:
    """A command's place: standard output, and standard input where it asks."""

    @property
    def columns(self) -> int:
        return shutil.get_terminal_size((WIDE, 24)).columns if sys.stdout.isatty() else WIDE

    def tell(self, lines: Iterable[str]) -> None:
        for line in lines:
            click.echo(line)

    def ask(self, prompt: str, *, secret: bool = False) -> str:
        """From the terminal; from standard input a line for each question. Raises: EndOfInput."""
        if sys.stdin.isatty():
            answer: str = click.prompt(prompt.rstrip(": ："), hide_input=secret, default="", show_default=False)
            return answer
        line = sys.stdin.readline()
        if not line:
            raise EndOfInput
        return line.rstrip("\n")

    def pause(self, limit_s: float) -> bool:
        """Ctrl-C ends what goes on and on."""
        try:
            time.sleep(limit_s)
        except KeyboardInterrupt:
            return True
        return False

    def waited(self, work: Callable[[], T], limit_s: float, each: Callable[[], None] = lambda: None) -> T:
        """Raises: Interrupted at Ctrl-C, Idle, or what the work raises."""
        ended: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()
        threading.Thread(target=_run, args=(work, ended), daemon=True).start()
        until_s = time.monotonic() + limit_s
        try:
            while time.monotonic() < until_s:
                each()
                try:
                    result, error = ended.get(timeout=LOOK_EVERY_S)
                except queue.Empty:
                    continue
                each()
                if error is not None:
                    raise error
                return result  # type: ignore[return-value]  # what `work` gave
        except KeyboardInterrupt:
            raise Interrupted from None
        raise Idle


def _run(work: Callable[[], T], ended: "queue.SimpleQueue[tuple[T | None, BaseException | None]]") -> None:
    try:
        ended.put((work(), None))
    except BaseException as error:  # raised where it is waited for
        ended.put((None, error))


def group(noun: str, process: click.Command | None = None) -> click.Command:
    """The click command or group of a noun of the table. `process`: what the noun alone is instead ("calls" is the call agent)."""
    commands = TABLE.of_noun(noun)
    if [command.name for command in commands] == [noun]:
        return _click(commands[0], noun)
    return click.Group(
        noun,
        commands={command.name.split(" ")[1]: _click(command, command.name.split(" ")[1]) for command in commands},
        invoke_without_command=True,
        callback=_process(process) if process else _first(commands[0]),
        params=process.params if process else _common(commands[0]),
        help=process.help if process else _summary(commands),
    )


def _process(process: click.Command) -> Callable[..., None]:
    @click.pass_context
    def callback(ctx: click.Context, /, **values: object) -> None:
        if ctx.invoked_subcommand is None:
            ctx.invoke(process, **values)

    return callback


def _first(command: Command) -> Callable[..., None]:
    """A noun alone is its first command."""

    @click.pass_context
    def callback(ctx: click.Context, /, **values: object) -> None:
        if ctx.invoked_subcommand is None:
            _do(command, [], values)

    return callback


def _click(command: Command, name: str) -> click.Command:
    arguments = [_param(argument) for argument in command.arguments]

    def callback(**values: object) -> None:
        _do(command, _words(command, values), values)

    return click.Command(name, callback=callback, params=[*arguments, *_common(command)], help=command.help(terminal_language()))


def _common(command: Command) -> list[click.Parameter]:
    language = terminal_language()
    found: list[click.Parameter] = [
        click.Option(
            ["--config"],
            type=click.Path(path_type=Path, dir_okay=False),
            default=CONFIG,
            show_default=True,
            envvar="CARELINE_CONFIG",
            help="The configuration file.",
        ),
        click.Option(["--json", "as_json"], is_flag=True, help=say(language, "help.json")),
    ]
    if command.sure:
        found.append(click.Option(["--yes"], is_flag=True, help=say(language, "help.yes")))
    return found


def _param(argument: Argument) -> click.Parameter:
    name = argument.name
    if argument.flag:
        return click.Option([f"--{name}", f"_{name}"], is_flag=True)
    kind = click.Choice(list(argument.choices)) if argument.choices else click.STRING
    if argument.option:
        return click.Option([f"--{name}", f"_{name}"], type=kind, required=argument.required, show_default=True)
    return click.Argument(
        [f"_{name}"], type=kind, required=argument.required, nargs=-1 if argument.rest else 1, metavar=argument.name.upper()
    )


def _words(command: Command, values: dict[str, object]) -> list[str]:
    """As they would be written at the console."""
    words: list[str] = []
    for argument in command.arguments:
        value = values[f"_{argument.name}"]
        if argument.flag:
            words += [f"--{argument.name}"] if value else []
        elif isinstance(value, tuple):
            words += [str(each) for each in value]
        elif value is not None:
            words += [f"--{argument.name}", str(value)] if argument.option else [str(value)]
    return words


def _do(command: Command, words: Sequence[str], values: dict[str, object]) -> None:
    """Exit status: 0 well, 1 the command says that something is not, 2 wrong use, 130 interrupted."""
    language = terminal_language()
    if command.sure and not values.get("yes"):
        raise click.UsageError(say(language, "shell.say_yes"))
    file = Path(str(values["config"])).absolute()
    work = Work(configuration.load(file), file, Output(), RealClock(), by=who(), language=language)
    try:
        report = command.act(work, given(command, words))
    except UsageError as wrong:
        raise click.UsageError(say(language, wrong.key, **wrong.values)) from wrong
    except (Interrupted, Idle, EndOfInput):
        sys.exit(130)
    if values.get("as_json"):
        click.echo(msgspec.json.encode(report.value if report.value is not None else list(report.lines)))
    else:
        work.tell(*report.lines)
    sys.exit(int(report.failed))


def _summary(commands: Sequence[Command]) -> str:
    return commands[0].help(terminal_language()) + (" …" if len(commands) > 1 else "")


def who() -> str:
    """The machine's user, so that nobody takes it for an account of the web."""
    return f"{pwd.getpwuid(os.getuid()).pw_name}@console"
