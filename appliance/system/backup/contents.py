"""What of the box is in a backup: everything below data_dir but the store (a snapshot of it is), recordings (packed beside), and what is
only of use on this machine now. What later parts of the program keep there is in it without being named here. Reads folders only.
"""

import os
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

DATA, CONFIGURATION = "data/", "config/careline.toml"
SQLITE, POSTGRESQL = "database/careline.db", "database/careline.pgdump"

STORE = ("careline.db", "careline.db-wal", "careline.db-shm", "careline.db-journal")
HERE_ONLY = (
    *("careline.reserve", "recordings", "backup-work", "backup-incoming", ".restore", "lost+found", "imports", "setup-code"),
    *(
        "*.log",
        "*.lock",
        "*.pid",
        "*.sock",
        "updates",
        "support",
        "home",
        "before-*",
        "careline-v*",
        "careline.pgdump*",
        "careline.sql",
        "empty.sql",
    ),
)
"""At the top of data_dir: neither backed up nor touched by a restoring."""
OF_THIS_MACHINE = ("system/update", "system/incoming")
"""Below it: not backed up, and a restoring leaves them as they are (what is installed where; uploads)."""
PASSING = (*OF_THIS_MACHINE, "music/incoming", "prompts/incoming", "system/backup/state.json", "careline.toml.restored")
"""Below it, not backed up."""
KEYS = ("web-secret", "system/tls", "system/backup/words.json", "system/backup/passwords.json", "system/backup/ssh_key*", "*.key", "*.pem")
"""Left out where keys are not wanted."""
ASIDE = (".*.new", ".*.tmp", "*.partial")


def files_of(data: Path, keys: bool) -> Iterator[tuple[str, Path]]:
    """Name in the backup and file, in order of their names."""
    for name in _below(data, ""):
        if not _is_any(name, PASSING) and (keys or not _is_any(name, KEYS)):
            yield DATA + name, data / name


def keys_of(data: Path) -> list[str]:
    """Certificates, keys and passwords, as names below `data`."""
    return [name for name in _below(data, "") if _is_any(name, KEYS) and not _is_any(name, PASSING)]


def entries_of(data: Path) -> list[str]:
    """What lies at the top of `data` that a restoring exchanges, the store included."""
    return sorted(name for name in os.listdir(data) if not is_here_only(name))


def is_here_only(name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in (*HERE_ONLY, *ASIDE))


def _below(folder: Path, prefix: str) -> Iterator[str]:
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if not prefix and (is_here_only(entry.name) or entry.name in STORE):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _below(folder / entry.name, f"{prefix}{entry.name}/")
        elif entry.is_file(follow_symlinks=False) and not any(fnmatch(entry.name, pattern) for pattern in ASIDE):
            yield prefix + entry.name


def _is_any(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(name, pattern) or name.startswith(f"{pattern}/") for pattern in patterns)
