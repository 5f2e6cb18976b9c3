"""Calls: those there are, one of them, hanging it up, those there were; and the sets people talk on."""

from datetime import datetime

import msgspec

from appliance.console.command import Argument, Command, Given, Report, number
from appliance.console.errors import ConsoleError
from appliance.console.table import facts, table
from appliance.console.work import Work
from appliance.control.messages import HangUpCall, LiveCall, LiveSnapshot
from appliance.store.rights import Right
from drivers.protocol import ChannelState

ID = Argument(name="call")


class CallShown(msgspec.Struct, frozen=True):
    """A call as --json has it: the caller's number as the live view shows it, no keys."""

    call_id: str
    direction: str
    phase: str
    channel: int
    ani: str | None
    dnis: str | None
    place: str
    seconds: int


def list_calls(work: Work, given: Given) -> Report:
    live = work.live()
    return Report(calls_table(work, live), call_rows(live))


def calls_table(work: Work, live: LiveSnapshot) -> list[str]:
    rows = [
        (
            short(call.call_id),
            work.word("direction", call.direction),
            work.word("phase", call.phase),
            call.channel,
            call.ani or "-",
            call.dnis or "-",
            call.place or "-",
            work.ago(call.started_at),
        )
        for call in live.calls
    ]
    if not rows:
        return [work.say("calls.none")]
    return table(work.heads("calls", "id", "direction", "phase", "channel", "from", "to", "place", "since"), rows, work.columns)


def call_rows(live: LiveSnapshot) -> tuple[CallShown, ...]:
    at = live.health.at
    return tuple(
        CallShown(
            call.call_id,
            call.direction,
            call.phase,
            call.channel,
            call.ani,
            call.dnis,
            call.place,
            int((at - call.started_at).total_seconds()),
        )
        for call in live.calls
    )


def show_call(work: Work, given: Given) -> Report:
    live = work.live()
    call = _call(live, given["call"])
    pairs = [
        (work.say("calls.id"), call.call_id),
        (work.say("calls.direction"), work.word("direction", call.direction)),
        (work.say("calls.phase"), work.word("phase", call.phase)),
        (work.say("calls.channel"), f"{call.channel} ({call.group})"),
        (work.say("calls.from"), call.ani or "-"),
        (work.say("calls.to"), call.dnis or "-"),
        (work.say("calls.started"), work.local(call.started_at)),
        (work.say("calls.answered"), work.local(call.answered_at)),
        (work.say("calls.came"), " > ".join((*call.came,)) or "-"),
        (work.say("calls.with"), call.operator_channel or "-"),
        (work.say("calls.recording"), work.say("shell.yes" if call.recording else "shell.no")),
    ]
    return Report(facts(pairs, work.columns), msgspec.structs.replace(call, digits=""))


def hang_up(work: Work, given: Given) -> Report:
    call = _call(work.live(), given["call"])
    work.request(HangUpCall(call_id=call.call_id, by=work.by))
    return Report([work.say("calls.hung_up", id=short(call.call_id))])


def _call(live: LiveSnapshot, begun: str) -> LiveCall:
    """By its id, or a part of it that no other has. Raises: ConsoleError SYS-032."""
    found = [call for call in live.calls if begun in call.call_id]
    if len(found) != 1 or not begun:
        raise ConsoleError("SYS-032", f"{len(found)} calls have {begun!r} in their id", "Write as much of the id as `calls list` shows")
    return found[0]


def short(call_id: str) -> str:
    """A call's id without the day it begins with."""
    day, _, rest = call_id.partition("-")
    return rest if day.isdecimal() and rest else call_id


def history(work: Work, given: Given) -> Report:
    found = work.stored(lambda: _records(given["count"]))
    rows = [
        (
            work.local(record.started_at, "%m-%d %H:%M:%S"),
            work.word("direction", record.direction),
            record.ani or "-",
            record.dnis or "-",
            record.channel,
            f"{record.talk_ms // 1000}",
            work.word("outcome", record.outcome or "running"),
        )
        for record in found
    ]
    return Report(
        table(work.heads("calls", "started", "direction", "from", "to", "channel", "talk_s", "outcome"), rows, work.columns), found
    )


class RecordShown(msgspec.Struct, frozen=True, kw_only=True):
    """A call that was, as --json has it."""

    call_id: str
    started_at: datetime
    direction: str
    ani: str | None
    dnis: str | None
    channel: int
    talk_ms: int
    outcome: str


def _records(count: int) -> tuple[RecordShown, ...]:
    from appliance.store.models import CallRecord

    rows = CallRecord.select().order_by(CallRecord.started_at.desc()).limit(count)
    return tuple(RecordShown(**{name: getattr(row, name) for name in RecordShown.__struct_fields__}) for row in rows)


def list_sets(work: Work, given: Given) -> Report:
    live = work.live()
    sets = [channel for channel in live.channels if channel.signalling.startswith("fxo")]
    rows = [
        (channel.number, channel.name, channel.group, _set_state(work, channel), _with(live, channel), channel.calls) for channel in sets
    ]
    if not rows:
        return Report([work.say("sets.none")], sets)
    return Report(table(work.heads("sets", "number", "name", "group", "state", "with", "calls"), rows, work.columns), sets)


def _set_state(work: Work, channel: ChannelState) -> str:
    from appliance.console.commands.channels import state

    return state(work, channel)


def _with(live: LiveSnapshot, channel: ChannelState) -> str:
    """Whom the set talks with."""
    call = next((call for call in live.calls if channel.number in (call.operator_channel, call.channel)), None)
    if call is None:
        return "-"
    return (call.ani if call.operator_channel == channel.number else call.dnis) or short(call.call_id)


COMMANDS = (
    Command(name="calls list", zh="通话 列表", right=Right.SEE_LIVE, act=list_calls),
    Command(name="calls show", zh="通话 详情", right=Right.SEE_LIVE, act=show_call, arguments=(ID,)),
    Command(name="calls hangup", zh="通话 挂断", right=Right.HANG_UP, act=hang_up, arguments=(ID,), sure=True),
    Command(
        name="calls history",
        zh="通话 记录",
        right=Right.SEE_CALLS,
        act=history,
        arguments=(Argument(name="count", option=True, required=False, default=20, read=number(1, 1000)),),
    ),
    Command(name="sets list", zh="话机 列表", right=Right.SEE_LIVE, act=list_sets),
)
