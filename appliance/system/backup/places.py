"""Where backups have their things on this box. Pure but for the name of the machine."""

import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from appliance.calendar import Calendar
from appliance.system.backup.incoming import INCOMING
from appliance.system.box import Box
from drivers.settings import Paths

if TYPE_CHECKING:
    from appliance.store.place import StorePlace

WORK = "backup-work"
RESTORE = ".restore"
OTHER = re.compile(r"[^A-Za-z0-9]+")


class Places(msgspec.Struct, frozen=True):
    """own: settings, words, history; work: what is gone after a job; fetched: copies for the web; restore: what a restoring moves aside."""

    data: Path
    run: Path
    configuration: Path
    paths: Paths
    zone: ZoneInfo
    box: str

    @property
    def store(self) -> "StorePlace":
        """Raises: ConfigError CFG-069."""
        from appliance.store.place import place_of  # the client of PostgreSQL, which the box service needs for backups alone

        return place_of(self.paths)

    @property
    def own(self) -> Path:
        return self.data / "system" / "backup"

    @property
    def settings(self) -> Path:
        return self.own / "settings.toml"

    @property
    def words(self) -> Path:
        return self.own / "words.json"

    @property
    def passwords(self) -> Path:
        return self.own / "passwords.json"

    @property
    def ssh_key(self) -> Path:
        return self.own / "ssh_key"

    @property
    def history(self) -> Path:
        return self.own / "history.json"

    @property
    def state(self) -> Path:
        """For the health service: appliance.system.backup.state."""
        return self.own / "state.json"

    @property
    def saved(self) -> Path:
        """Which recordings lie at which target."""
        return self.own / "saved"

    @property
    def work(self) -> Path:
        return self.data / WORK

    @property
    def fetched(self) -> Path:
        return self.data / WORK / "fetched"

    @property
    def incoming(self) -> Path:
        return self.data / INCOMING

    @property
    def restore(self) -> Path:
        return self.data / RESTORE

    @property
    def recordings(self) -> Path:
        return self.data / "recordings"

    @property
    def mounts(self) -> Path:
        return self.run / "backup"


def places_of(box: Box) -> Places:
    """Raises: ConfigError when [paths] or [hospital] cannot be used."""
    paths = box.config.paths
    zone = Calendar(box.config.hospital.calendar).zone
    return Places(Path(paths.data_dir), Path(paths.run_dir), box.file, paths, zone, box_name())


def box_name() -> str:
    """The machine's name as it may stand in the name of a file."""
    return OTHER.sub("-", socket.gethostname()).strip("-")[:40].lower() or "careline"
