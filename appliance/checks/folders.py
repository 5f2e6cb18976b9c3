"""`[paths]`: are run_dir and data_dir folders the three processes can live in? Looks at the machine, changes nothing. Any thread.

A folder that is not there is no fault: the services make it (`systemd-tmpfiles`), or the first process does.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from appliance.config import Config
from drivers.errors import ConfigError, DoubtfulConfigError

VOLATILE = tuple(map(Path, ("/run", "/var/run", "/tmp", "/dev/shm", "/proc", "/sys", "/dev")))
OTHERS_MAY_WRITE = stat.S_IWOTH
GROUP_MAY_ALL = stat.S_IRWXG


def absolute(config: Config) -> Iterator[ConfigError]:
    """Write the whole path, from /: each process would look below the folder it was started in."""
    for key, folder in _both(config):
        if not folder.is_absolute():
            yield ConfigError("CFG-006", f"{_at(config, key)}: it does not begin with /", 'Write the whole path, as "/var/lib/careline"')


def apart(config: Config) -> Iterator[ConfigError]:
    """Give each a folder of its own: run_dir is emptied at every start of the machine, with all that is below it."""
    run, data = (Path(os.path.realpath(folder)) for _, folder in _both(config))
    if data.is_relative_to(run):
        said = (
            f"it is {'run_dir itself' if data == run else 'below run_dir'}, which is emptied when the machine starts: records would be lost"
        )
        yield ConfigError("CFG-008", f"{_at(config, 'data_dir')}: {said}", 'Use a folder that lasts, as "/var/lib/careline"')
    elif run.is_relative_to(data):
        said = "it is below data_dir, so sockets and locks would be among what is kept and backed up"
        yield DoubtfulConfigError("CFG-008", f"{_at(config, 'run_dir')}: {said}", 'Use a folder of its own, as "/run/careline"')


def usable(config: Config) -> Iterator[ConfigError]:
    """Name a folder, or a place where one can be made, and let the services' users write there."""
    for key, folder in _both(config):
        there = next(place for place in (folder.absolute(), *folder.absolute().parents) if os.path.lexists(place))
        if not there.is_dir():
            yield ConfigError("CFG-007", f"{_at(config, key)}: {there} is no folder", "Name a folder, or move that file away")
        elif there == folder.absolute() and folder.parent == folder:
            yield ConfigError("CFG-007", f"{_at(config, key)}: that is the root of all folders", "Use a folder of its own")
        elif there == folder and not os.access(folder, os.R_OK | os.W_OK | os.X_OK, effective_ids=True):
            yield _no_access(_at(config, key), folder)


def _no_access(where: str, folder: Path) -> ConfigError:
    """For root, and for whom the folder belongs to, it is a fault; anybody else may just not be of the right group."""
    said = f"{where}: the user {os.geteuid()}, who asks, may not write there"
    if os.geteuid() in (0, folder.stat().st_uid):
        return ConfigError("CFG-009", said, f"chmod u+rwx {folder}, or mount its disk for writing")
    return DoubtfulConfigError("CFG-009", said, "Check as root, or as a member of the group careline")


def lasting(config: Config) -> Iterator[ConfigError]:
    """Use a folder on the disk: what is below these is gone when the machine starts again."""
    data = Path(os.path.realpath(config.paths.data_dir))
    for volatile in VOLATILE:
        if data.is_relative_to(volatile):
            said = f"what is below {volatile} is lost when the machine starts again: records, recordings, messages"
            yield DoubtfulConfigError("CFG-010", f"{_at(config, 'data_dir')}: {said}", 'Use a folder that lasts, as "/var/lib/careline"')
            return


def private(config: Config) -> Iterator[ConfigError]:
    """chmod o-w: anybody on the machine could take the sockets' places, or change records and recordings."""
    for key, folder in _both(config):
        found = _stat(folder)
        if found and found.st_mode & OTHERS_MAY_WRITE:
            said = f"everybody may write there (mode {stat.S_IMODE(found.st_mode):04o})"
            yield DoubtfulConfigError("CFG-011", f"{_at(config, key)}: {said}", f"chmod o-w {folder}")


def shared(config: Config) -> Iterator[ConfigError]:
    """Give both folders to one group and let it write, as systemd-tmpfiles does: the processes are different users of one group."""
    run, data = (_stat(folder) for _, folder in _both(config))
    if run and data and (said := apart_by_rights(run, data)):
        remedy = f"chgrp careline {config.paths.run_dir} {config.paths.data_dir}, and chmod g+rwx both"
        yield DoubtfulConfigError("CFG-012", f"{_at(config, 'data_dir')}: {said}", remedy)


def apart_by_rights(run: os.stat_result, data: os.stat_result) -> str:
    """Who may use run_dir and not data_dir or the other way round; empty when one user or one group may use both."""
    if run.st_gid != data.st_gid:
        return f"it belongs to {data.st_uid}:{data.st_gid}, and run_dir to {run.st_uid}:{run.st_gid}"
    closed = [key for key, found in (("run_dir", run), ("data_dir", data)) if found.st_mode & GROUP_MAY_ALL != GROUP_MAY_ALL]
    if run.st_uid != data.st_uid and closed:
        return f"it and run_dir belong to different users, and their group {data.st_gid} may not write in {' and '.join(closed)}"
    return ""


def _both(config: Config) -> tuple[tuple[str, Path], tuple[str, Path]]:
    return ("run_dir", Path(config.paths.run_dir)), ("data_dir", Path(config.paths.data_dir))


def _at(config: Config, key: str) -> str:
    return f'paths.{key} = "{getattr(config.paths, key)}"'


def _stat(folder: Path) -> os.stat_result | None:
    try:
        return folder.stat()
    except OSError:
        return None
