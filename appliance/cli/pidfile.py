"""A pid file that is also a lock: as long as its process lives nobody else gets it, and a killed process leaves nothing to clear away.

The lock belongs to an inheritable descriptor, so it passes through the detaching forks and the exec into the process itself.
"""

import fcntl
import os
from pathlib import Path

from appliance.errors import StartError


class PidFile:
    """Taken on creation. Raises: StartError APP-040 another process has it, APP-041 the file cannot be made."""

    def __init__(self, path: Path, what: str) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise StartError("APP-041", f"cannot make the pid file {path}: {error.strerror}", "Name another with --pid-file") from error
        os.set_inheritable(self.fd, True)
        self._lock(what)

    def __enter__(self) -> "PidFile":
        """Write down the process that has it now; called again after a fork."""
        os.truncate(self.fd, 0)
        os.pwrite(self.fd, f"{os.getpid()}\n".encode(), 0)
        return self

    def __exit__(self, *_: object) -> None:
        self._path.unlink(missing_ok=True)
        os.close(self.fd)

    def _lock(self, what: str) -> None:
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.pread(self.fd, 20, 0).decode(errors="replace").strip() or "?"
            os.close(self.fd)
            raise StartError(
                "APP-040", f"{what} runs already, as process {owner} ({self._path})", f"Stop that one first: kill {owner}"
            ) from error
