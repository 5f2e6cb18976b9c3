"""The box itself: its services and logs, restart, shutting down, and back to the factory's state."""

from appliance.console.command import Argument, Command, Given, Report, number
from appliance.console.errors import Interrupted
from appliance.console.table import table
from appliance.console.width import printable
from appliance.console.work import Work, bytes_told
from appliance.store.rights import Right
from appliance.system.services.messages import (
    AskLogs,
    AskServices,
    FactoryReset,
    KeepRunning,
    LogsTold,
    PrepareReset,
    ResetPart,
    ResetPrepared,
    RestartBox,
    RestartService,
    ServicesTold,
)

FOLLOW_EVERY_S = 1.0
FOLLOW_MOST_S = 3600.0
CALLS_LIMIT_S = 1800


def list_services(work: Work, given: Given) -> Report:
    told = work.box(AskServices(by=work.by), ServicesTold)
    rows = [
        (
            each.name,
            work.word("unit_state", each.state),
            each.detail,
            work.local(each.since, "%m-%d %H:%M"),
            each.restarts,
            bytes_told(each.memory_bytes),
        )
        for each in told.services
    ]
    failed = any(each.state == "failed" for each in told.services)
    heads = work.heads("services", "name", "state", "detail", "since", "restarts", "memory")
    return Report(table(heads, rows, work.columns), told.services, failed=failed)


def restart_service(work: Work, given: Given) -> Report:
    work.long(RestartService(name=given["service"], by=work.by))
    return Report([work.say("services.restarted", name=given["service"])])


def logs(work: Work, given: Given) -> Report:
    told = work.box(AskLogs(service=given["service"], lines=given["lines"], by=work.by), LogsTold)
    lines = [printable(line) for line in told.lines]
    if not given["follow"]:
        return Report(lines, told.lines)
    work.tell(*lines)
    until_s = work.clock.monotonic_s() + FOLLOW_MOST_S
    while work.clock.monotonic_s() < until_s and not work.place.pause(FOLLOW_EVERY_S):
        told = work.box(AskLogs(service=given["service"], lines=1000, cursor=told.cursor, by=work.by), LogsTold)
        if told.lines:
            work.tell(*(printable(line) for line in told.lines))
    return Report()


def reboot(work: Work, given: Given) -> Report:
    return _end(work, given, power_off=False)


def shut_down(work: Work, given: Given) -> Report:
    return _end(work, given, power_off=True)


def _end(work: Work, given: Given, power_off: bool) -> Report:
    """Ctrl-C while it waits for calls calls it off."""
    try:
        work.long(RestartBox(power_off=power_off, wait_s=0 if given["now"] else CALLS_LIMIT_S, by=work.by))
    except Interrupted:
        work.box_only(KeepRunning(by=work.by))
        return Report([work.say("box.called_off")], failed=True)
    return Report([work.say("box.shutting_down" if power_off else "box.restarting")])


def factory_reset(work: Work, given: Given) -> Report:
    """Two steps: what will be deleted is told with a code, and only that code does it."""
    parts = tuple(ResetPart) if "all" in given["part"] else tuple(dict.fromkeys(ResetPart(word) for word in given["part"]))
    prepared = work.box(PrepareReset(parts=parts, by=work.by), ResetPrepared)
    work.tell(
        work.say("box.will_delete", size=bytes_told(prepared.bytes)),
        *(f"  - {work.word('reset_part', part)}" for part in prepared.parts),
        work.say("box.reset_code", code=prepared.code),
    )
    code = work.place.ask(work.say("box.type_code")).strip()
    if not code:
        return Report([work.say("box.nothing_deleted")], failed=True)
    work.long(FactoryReset(code=code, by=work.by))
    return Report([work.say("box.resetting")])


SERVICE = Argument(name="service")
NOW = Argument(name="now", flag=True)
COMMANDS = (
    Command(
        name="logs show",
        zh="日志 查看",
        right=Right.LOOK_AFTER_BOX,
        act=logs,
        arguments=(
            Argument(name="service", required=False, default=""),
            Argument(name="lines", option=True, required=False, default=50, read=number(1, 1000)),
            Argument(name="follow", flag=True),
        ),
    ),
    Command(name="services list", zh="服务 列表", right=Right.LOOK_AFTER_BOX, act=list_services),
    Command(name="services restart", zh="服务 重启", right=Right.LOOK_AFTER_BOX, act=restart_service, arguments=(SERVICE,), sure=True),
    Command(name="reboot", zh="重启", right=Right.LOOK_AFTER_BOX, act=reboot, arguments=(NOW,), sure=True),
    Command(name="shutdown", zh="关机", right=Right.LOOK_AFTER_BOX, act=shut_down, arguments=(NOW,), sure=True),
    Command(
        name="factory-reset",
        zh="恢复出厂",
        right=Right.RESET_BOX,
        act=factory_reset,
        arguments=(Argument(name="part", rest=True, choices=("all", *(part.value for part in ResetPart))),),
    ),
)
