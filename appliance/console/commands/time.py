"""The clock: what it says and follows, setting it, and the servers it follows."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec

from appliance.console.command import Argument, Command, Given, Report
from appliance.console.errors import UsageError
from appliance.console.table import facts
from appliance.console.work import Work
from appliance.store.rights import Right
from appliance.system.network.messages import AskNetwork, NetworkTold, NetworkTrying, SettleNetwork, TryNetwork
from appliance.system.services.messages import AskTime, SetTime, TimeTold

FORM = "%Y-%m-%d %H:%M:%S"


def show(work: Work, given: Given) -> Report:
    told = work.box(AskTime(by=work.by), TimeTold)
    pairs = [
        (work.say("time.now"), f"{work.local(told.now)} ({work.config.hospital.calendar.time_zone})"),
        (work.say("time.synchronised"), work.say("shell.yes" if told.synchronised else "shell.no")),
        (work.say("time.source"), told.source or "-"),
        (work.say("time.offset"), f"{told.offset_ms:g} ms"),
        (work.say("time.servers"), " ".join(told.servers) or "-"),
    ]
    return Report(facts(pairs, work.columns), told)


def date(word: str) -> str:
    return _checked(word, "%Y-%m-%d")


def time_of_day(word: str) -> str:
    return _checked(word if word.count(":") == 2 else f"{word}:00", "%H:%M:%S")


def _checked(word: str, form: str) -> str:
    try:
        datetime.strptime(word, form)  # noqa: DTZ007  # only its form
    except ValueError as error:
        raise UsageError("wrong.time", word=word) from error
    return word


def set_time(work: Work, given: Given) -> Report:
    """In the hospital's time zone."""
    zone = ZoneInfo(work.config.hospital.calendar.time_zone)
    at = datetime.strptime(f"{given['date']} {given['time']}", FORM).replace(tzinfo=zone).astimezone(UTC)
    work.long(SetTime(at=at, by=work.by))
    return Report([work.say("time.was_set", at=f"{given['date']} {given['time']}")])


def ntp(work: Work, given: Given) -> Report:
    """The servers are part of the network's settings; nothing else of those changes, so nobody need confirm."""
    told = work.box(AskNetwork(by=work.by), NetworkTold)
    changed = msgspec.structs.replace(told.settings, ntp=tuple(given["server"]))
    trying = work.box(TryNetwork(settings=changed, by=work.by), NetworkTrying)
    work.long(SettleNetwork(number=trying.trial.number, keep=True, by=work.by))
    return Report([work.say("time.servers_set", servers=" ".join(given["server"]))])


COMMANDS = (
    Command(name="time show", zh="时间 查看", right=Right.SEE_HEALTH, act=show),
    Command(
        name="time set",
        zh="时间 设置",
        right=Right.LOOK_AFTER_BOX,
        act=set_time,
        arguments=(Argument(name="date", read=date), Argument(name="time", read=time_of_day)),
    ),
    Command(name="time ntp", zh="时间 服务器", right=Right.MANAGE_NETWORK, act=ntp, arguments=(Argument(name="server", rest=True),)),
)
