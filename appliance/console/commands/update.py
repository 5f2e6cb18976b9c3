"""Updates: what runs, what can be installed, installing it, and the way back."""

from appliance.console.command import Argument, Command, Given, Report, number
from appliance.console.table import facts, table
from appliance.console.width import printable
from appliance.console.work import Work, bytes_told
from appliance.store.rights import Right
from appliance.system.update.messages import (
    AskBundles,
    AskUpdate,
    BundleChecked,
    BundlesTold,
    CancelRestart,
    CheckBundle,
    GoBack,
    InstallUpdate,
    Note,
    RestartWhenQuiet,
    StayHere,
    UpdateTold,
)

HISTORY_SHOWN = 8
BUNDLE = Argument(name="bundle")


def status(work: Work, given: Given) -> Report:
    told = work.box(AskUpdate(by=work.by), UpdateTold)
    rows = [
        (slot.name, slot.version or "-", *(work.say("shell.yes" if each else "shell.no") for each in (slot.booted, slot.good, slot.next)))
        for slot in told.slots
    ]
    lines = facts([(work.say("update.version"), told.version)], work.columns)
    if told.fault:
        lines.append(told.fault)
    if rows:
        lines += ["", *table(work.heads("update", "slot", "slot_version", "booted", "good", "next"), rows, work.columns)]
    if told.job is not None:
        lines.append(work.say("update.running", bundle=told.job.bundle, percent=told.job.percent, step=work.word("step", told.job.step)))
    if told.trial is not None:
        lines.append(work.say("update.trial", version=told.trial.version, slot=told.trial.slot))
    if told.restart is not None:
        lines.append(work.say("update.restart", by=told.restart.by, until=work.local(told.restart.until)))
    lines += [_note(work, note) for note in told.history[:HISTORY_SHOWN]]
    return Report(lines, told, failed=bool(told.fault))


def _note(work: Work, note: Note) -> str:
    parts = (work.local(note.at), work.word("update_event", note.event), note.version, note.by, note.code, printable(note.what))
    return "  ".join(part for part in parts if part)


def list_bundles(work: Work, given: Given) -> Report:
    told = work.box(AskBundles(by=work.by), BundlesTold)
    rows = [(each.bundle, bytes_told(each.size_bytes)) for each in told.bundles]
    lines = table(work.heads("update", "bundle", "size"), rows, work.columns) if rows else [work.say("update.none")]
    return Report([*lines, *told.faults], told)


def check(work: Work, given: Given) -> Report:
    told = work.long(CheckBundle(bundle=given["bundle"], by=work.by), BundleChecked)
    assert told is not None
    newer = work.say("shell.yes" if told.newer else "shell.no")
    return Report(
        facts([(work.say("update.version"), f"{told.version} ({told.build})"), (work.say("update.newer"), newer)], work.columns), told
    )


def install(work: Work, given: Given) -> Report:
    """Goes on in the box when nobody waits for it any more."""
    work.long(InstallUpdate(bundle=given["bundle"], older=given["older"], by=work.by))
    return Report([work.say("update.installed")])


def restart(work: Work, given: Given) -> Report:
    work.long(RestartWhenQuiet(limit_min=given["within"], by=work.by))
    return Report([work.say("update.restarts", minutes=given["within"])])


def cancel(work: Work, given: Given) -> Report:
    work.long(CancelRestart(by=work.by))
    return Report([work.say("update.cancelled")])


def back(work: Work, given: Given) -> Report:
    work.long(GoBack(by=work.by))
    return Report([work.say("update.back")])


def stay(work: Work, given: Given) -> Report:
    work.long(StayHere(by=work.by))
    return Report([work.say("update.stays")])


RIGHT = Right.MANAGE_UPDATES
COMMANDS = (
    Command(name="update status", zh="升级 状态", right=RIGHT, act=status),
    Command(name="update list", zh="升级 列表", right=RIGHT, act=list_bundles),
    Command(name="update check", zh="升级 检查", right=RIGHT, act=check, arguments=(BUNDLE,)),
    Command(
        name="update install", zh="升级 安装", right=RIGHT, act=install, arguments=(BUNDLE, Argument(name="older", flag=True)), sure=True
    ),
    Command(
        name="update restart",
        zh="升级 重启",
        right=RIGHT,
        act=restart,
        arguments=(Argument(name="within", option=True, required=False, default=60, read=number(0, 1440)),),
        sure=True,
    ),
    Command(name="update cancel", zh="升级 取消", right=RIGHT, act=cancel),
    Command(name="update back", zh="升级 退回", right=RIGHT, act=back, sure=True),
    Command(name="update stay", zh="升级 保持", right=RIGHT, act=stay, sure=True),
)
