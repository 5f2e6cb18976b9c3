"""Backups: their state, making and checking one, what lies at a target, taking one back, and where they go."""

import msgspec

from appliance.console.command import Argument, Command, Given, Report
from appliance.console.errors import ConsoleError, UsageError
from appliance.console.table import facts, table
from appliance.console.width import printable
from appliance.console.work import Work, bytes_told
from appliance.store.rights import Right
from appliance.system.backup.messages import (
    AskBackups,
    AskBackupSettings,
    AskBackupState,
    AskBackupWords,
    AskUsbDisks,
    BackupList,
    BackupMade,
    BackupRestored,
    BackupSettings,
    BackupSettingsTold,
    BackupState,
    BackupVerified,
    BackupWords,
    CancelBackupJob,
    ConfirmRestore,
    MakeBackup,
    RestoreBackup,
    RestorePhase,
    SetBackupSettings,
    Target,
    TargetKind,
    UndoRestore,
    UsbDisks,
    VerifyBackup,
)

HISTORY_SHOWN = 8


def status(work: Work, given: Given) -> Report:
    told = work.box(AskBackupState(by=work.by), BackupState)
    pairs: list[tuple[str, object]] = [
        (work.say("backup.last_good"), work.local(told.last_good_at)),
        (work.say("backup.nightly"), work.say("shell.yes" if told.nightly else "shell.no")),
        (work.say("backup.next"), work.local(told.next_at)),
        (work.say("backup.words_seen"), work.say("shell.yes" if told.words_seen else "shell.no")),
    ]
    if told.job is not None and told.job.ended_at is None:
        pairs.append(
            (work.say("backup.running"), f"{told.job.kind} {told.job.target} {told.job.percent}% {work.word('step', told.job.step)}")
        )
    if told.restore is not RestorePhase.NONE:
        pairs.append((work.say("backup.restored_from"), f"{told.restored_from} {work.local(told.restored_at)}"))
    rows = [
        (
            work.local(each.at, "%m-%d %H:%M"),
            each.target,
            each.name,
            work.word("backup_outcome", each.outcome),
            bytes_told(each.size),
            each.code,
        )
        for each in told.history[:HISTORY_SHOWN]
    ]
    tried = ["", *table(work.heads("backup", "at", "target", "name", "outcome", "size", "code"), rows, work.columns)] if rows else []
    return Report([*facts(pairs, work.columns), *tried], told)


def make(work: Work, given: Given) -> Report:
    """At the only target, if none is named."""
    made = work.long(
        MakeBackup(target=_target(work, given["target"]), recordings=True if given["recordings"] else None, by=work.by), BackupMade
    )
    assert made is not None
    return Report([work.say("backup.made", name=made.name, target=made.target, size=bytes_told(made.size))], made)


def list_backups(work: Work, given: Given) -> Report:
    told = work.box(AskBackups(target=_target(work, given["target"]), by=work.by), BackupList)
    rows = [(each.name, work.local(each.at), each.box, bytes_told(each.size)) for each in told.backups]
    lines = table(work.heads("backup", "name", "at", "box", "size"), rows, work.columns) if rows else [work.say("backup.none")]
    if told.free is not None:
        lines.append(work.say("backup.free", free=bytes_told(told.free)))
    return Report(lines, told)


def verify(work: Work, given: Given) -> Report:
    name = given["name"]
    place = {"path": name} if name.startswith("/") else {"target": _target(work, given["target"]), "name": name}
    words = work.place.ask(work.say("backup.ask_words"), secret=True).strip() if name.startswith("/") else ""
    told = work.long(VerifyBackup(**place, words=words, by=work.by), BackupVerified)
    assert told is not None
    return Report([work.say("backup.verified", name=given["name"], parts=told.parts, version=told.about.version)], told)


def restore(work: Work, given: Given) -> Report:
    """Everything is asked before anything is sent: the own password again, and the words of another box's backup."""
    target = "" if given["name"].startswith("/") else _target(work, given["target"])
    _prove(work)
    words = work.place.ask(work.say("backup.ask_words"), secret=True).strip()
    place = {"path": given["name"]} if not target else {"target": target, "name": given["name"]}
    told = work.long(
        RestoreBackup(**place, words=words, configuration=not given["data-only"], recordings=not given["no-recordings"], by=work.by),
        BackupRestored,
    )
    assert told is not None
    lines = [work.say("backup.restored", box=told.about.box, at=work.local(told.about.at))]
    if told.configuration_beside:
        lines.append(work.say("backup.beside", path=told.configuration_beside))
    return Report(lines, told)


def confirm(work: Work, given: Given) -> Report:
    work.long(ConfirmRestore(by=work.by))
    return Report([work.say("backup.confirmed")])


def undo(work: Work, given: Given) -> Report:
    _prove(work)
    work.long(UndoRestore(by=work.by))
    return Report([work.say("backup.undone")])


def cancel(work: Work, given: Given) -> Report:
    work.long(CancelBackupJob(by=work.by))
    return Report([work.say("backup.cancelled")])


def words(work: Work, given: Given) -> Report:
    """They open every backup of this box: shown to who has just proved to be who is logged in."""
    _prove(work)
    told = work.box(AskBackupWords(by=work.by), BackupWords)
    return Report([told.words, work.say("backup.keep_words")], None)


def disks(work: Work, given: Given) -> Report:
    told = work.box(AskUsbDisks(by=work.by), UsbDisks)
    rows = [(each.device, each.label or "-", each.file_system, bytes_told(each.size), printable(each.model)) for each in told.disks]
    return Report(table(work.heads("backup", "device", "label", "file_system", "size", "model"), rows, work.columns), told.disks)


# --- targets ------------------------------------------------------------------------------------------------------------


def targets(work: Work, given: Given) -> Report:
    told = _settings(work)
    rows = [
        (each.name, each.kind.value, _where(each), work.say("shell.yes" if each.name in told.settings.nightly_to else "shell.no"))
        for each in told.settings.targets
    ]
    lines = (
        table(work.heads("backup", "target", "kind", "where", "nightly"), rows, work.columns) if rows else [work.say("backup.no_targets")]
    )
    return Report([*lines, "", work.say("backup.key"), told.public_key], told.settings)


def _where(target: Target) -> str:
    host = f"{target.user}@{target.host}:{target.port}" if target.host else target.source or target.label
    return f"{host} {target.path}".strip()


def add(work: Work, given: Given) -> Report:
    told = _settings(work)
    values = {name.replace("-", "_"): given[name] for name in TEXTS if given[name]}
    target = Target(name=given["name"], kind=TargetKind(given["kind"]), **values)
    if target.name in [each.name for each in told.settings.targets]:
        raise ConsoleError("SYS-037", f"there is a target {target.name!r} already", "Give it another name, or remove that one")
    _save(work, told, msgspec.structs.replace(told.settings, targets=(*told.settings.targets, target)))
    return Report([work.say("backup.added", name=target.name)])


def remove(work: Work, given: Given) -> Report:
    """What lies there stays there."""
    told = _settings(work)
    name = _target(work, given["target"])
    kept = tuple(each for each in told.settings.targets if each.name != name)
    nightly = tuple(each for each in told.settings.nightly_to if each != name)
    _save(
        work,
        told,
        msgspec.structs.replace(told.settings, targets=kept, nightly_to=nightly, nightly=told.settings.nightly and bool(nightly)),
    )
    return Report([work.say("backup.removed", name=name)])


def nightly(work: Work, given: Given) -> Report:
    told = _settings(work)
    chosen = tuple(given["target"]) or told.settings.nightly_to
    changed = msgspec.structs.replace(told.settings, nightly=given["state"] == "on", nightly_to=chosen, at=given["at"] or told.settings.at)
    _save(work, told, changed)
    return Report([work.say("backup.nightly_set")])


def _settings(work: Work) -> BackupSettingsTold:
    return work.box(AskBackupSettings(by=work.by), BackupSettingsTold)


def _save(work: Work, told: BackupSettingsTold, settings: BackupSettings) -> None:
    work.long(SetBackupSettings(settings=settings, revision=told.revision, by=work.by))


def _target(work: Work, name: str) -> str:
    """That target, or the only one. Raises: UsageError."""
    known = [each.name for each in _settings(work).settings.targets]
    if name in known or (not name and len(known) == 1):
        return name or known[0]
    raise UsageError("wrong.choice", word=name, choices=", ".join(known) or "-")


def _prove(work: Work) -> None:
    """Raises: ConsoleError SYS-038."""
    if not work.prove():
        raise ConsoleError("SYS-038", "this is not your password", "Nothing was done")


TEXTS = ("path", "label", "source", "file-system", "options", "host", "user", "host-key")
TARGET = Argument(name="target", required=False, default="")
NAME = Argument(name="name")
RIGHT = Right.MANAGE_BACKUPS
COMMANDS = (
    Command(name="backup status", zh="备份 状态", right=RIGHT, act=status),
    Command(name="backup now", zh="备份 立即", right=RIGHT, act=make, arguments=(TARGET, Argument(name="recordings", flag=True))),
    Command(name="backup list", zh="备份 列表", right=RIGHT, act=list_backups, arguments=(TARGET,)),
    Command(name="backup verify", zh="备份 检查", right=RIGHT, act=verify, arguments=(NAME, TARGET)),
    Command(
        name="backup restore",
        zh="备份 恢复",
        right=RIGHT,
        act=restore,
        arguments=(NAME, TARGET, Argument(name="data-only", flag=True), Argument(name="no-recordings", flag=True)),
        sure=True,
    ),
    Command(name="backup confirm", zh="备份 确认", right=RIGHT, act=confirm, sure=True),
    Command(name="backup undo", zh="备份 撤销", right=RIGHT, act=undo, sure=True),
    Command(name="backup cancel", zh="备份 取消", right=RIGHT, act=cancel),
    Command(name="backup words", zh="备份 恢复词", right=RIGHT, act=words),
    Command(name="backup disks", zh="备份 磁盘", right=RIGHT, act=disks),
    Command(name="backup targets", zh="备份 目标", right=RIGHT, act=targets),
    Command(
        name="backup add",
        zh="备份 添加",
        right=RIGHT,
        act=add,
        arguments=(
            Argument(name="kind", choices=tuple(kind.value for kind in TargetKind)),
            NAME,
            *(Argument(name=name, option=True, required=False, default="") for name in TEXTS),
        ),
    ),
    Command(name="backup remove", zh="备份 移除", right=RIGHT, act=remove, arguments=(Argument(name="target"),), sure=True),
    Command(
        name="backup nightly",
        zh="备份 每夜",
        right=RIGHT,
        act=nightly,
        arguments=(
            Argument(name="state", choices=("on", "off")),
            Argument(name="target", rest=True, required=False, default=()),
            Argument(name="at", option=True, required=False, default=""),
        ),
    ),
)
