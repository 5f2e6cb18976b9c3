"""The settings of backups: checked, kept as a file with who changed them when, the versions before beside it. Any thread, one at a time."""

import re
import threading
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from appliance.system.backup.files import write_whole
from appliance.system.backup.messages import BackupSettings, Target, TargetKind
from appliance.system.errors import BoxError
from drivers.clock import Clock

VERSIONS = 20
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,29}")
AT = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:-]{0,250}[A-Za-z0-9])?")
USER = re.compile(r"[A-Za-z0-9._@\\-]{1,64}")
HOST_KEY = re.compile(r"(ssh-ed25519|ecdsa-sha2-nistp\d+|ssh-rsa) [A-Za-z0-9+/=]{40,2000}( .*)?")
OPTIONS = re.compile(r"[A-Za-z0-9_.,=:/-]{0,200}")
TEXT = re.compile(r"[^\x00-\x1f\x7f]{0,200}")
KEEP_MOST = 400
FORBIDDEN_OPTIONS = ("suid", "dev", "exec", "credentials", "password", "pass", "user", "username")

_lock = threading.Lock()


class KeptSettings(msgspec.Struct, frozen=True, kw_only=True):
    """revision: counts the changes."""

    revision: int = 0
    changed_by: str = ""
    changed_at: datetime | None = None
    settings: BackupSettings = BackupSettings()


def load(path: Path) -> KeptSettings:
    """Those of a box that was never set up when there are none. Raises: BoxError SYS-125 damaged, SYS-116."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), KeptSettings)
    except FileNotFoundError:
        return KeptSettings()
    except (ValueError, msgspec.ValidationError) as error:
        versions = sorted(path.parent.glob(f"{path.stem}.*{path.suffix}"))
        remedy = f"Correct it, or put {versions[-1].name} in its place" if versions else "Correct it, or remove it and set it up anew"
        raise BoxError("SYS-125", f"{path} cannot be used: {error}", remedy) from error
    except OSError as error:
        raise BoxError("SYS-116", f"cannot read {path}: {error.strerror}", "Check who owns that folder") from error


def change(path: Path, settings: BackupSettings, revision: int, by: str, clock: Clock) -> KeptSettings:
    """Raises: BoxError SYS-101 a value that cannot be, SYS-102 somebody else was faster."""
    check(settings)
    with _lock:
        before = load(path)
        if before.revision != revision:
            what = f"the settings were changed by {before.changed_by or 'somebody'} meanwhile"
            raise BoxError("SYS-102", what, "Look at them as they are now, and change them again")
        return _keep(path, before, settings, by, clock)


def undo(path: Path, by: str, clock: Clock) -> KeptSettings:
    """As before the last change. Raises: BoxError SYS-101 when there is nothing before it."""
    with _lock:
        now = load(path)
        version = _version(path, now.revision - 1)
        if not version.exists():
            raise BoxError("SYS-101", "there are no settings before these", "Change them by hand")
        return _keep(path, now, load(version).settings, by, clock)


def _keep(path: Path, before: KeptSettings, settings: BackupSettings, by: str, clock: Clock) -> KeptSettings:
    kept = KeptSettings(revision=before.revision + 1, changed_by=by, changed_at=clock.now().astimezone(UTC), settings=settings)
    if path.exists():
        write_whole(_version(path, before.revision), path.read_bytes(), 0o640)
    write_whole(path, msgspec.toml.encode(msgspec.to_builtins(kept, builtin_types=(datetime,))), 0o640)
    _version(path, before.revision - VERSIONS).unlink(missing_ok=True)
    return kept


def _version(path: Path, revision: int) -> Path:
    return path.with_name(f"{path.stem}.{revision:06}{path.suffix}")


def target_of(settings: BackupSettings, name: str) -> Target:
    """Raises: BoxError SYS-103."""
    found = next((target for target in settings.targets if target.name == name), None)
    if found is None:
        known = ", ".join(target.name for target in settings.targets) or "none is set up"
        raise BoxError("SYS-103", f"there is no place for backups named {name!r}", f"Known are: {known}")
    return found


# --- checks -------------------------------------------------------------------------------------------------------------


def check(settings: BackupSettings) -> None:
    """Raises: BoxError SYS-101 naming the first value that cannot be."""
    names = [target.name for target in settings.targets]
    _must(bool(AT.fullmatch(settings.at)), "at", settings.at, "a time of day, as 02:30")
    for field in ("keep_days", "keep_weeks", "keep_months", "keep_by_hand"):
        count = getattr(settings, field)
        _must(0 <= count <= KEEP_MOST, field, count, f"0 to {KEEP_MOST}")
    _must(len(set(names)) == len(names), "targets", ", ".join(names), "different names")
    for target in settings.targets:
        _check_target(target)
    for name in settings.nightly_to:
        _must(name in names, "nightly_to", name, "names of targets")
    _must(bool(settings.nightly_to) or not settings.nightly, "nightly_to", "", "at least one target")


def _check_target(target: Target) -> None:
    _must(bool(NAME.fullmatch(target.name)), "name", target.name, "small letters, digits and dashes, 30 at most")
    for field in ("path", "label", "source", "options"):
        _must(bool(TEXT.fullmatch(getattr(target, field))), f"{target.name}.{field}", "…", "200 characters, no control characters")
    _KINDS[target.kind](target)


def _folder(target: Target) -> None:
    _must(
        target.path.startswith("/") and _is_plain(target.path[1:]), f"{target.name}.path", target.path, "a whole path, as /mnt/nas/backup"
    )


def _usb(target: Target) -> None:
    _must(_is_plain(target.path), f"{target.name}.path", target.path, "a folder on the disk, without ..")


def _share(target: Target) -> None:
    if not target.source:
        _folder(target)
        return
    _usb(target)
    _must(target.file_system in ("cifs", "nfs", "nfs4"), f"{target.name}.file_system", target.file_system, "cifs, nfs, nfs4")
    form = target.source.startswith("//") if target.file_system == "cifs" else ":/" in target.source and not target.source.startswith("-")
    _must(form, f"{target.name}.source", target.source, "//machine/share (cifs) or machine:/folder (nfs)")
    _must(bool(OPTIONS.fullmatch(target.options)), f"{target.name}.options", target.options, "options of mount, with commas between")
    given = {option.partition("=")[0] for option in target.options.split(",")}
    _must(not given & set(FORBIDDEN_OPTIONS), f"{target.name}.options", target.options, f"none of {', '.join(FORBIDDEN_OPTIONS)}")
    _must(not target.user or bool(USER.fullmatch(target.user)), f"{target.name}.user", target.user, "the name of a user")


def _sftp(target: Target) -> None:
    _must(bool(HOST.fullmatch(target.host)), f"{target.name}.host", target.host, "a machine's name or address")
    _must(1 <= target.port <= 65535, f"{target.name}.port", target.port, "1 to 65535")
    _must(bool(USER.fullmatch(target.user)), f"{target.name}.user", target.user, "the name of a user")
    _must(bool(HOST_KEY.fullmatch(target.host_key)), f"{target.name}.host_key", "…", "the key that machine shows, as ssh-ed25519 AAAA…")
    _must(_is_plain(target.path.lstrip("/")), f"{target.name}.path", target.path, "a folder, without ..")


_KINDS = {TargetKind.FOLDER: _folder, TargetKind.USB: _usb, TargetKind.SHARE: _share, TargetKind.SFTP: _sftp}


def _is_plain(path: str) -> bool:
    return not path.startswith("/") and ".." not in path.split("/")


def _must(well: bool, field: str, value: object, wanted: str) -> None:
    if not well:
        raise BoxError("SYS-101", f"backup setting {field} = {value!s:.80}", f"Wanted: {wanted}")
