"""Bundles: where they lie, whether the box takes them, and a copy for RAUC of what lies on a stick. In careline-system's threads."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.store import kept
from appliance.system.errors import BoxError
from appliance.system.update import rauc, sticks
from appliance.system.update.messages import BUNDLE_NAME, BundleChecked, BundleFile, BundlesTold
from appliance.system.update.places import Places

UPLOAD, STICK = "upload", "stick"
SUFFIX = ".raucb"
PART = ".part"
LEFT_BYTES = 64 << 20  # what must be free beside, for recordings and the store meanwhile
PIECE_BYTES = 4 << 20
BUNDLES_MOST = 50
NUMBER = re.compile(r"\d+|[A-Za-z]+")


def version_here(places: Places) -> str:
    """Of the image, or of the package where there is none."""
    try:
        lines = places.release.read_text("utf-8").splitlines()
    except OSError:
        lines = []
    found = next((line.partition("=")[2].strip('"') for line in lines if line.startswith("IMAGE_VERSION=")), "")
    if found:
        return found
    import importlib.metadata  # not on a box, which has an image's version

    return importlib.metadata.version("careline")


def is_newer(version: str, than: str) -> bool:
    """Numbers by value, words by letter; a word is before a number: 1.2-rc1 is older than 1.2.1 and 1.10 newer than 1.9."""
    return _parts(version) > _parts(than)


def _parts(version: str) -> list[tuple[bool, int, str]]:
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in NUMBER.findall(version)]


def listed(places: Places) -> BundlesTold:
    """Uploads and what is on sticks. A stick that cannot be read is told, the others are shown."""
    found, faults = [*_of_folder(places.incoming, UPLOAD, "")], []
    try:
        known = sticks.sticks(places)
    except BoxError as error:
        return BundlesTold(bundles=tuple(found), faults=(error.what,))
    for stick in known:
        try:
            with sticks.mounted(places, stick) as folder:
                found += _of_folder(folder, f"{STICK}:{stick.device}", stick.label or stick.device)
        except BoxError as error:
            faults.append(f"{stick.label or stick.device}: {error.what}")
    return BundlesTold(bundles=tuple(found[:BUNDLES_MOST]), faults=tuple(faults))


def _of_folder(folder: Path, source: str, stick: str) -> Iterator[BundleFile]:
    for file in sorted(folder.glob(f"*{SUFFIX}")):
        if re.fullmatch(BUNDLE_NAME, file.name) and file.is_file() and not file.is_symlink():
            yield BundleFile(bundle=f"{source}:{file.name}", name=file.name, size_bytes=file.stat().st_size, stick=stick)


def clean(places: Places) -> None:
    """What uploads and copies that were cut off have left. Raises: BoxError SYS-084 when the folder for uploads cannot be made."""
    try:
        above = places.incoming.parent
        places.incoming.mkdir(parents=True, exist_ok=True)
        above.chmod(0o750)
        os.chown(places.incoming, -1, above.stat().st_gid)
        places.incoming.chmod(0o770)  # the web, another user of our group, writes here
        for file in places.incoming.glob(f"*{PART}"):
            file.unlink(missing_ok=True)
        places.bundle.unlink(missing_ok=True)
    except OSError as error:
        raise BoxError(
            "SYS-084", f"cannot write below {places.incoming}: {error.strerror}", "See that the data partition is well"
        ) from error


@contextmanager
def at_hand(places: Places, bundle: str, tell: Callable[[int], None]) -> Iterator[Path]:
    """The file, for RAUC to read: one on a stick is copied first (`tell`: percents), and the copy is gone afterwards.

    Raises: BoxError SYS-071, SYS-075, SYS-080.
    """
    if not bundle.startswith(f"{STICK}:"):
        yield _file(places, bundle)
        return
    _, device, name = _three(bundle)
    try:
        with sticks.mounted(places, sticks.named(places, device)) as folder:
            _copy(_inside(folder, name), places.bundle, tell)
        yield places.bundle
    finally:
        places.bundle.unlink(missing_ok=True)


@contextmanager
def in_place(places: Places, bundle: str) -> Iterator[Path]:
    """The file where it lies, to be looked at. Raises: BoxError SYS-071, SYS-080."""
    if not bundle.startswith(f"{STICK}:"):
        yield _file(places, bundle)
        return
    _, device, name = _three(bundle)
    with sticks.mounted(places, sticks.named(places, device)) as folder:
        yield _inside(folder, name)


def _file(places: Places, bundle: str) -> Path:
    if bundle.startswith(f"{UPLOAD}:"):
        return _inside(places.incoming, bundle.partition(":")[2])
    path = Path(bundle)
    if not path.is_absolute() or not path.is_file():
        raise _none(bundle)
    return path


def _inside(folder: Path, name: str) -> Path:
    path = folder / name
    if not re.fullmatch(BUNDLE_NAME, name) or path.is_symlink() or not path.is_file():
        raise _none(name)
    return path


def _three(bundle: str) -> tuple[str, str, str]:
    parts = bundle.split(":", 2)
    if len(parts) != 3:
        raise _none(bundle)
    return parts[0], parts[1], parts[2]


def _none(bundle: str) -> BoxError:
    return BoxError("SYS-071", f"there is no update {bundle}", "Upload it, put the stick in, or give its path; it ends in .raucb")


def _copy(source: Path, target: Path, tell: Callable[[int], None]) -> None:
    size = source.stat().st_size
    need_room(target.parent, size)
    try:
        with source.open("rb") as read, target.open("wb") as written:
            copied = 0
            while piece := read.read(PIECE_BYTES):
                written.write(piece)
                copied += len(piece)
                tell(copied * 100 // max(size, 1))
            written.flush()
            os.fsync(written.fileno())
    except OSError as error:
        raise BoxError("SYS-080", f"{source.name} cannot be copied from the stick ({error.strerror})", "Use another stick") from error


def need_room(folder: Path, size_bytes: int) -> None:
    """Raises: BoxError SYS-075."""
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < size_bytes + LEFT_BYTES:
        needed = (size_bytes + LEFT_BYTES) >> 20
        raise BoxError(
            "SYS-075", f"the update needs {needed} MB on the data partition, {free >> 20} MB are free", "Move old recordings away"
        )


def check(places: Places, bundle: str, path: Path) -> BundleChecked:
    """Raises: BoxError SYS-072, SYS-073, SYS-078."""
    told, here = rauc.info(places.rauc, path), rauc.state(places.rauc)
    if told.compatible != here.compatible:
        what = f"this update is for {told.compatible or 'something else'}, this box is {here.compatible}"
        raise BoxError("SYS-073", what, "Fetch the update for this kind of box")
    return BundleChecked(
        bundle=bundle,
        version=told.version,
        build=told.build,
        newer=is_newer(told.version, version_here(places)),
        store=told.store,
        store_now=_store_now(places),
    )


def _store_now(places: Places) -> int:
    """Of the file; of a server this program's own, whose store it is."""
    from appliance.store import migrations  # brings all tables and peewee with it

    return kept.version_of(places.store) or len(migrations.STEPS)


def need_room_for_store(places: Places, checked: BundleChecked) -> None:
    """A newer program keeps a copy of the store before it migrates it. Raises: BoxError SYS-075."""
    if checked.store > checked.store_now and places.store.exists():
        need_room(places.store.parent, places.store.stat().st_size)
