"""The support bundle: what somebody who helps from afar needs, in one archive, without secrets and without patients' data.

Everything is collected as text, blotted (masking.py), looked through once more for every secret and person that this box knows, and only
then written. Part of it that cannot be had says so in its place: the bundle is for boxes that are not well.
"""

import contextlib
import hashlib
import io
import os
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from appliance.control.client import ControlClient
from appliance.control.messages import LiveSnapshot
from appliance.system.box import Box, Tell
from appliance.system.errors import BoxError
from appliance.system.services.masking import KNOWN_LEAST, secrets_in, without_known, without_people, without_secrets
from appliance.system.services.messages import LOG_LINES_MOST, AskLogs, AskServices, MakeSupportBundle, SupportBundle
from appliance.system.services.programs import run
from appliance.system.services.units import logs, services
from drivers.errors import CarelineError

FOLDER = "support"
KEPT = 3
CHECK_LIMIT_S = 60.0
SECRET_FILES = ("web-secret", "setup-code")


class Known(msgspec.Struct, frozen=True):
    """What must not be in it. people: in small letters."""

    secrets: frozenset[str]
    people: frozenset[str]


def make_bundle(box: Box, request: MakeSupportBundle, tell: Tell) -> SupportBundle:
    """Raises: BoxError SYS-017 when it cannot be written, SYS-018 when something that must not be in it still is."""
    known = _known(box)
    files: dict[str, str] = {}
    masked = 0
    for name, collect, blot in _parts(box, tell):
        text, blotted = blot(_collected(collect))
        text, found = without_known(text, known.secrets, known.people)
        files[name] = text
        masked += blotted + found
    _check(files, known)
    path = _written(box, files)
    return SupportBundle(path=str(path), size_bytes=path.stat().st_size, files=tuple(files), masked=masked)


# --- what is in it ------------------------------------------------------------------------------------------------------

Collect = Callable[[], str]
Blot = Callable[[str], tuple[str, int]]


def _parts(box: Box, tell: Tell) -> Iterator[tuple[str, Collect, Blot]]:
    tell(5, "states")
    yield "about.txt", _about, without_secrets
    yield "services.json", lambda: _json(services(box, AskServices(), tell)), without_secrets
    yield "lines.json", lambda: _live(box), without_secrets
    yield "disk.txt", lambda: run(["df", "-h"]), without_secrets
    yield "memory.txt", lambda: Path("/proc/meminfo").read_text(), without_secrets
    yield "cards.txt", lambda: run(["lspci", "-nn"]) + run(["lsusb"]), without_secrets
    yield "network.txt", lambda: run(["ip", "-details", "address"]) + run(["ip", "route"]), without_secrets
    tell(20, "checks")
    yield "check.json", lambda: _careline(box, "check", "--json"), without_secrets
    yield "doctor.txt", lambda: _careline(box, "doctor", "--lang", "en"), without_secrets
    tell(50, "settings")
    for file in _settings_files(box):
        yield f"settings/{file.name}", lambda file=file: file.read_text("utf-8", "replace"), without_secrets  # type: ignore[misc]  # bound now
    tell(60, "logs")
    yield "logs/careline.log", lambda: "\n".join(logs(box, AskLogs(lines=LOG_LINES_MOST), tell).lines), without_people
    yield "logs/kernel.log", lambda: run(["journalctl", "--dmesg", "--no-pager", "--quiet", "--lines=500"]), without_people
    tell(90, "writing")


def _collected(collect: Collect) -> str:
    try:
        return collect()
    except CarelineError as error:
        return f"not to be had: {error}\n"
    except (OSError, ValueError) as error:
        return f"not to be had: {type(error).__name__}: {error}\n"


def _about() -> str:
    from importlib.metadata import version

    up_s = Path("/proc/uptime").read_text().split()[0]
    return f"careline {version('careline')}\npython {sys.version}\n{' '.join(os.uname())}\nup {up_s} s\n"


def _live(box: Box) -> str:
    """Lines and health; no calls: those are people's."""
    with ControlClient(box.config.paths.control_socket, "support") as client:
        live = next(message for message in client.subscribe() if isinstance(message, LiveSnapshot))
    return _json({"health": live.health, "spans": live.spans, "channels": live.channels, "groups": live.groups, "tests": live.tests})


def _careline(box: Box, *arguments: str) -> str:
    command = [sys.executable, "-c", "from appliance.cli import main; main()", *arguments, "--config", str(box.file)]
    return run(["sh", "-c", '"$@" 2>&1 || true', "sh", *command], CHECK_LIMIT_S)


def _settings_files(box: Box) -> Iterator[Path]:
    data_dir = Path(box.config.paths.data_dir)
    yield from (path for path in (box.file, data_dir / "lines.toml", *sorted((data_dir / "system").glob("*.toml"))) if path.is_file())


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=1).decode()


# --- what must not be in it ---------------------------------------------------------------------------------------------


def _known(box: Box) -> Known:
    secrets: set[str] = set()
    for file in _settings_files(box):
        with contextlib.suppress(OSError):
            secrets |= secrets_in(file.read_text("utf-8", "replace"))
    for name in SECRET_FILES:
        with contextlib.suppress(OSError):
            secrets.add((Path(box.config.paths.data_dir) / name).read_text("utf-8", "replace").strip())
    hashes, people = _of_store(box)
    return Known(frozenset(value for value in secrets | hashes if len(value) > KNOWN_LEAST), frozenset(people))


def _of_store(box: Box) -> tuple[set[str], set[str]]:
    """Password hashes, and patients' numbers and names. Nothing of a store that cannot be read: then nothing of it is in the bundle
    either, but what logs hold, which is blotted by its form."""
    from appliance.store.database import FAULTS, connect
    from appliance.store.hospital_tables import Card, Patient, PatientPhone
    from appliance.store.models import Account
    from appliance.store.place import place_of

    try:
        database = connect(place_of(box.config.paths), read_only=True)
    except CarelineError:
        return set(), set()
    try:
        with database.bind_ctx((Account, Card, Patient, PatientPhone)):
            hashes = {account.password_hash for account in Account.select(Account.password_hash)}
            people = {
                str(value)
                for patient in Patient.select(Patient.name, Patient.number, Patient.id_number)
                for value in (patient.name, patient.number, patient.id_number)
            }
            people |= {phone.number for phone in PatientPhone.select(PatientPhone.number)}
            people |= {card.number for card in Card.select(Card.number)}
    except FAULTS:
        return set(), set()
    finally:
        database.close()
    return hashes, {name.lower().strip("+") for name in people if len(name) >= KNOWN_LEAST}


def _check(files: dict[str, str], known: Known) -> None:
    for name, text in files.items():
        if without_known(text, known.secrets, known.people)[1] or (name.startswith("logs/") and without_people(text)[1]):
            raise BoxError(
                "SYS-018", f"{name} of the support bundle still holds what must not leave the box", "Tell us; nothing was written"
            )


# --- the archive --------------------------------------------------------------------------------------------------------


def _written(box: Box, files: dict[str, str]) -> Path:
    """The newest ones are kept."""
    folder = Path(box.config.paths.data_dir) / FOLDER
    stamp = f"{box.clock.now():%Y%m%d-%H%M%S}"
    path = folder / f"careline-support-{stamp}.tar.gz"
    try:
        folder.mkdir(mode=0o750, exist_ok=True)
        aside = folder / f".{path.name}"
        with aside.open("wb") as raw, tarfile.open(fileobj=raw, mode="w:gz") as archive:
            for name, text in {**files, "sha256.txt": _sums(files)}.items():
                content = text.encode("utf-8", "replace")
                entry = tarfile.TarInfo(f"careline-support-{stamp}/{name}")
                entry.size, entry.mtime = len(content), int(box.clock.now().timestamp())
                archive.addfile(entry, io.BytesIO(content))
        aside.replace(path)
        for old in sorted(folder.glob("careline-support-*.tar.gz"))[:-KEPT]:
            old.unlink()
    except OSError as error:
        raise BoxError("SYS-017", f"the support bundle cannot be written to {folder} ({error.strerror})", "Free disk space") from error
    return path


def _sums(files: dict[str, str]) -> str:
    return "".join(f"{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()}  {name}\n" for name, text in files.items())
