"""`careline lines`: the line server itself, and below it what a technician does with lines: look, block, test.

The subcommands are clients of the call agent's control socket; what they do is written down with the name of the machine's user.
"""

import os
import pwd
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import msgspec

from appliance import config as configuration
from appliance.cli.doctor import terminal_language
from appliance.cli.line_words import is_over, outcome, say, status, told_history
from appliance.cli.options import CONFIG
from appliance.cli.serve import lines as serve
from appliance.control.client import ControlClient
from appliance.control.messages import (
    EndLineTest,
    LineTarget,
    LiveSnapshot,
    LiveTestChanged,
    Request,
    ResetLineCounters,
    RunLineTest,
    SetLinesBlocked,
)
from appliance.store.database import connect
from appliance.store.models import Alarm, LineAction
from appliance.store.place import place_of
from drivers.protocol import CALLING_TESTS, LineTest, LineTestKind

LEARNING_MS = 60_000


class Target(click.ParamType[LineTarget]):
    """A channel's number, span:N or group:NAME."""

    name = "channel|span:N|group:NAME"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> LineTarget:
        kind, _, name = value.rpartition(":")
        if kind == "group" and name:
            return LineTarget(group=name)
        if kind in ("", "channel", "span") and name.isdecimal() and 0 < int(name) < 10_000:
            return LineTarget(span=int(name)) if kind == "span" else LineTarget(channel=int(name))
        raise click.BadParameter(f"{value!r} is none: write a channel's number, span:N or group:NAME", ctx, param)


@click.group(invoke_without_command=True, params=serve.params)
@click.pass_context
def lines(ctx: click.Context, /, config: Path, **how: object) -> None:
    """The line server: owns the cards and the audio. With a command: look at lines, block them, test them."""
    ctx.obj = config
    if ctx.invoked_subcommand is None:
        ctx.invoke(serve, config=config, **how)


def _config(ctx: click.Context, _param: click.Parameter, given: Path | None) -> Path:
    """--config may stand before or behind the command."""
    return given or ctx.obj or CONFIG


config_option = click.option("--config", type=click.Path(path_type=Path, dir_okay=False), callback=_config, help="The configuration file.")
target = click.argument("target", type=Target())


@lines.command("status")
@config_option
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(config: Path, as_json: bool) -> None:
    """Every span with its alarms and errors, every channel with state, calls and failures."""
    with _client(config) as client:
        live = _snapshot(client.subscribe())
    if as_json:
        parts = {"spans": live.spans, "channels": live.channels, "groups": live.groups, "tests": live.tests}
        click.echo(msgspec.json.encode(parts).decode())
    else:
        click.echo(status(live, terminal_language()))


@lines.command()
@config_option
@click.option("--count", type=click.IntRange(1, 1000), default=30, show_default=True, help="How many of each, the newest.")
def history(config: Path, count: int) -> None:
    """Alarms with begin and end, and who did what to lines. Reads the store; nothing need run."""
    database = connect(place_of(configuration.load(config.absolute()).paths), read_only=True)
    with database.bind_ctx((Alarm, LineAction)):
        alarms = list(Alarm.select().where(Alarm.subject != "box").order_by(Alarm.id.desc()).limit(count))
        actions = list(LineAction.select().order_by(LineAction.id.desc()).limit(count))
    database.close()
    click.echo(told_history(alarms, actions, terminal_language()))


@lines.command()
@config_option
@target
@click.option("--now", is_flag=True, help="End the calls there are; otherwise they go on.")
def block(config: Path, target: LineTarget, now: bool) -> None:
    """Take no new calls on a channel, a span or a group; lasts until unblocked, over restarts too."""
    _do(config, "block", target, lambda by: SetLinesBlocked(target=target, blocked=True, at_once=now, by=by))


@lines.command()
@config_option
@target
def unblock(config: Path, target: LineTarget) -> None:
    """Take calls again, whoever or whatever blocked it."""
    _do(config, "unblock", target, lambda by: SetLinesBlocked(target=target, blocked=False, by=by))


@lines.command("reset-counters")
@config_option
@target
def reset_counters(config: Path, target: LineTarget) -> None:
    """Count calls, failures and errors anew."""
    _do(config, "reset", target, lambda by: ResetLineCounters(target=target, by=by))


@lines.command("test")
@config_option
@click.argument("kind", type=click.Choice([kind.value for kind in LineTestKind if kind not in CALLING_TESTS]))
@click.argument("channel", type=click.IntRange(1, 1024))
@click.option("--seconds", type=click.IntRange(1, 600), default=30, show_default=True, help="Longest time of the test.")
def run_test(config: Path, kind: str, channel: int, seconds: int) -> None:
    """Test an idle channel; it takes no call meanwhile. Ctrl-C stops the test. Exit status 1 if it did not pass."""
    test_id = uuid.uuid4().hex[:12]
    _run(config, RunLineTest(test_id=test_id, channel=channel, kind=LineTestKind(kind), limit_ms=1000 * seconds, by=_who()))


@lines.command()
@config_option
@click.argument("channel", type=click.IntRange(1, 1024))
@click.option("--number", required=True, help="A number of the switch that is busy, such as the line's own, or that rings.")
@click.option("--group", "whole_group", is_flag=True, help="What is learnt holds for all lines of the channel's group.")
def learn(config: Path, channel: int, number: str, whole_group: bool) -> None:
    """Learn the tones of the switch a line leads to: one call of NUMBER, up to a minute. A number nobody answers teaches most."""
    test_id = uuid.uuid4().hex[:12]
    kind = LineTestKind.LEARN_TONES
    _run(
        config,
        RunLineTest(test_id=test_id, channel=channel, kind=kind, limit_ms=LEARNING_MS, number=number, whole_group=whole_group, by=_who()),
    )


def _run(config: Path, request: RunLineTest) -> None:
    """Run the test to its end and leave with its outcome."""
    with _client(config) as watching, _client(config) as asking:
        changes = watching.subscribe()
        _snapshot(changes)
        asking.request(request)
        try:
            last = _follow(changes, request.test_id)
        except KeyboardInterrupt:
            asking.request(EndLineTest(channel=request.channel, by=_who()))
            last = _follow(changes, request.test_id)
    sys.exit(last.phase.value != "passed")


def _follow(changes: Iterator[object], test_id: str) -> LineTest:
    """Tell how the test stands whenever that changes; the last word."""
    for change in changes:
        if isinstance(change, LiveTestChanged) and change.test.test_id == test_id:
            click.echo(outcome(change.test, terminal_language()))
            if is_over(change.test):
                return change.test
    raise AssertionError("the iterator ends only by raising")


def _snapshot(changes: Iterator[object]) -> LiveSnapshot:
    return next(change for change in changes if isinstance(change, LiveSnapshot))


def _do(config: Path, what: str, target: LineTarget, request: Callable[[str], Request]) -> None:
    with _client(config) as client:
        client.request(request(_who()))
    lang = terminal_language()
    click.echo(say("done", lang, what=say(what, lang), target=target))


def _client(config: Path) -> ControlClient:
    """Raises: ConfigError, ControlError."""
    return ControlClient(configuration.load(config.absolute()).paths.control_socket, "lines")


def _who() -> str:
    """The machine's user, so that nobody takes it for an account of the web."""
    return f"{pwd.getpwuid(os.getuid()).pw_name}@console"
