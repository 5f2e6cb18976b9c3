"""Spans and channels: looking, blocking, counters, tests, learning the tones of a line's switch."""

import contextlib
import uuid
from collections import deque

from appliance.cli.line_words import is_over, outcome, told_history
from appliance.console.command import Argument, Command, Given, Report, number
from appliance.console.errors import Interrupted, UsageError
from appliance.console.table import table
from appliance.console.work import Work, snapshot
from appliance.control.messages import (
    EndLineTest,
    LineTarget,
    LiveSnapshot,
    LiveTestChanged,
    ResetLineCounters,
    RunLineTest,
    SetLinesBlocked,
)
from appliance.store.rights import Right
from drivers.protocol import CALLING_TESTS, ChannelState, LineTest, LineTestKind

LEARNING_MS = 60_000
AFTER_S = 30.0


def target(word: str) -> LineTarget:
    """A channel's number, span:N or group:NAME. Raises: UsageError."""
    kind, _, name = word.rpartition(":")
    if kind == "group" and name:
        return LineTarget(group=name)
    if kind in ("", "channel", "span") and name.isascii() and name.isdecimal() and 0 < int(name[:6]) < 10_000:
        return LineTarget(span=int(name)) if kind == "span" else LineTarget(channel=int(name))
    raise UsageError("wrong.target", word=word)


TARGET = Argument(name="target", read=target)
CHANNEL = Argument(name="channel", read=number(1, 1024))


def list_spans(work: Work, given: Given) -> Report:
    live = work.live()
    rows = []
    for span in live.spans:
        counted = span.errors
        errors = "-" if counted is None else f"{counted.bipolar_violations}/{counted.crc4_errors}/{counted.frame_errors}"
        link = "-" if span.link_up is None else work.say("spans.link_up" if span.link_up else "spans.link_down")
        alarms = " ".join(span.alarms) or work.say("spans.well")
        rows.append((span.number, span.description or span.name, span.channels, alarms, work.ago(span.alarm_since), link, errors))
    told = table(work.heads("spans", "number", "name", "channels", "alarms", "since", "link", "errors"), rows, work.columns)
    return Report([*_away(work, live), *told], live.spans)


def list_channels(work: Work, given: Given) -> Report:
    live = work.live()
    wanted: LineTarget | None = given["target"]
    found = [channel for channel in live.channels if wanted is None or _is_in(channel, wanted)]
    rows = [
        (
            channel.number,
            channel.group,
            channel.signalling,
            state(work, channel),
            channel.calls,
            channel.failures,
            channel.last_cause or "-",
        )
        for channel in found
    ]
    told = table(work.heads("channels", "number", "group", "signalling", "state", "calls", "failures", "cause"), rows, work.columns)
    return Report([*_away(work, live), *told], found)


def state(work: Work, channel: ChannelState) -> str:
    tried = (
        ("testing", bool(channel.test)),
        ("in_alarm", bool(channel.alarms)),
        ("in_use", channel.leg is not None),
        (f"blocked_{channel.blocked_by.value}", channel.blocked),
        ("far_blocked", channel.far_blocked),
    )
    return work.word("channel_state", next((name for name, holds in tried if holds), "free"))


def _away(work: Work, live: LiveSnapshot) -> list[str]:
    return [] if live.health.lines_connected else [work.say("spans.away"), ""]


def _is_in(channel: ChannelState, wanted: LineTarget) -> bool:
    return (wanted.channel, wanted.span, wanted.group) in ((channel.number, 0, ""), (0, channel.span, ""), (0, 0, channel.group))


def block(work: Work, given: Given) -> Report:
    work.request(SetLinesBlocked(target=given["target"], blocked=True, at_once=given["now"], by=work.by))
    return Report([work.say("channels.blocked", target=given["target"])])


def unblock(work: Work, given: Given) -> Report:
    work.request(SetLinesBlocked(target=given["target"], blocked=False, by=work.by))
    return Report([work.say("channels.unblocked", target=given["target"])])


def reset(work: Work, given: Given) -> Report:
    work.request(ResetLineCounters(target=given["target"], by=work.by))
    return Report([work.say("channels.reset", target=given["target"])])


def test(work: Work, given: Given) -> Report:
    kind = LineTestKind(given["kind"])
    return _tested(work, RunLineTest(test_id=_id(), channel=given["channel"], kind=kind, limit_ms=1000 * given["seconds"], by=work.by))


def learn(work: Work, given: Given) -> Report:
    kind = LineTestKind.LEARN_TONES
    request = RunLineTest(
        test_id=_id(),
        channel=given["channel"],
        kind=kind,
        limit_ms=LEARNING_MS,
        number=given["number"],
        whole_group=given["group"],
        by=work.by,
    )
    return _tested(work, request)


def _id() -> str:
    return uuid.uuid4().hex[:12]


def _tested(work: Work, request: RunLineTest) -> Report:
    """Runs it to its end; Ctrl-C ends it."""
    heard: deque[LineTest] = deque()
    last: list[LineTest] = []

    def run() -> None:
        with work.control() as watching, work.control() as asking:
            changes = watching.subscribe()
            snapshot(changes)
            asking.request(request)
            for change in changes:
                if isinstance(change, LiveTestChanged) and change.test.test_id == request.test_id:
                    heard.append(change.test)
                    if is_over(change.test):
                        return

    def each() -> None:
        while heard:
            last.append(heard.popleft())
            work.tell(outcome(last[-1], work.language))

    try:
        work.place.waited(run, request.limit_ms / 1000 + AFTER_S, each)
    except Interrupted:
        with contextlib.suppress(Interrupted):
            work.request(EndLineTest(channel=request.channel, by=work.by))
        raise
    return Report((), last[-1], failed=last[-1].phase.value != "passed")


def history(work: Work, given: Given) -> Report:
    """Alarms and who did what to lines."""

    def look() -> list[str]:
        from appliance.store.models import Alarm, LineAction

        alarms = list(Alarm.select().where(Alarm.number > 0).order_by(Alarm.id.desc()).limit(given["count"]))
        actions = list(LineAction.select().order_by(LineAction.id.desc()).limit(given["count"]))
        return told_history(alarms, actions, work.language).split("\n")

    return Report(lines := work.stored(look), lines)


KINDS = tuple(kind.value for kind in LineTestKind if kind not in CALLING_TESTS)
COMMANDS = (
    Command(name="spans list", zh="中继 列表", right=Right.SEE_LIVE, act=list_spans),
    Command(
        name="channels list",
        zh="线路 列表",
        right=Right.SEE_LIVE,
        act=list_channels,
        arguments=(Argument(name="target", read=target, required=False),),
    ),
    Command(
        name="channels block", zh="线路 停用", right=Right.BLOCK_CHANNELS, act=block, arguments=(TARGET, Argument(name="now", flag=True))
    ),
    Command(name="channels unblock", zh="线路 恢复", right=Right.BLOCK_CHANNELS, act=unblock, arguments=(TARGET,)),
    Command(name="channels reset", zh="线路 清零", right=Right.TEST_LINES, act=reset, arguments=(TARGET,)),
    Command(
        name="channels test",
        zh="线路 测试",
        right=Right.TEST_LINES,
        act=test,
        arguments=(
            Argument(name="kind", choices=KINDS),
            CHANNEL,
            Argument(name="seconds", option=True, required=False, default=30, read=number(1, 600)),
        ),
    ),
    Command(
        name="channels learn",
        zh="线路 学音",
        right=Right.TEST_LINES,
        act=learn,
        arguments=(CHANNEL, Argument(name="number"), Argument(name="group", flag=True)),
    ),
    Command(
        name="channels history",
        zh="线路 历史",
        right=Right.SEE_LIVE,
        act=history,
        arguments=(Argument(name="count", option=True, required=False, default=30, read=number(1, 1000)),),
    ),
)
