"""Alarms: those that last, those that were, and who sees to them."""

from collections.abc import Collection
from datetime import datetime

import msgspec

from appliance.console.command import Argument, Command, Given, Report, number
from appliance.console.table import table
from appliance.console.width import cut, printable
from appliance.console.work import Work
from appliance.store.rights import Right

COUNT = Argument(name="count", option=True, required=False, default=30, read=number(1, 1000))


class AlarmShown(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm as --json has it."""

    id: int
    severity: str
    subject: str
    number: int
    alarm: str
    detail: str
    began_at: datetime
    ended_at: datetime | None
    acknowledged_by: str


def list_alarms(work: Work, given: Given) -> Report:
    def look() -> tuple[AlarmShown, ...]:
        from appliance.store import alarms

        return tuple(map(shown, alarms.open_alarms()))

    found = work.stored(look)
    if not found:
        return Report([work.say("alarms.none")], found)
    return Report([*_table(work, found), "", work.say("alarms.how")], found, failed=True)


def history(work: Work, given: Given) -> Report:
    def look() -> tuple[AlarmShown, ...]:
        from appliance.store import alarms

        return tuple(map(shown, alarms.history(given["count"])))

    found = work.stored(look)
    return Report(_table(work, found) if found else [work.say("alarms.none_yet")], found)


def acknowledge(work: Work, given: Given) -> Report:
    def do() -> bool:
        from appliance.store import alarms

        return alarms.acknowledge(given["alarm"], work.by, work.clock.now())

    key = "alarms.acknowledged" if work.stored(do) else "alarms.already"
    return Report([work.say(key, id=given["alarm"])])


def new_alarms(told: Collection[int]) -> tuple[AlarmShown, ...]:
    """Those that last, nobody sees to, and were not told yet. Inside a connection to the store."""
    from appliance.store import alarms

    found = map(shown, alarms.open_alarms())
    return tuple(alarm for alarm in found if alarm.id not in told and not alarm.acknowledged_by)


def alarm_line(work: Work, alarm: AlarmShown) -> str:
    """As it is told between two commands."""
    about = f"{work.word('subject', alarm.subject)} {alarm.number or ''}".strip()
    text = printable(f"{alarm.alarm} {alarm.detail}".strip())
    return cut(f"! {alarm.id} {work.word('severity', alarm.severity)}: {about}: {text}", work.columns - 1)


def shown(row: object) -> AlarmShown:
    return AlarmShown(**{name: getattr(row, name) for name in AlarmShown.__struct_fields__})


def _table(work: Work, found: tuple[AlarmShown, ...]) -> list[str]:
    rows = [
        (
            alarm.id,
            work.word("severity", alarm.severity),
            f"{work.word('subject', alarm.subject)} {alarm.number or ''}".strip(),
            f"{alarm.alarm} {alarm.detail}".strip(),
            work.local(alarm.began_at, "%m-%d %H:%M"),
            alarm.acknowledged_by or "-",
        )
        for alarm in found
    ]
    return table(work.heads("alarms", "id", "severity", "subject", "alarm", "began", "by"), rows, work.columns)


COMMANDS = (
    Command(name="alarms list", zh="告警 列表", right=Right.SEE_ALARMS, act=list_alarms),
    Command(
        name="alarms ack",
        zh="告警 确认",
        right=Right.ACKNOWLEDGE_ALARMS,
        act=acknowledge,
        arguments=(Argument(name="alarm", read=number(1, 10**9)),),
    ),
    Command(name="alarms history", zh="告警 历史", right=Right.SEE_ALARMS, act=history, arguments=(COUNT,)),
)
