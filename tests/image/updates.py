"""Updates made of the built image's slot, each with one thing changed: by debugfs, in a copy, without a mount. Host side.

What the box has is in `AT_FAULT`: from a version that is well to one that never starts.
"""

import os
import subprocess
import textwrap
from pathlib import Path

import msgspec

from tests.image.vm import CHECKOUT, IMAGE

SLOT = IMAGE.parent / "root.ext4"
BUNDLE = CHECKOUT / "image-build/bundle/bundle.sh"
PROGRAM = "opt/careline"
LIMIT_S = 600.0
MIGRATIONS = f"{PROGRAM}/appliance/store/migrations.py"
PROOF = "usr/lib/systemd/system/careline-proof.service"
HANG = "#!/bin/sh\nexec </dev/null\nwhile :; do /bin/sleep 1000; done\n"
DEAD_WEB = '"""Ends at once."""\n\nimport sys\n\nsys.exit(1)\n'


NOVELTY = 'database.execute_sql("create table novelty (id integer)")'


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """`files`: path in the slot to its content; `links`: to its target; `step`: the body of one migration more.

    `patient`: its proof may take as long as a machine with other work needs.
    """

    files: dict[str, str] = {}
    links: dict[str, str] = {}
    step: str = ""
    keys: str = "keys"
    patient: bool = False


CHANGES = {
    "good": Change(step=NOVELTY, patient=True),
    "init-dies": Change(links={"usr/sbin/init": "/bin/false"}),
    "hangs": Change(files={"usr/bin/hang": HANG}, links={"usr/sbin/init": "/usr/bin/hang"}),
    "unhealthy": Change(files={f"{PROGRAM}/webui/__main__.py": DEAD_WEB}),
    "migration-fails": Change(step=f'{NOVELTY}\n    database.execute_sql("create nonsense")'),
    "foreign": Change(keys="foreign-keys"),
}


def make(folder: Path, name: str, version: str) -> Path:
    """A signed bundle of that version with the change `name`."""
    change, slot, output = CHANGES[name], folder / f"{name}.ext4", folder / "bundles" / f"{name}.raucb"
    output.parent.mkdir(parents=True, exist_ok=True)
    _run("cp", "--sparse=always", str(SLOT), str(slot))
    release = _read("usr/lib/os-release")
    files = {"usr/lib/os-release": "".join(f"{line}\n" for line in release.splitlines() if not line.startswith("IMAGE_VERSION="))}
    files["usr/lib/os-release"] += f"IMAGE_VERSION={version}\n"
    if change.patient:
        unit = _read(PROOF).replace("update.proof ", "update.proof --limit-s 900 ").replace("TimeoutStartSec=240s", "TimeoutStartSec=1000s")
        files[PROOF] = unit
    if change.step:
        files[MIGRATIONS] = _migrating(change.step)
    _patch(folder, slot, {**files, **change.files}, change.links)
    environment = {**os.environ}
    if change.keys != "keys":
        environment["CARELINE_KEYS_DIR"] = str(folder / change.keys)
    _run(str(BUNDLE), str(slot), version, str(output), environment=environment)
    slot.unlink()
    return output


def disk_of(folder: Path, name: str = "updates") -> Path:
    """What is in `folder`, as a file system for a disk of the machine."""
    disk = folder.parent / f"{name}.ext4"
    megabytes = sum(file.stat().st_size for file in folder.iterdir()) // (1 << 20) * 11 // 10 + 32
    _run("mke2fs", "-q", "-F", "-t", "ext4", "-O", "^has_journal", "-d", str(folder), str(disk), f"{megabytes}M")
    return disk


def stick_of(bundle: Path, image: Path) -> Path:
    """A USB stick with that bundle, FAT32 without a partition table."""
    with image.open("wb") as file:
        file.truncate(bundle.stat().st_size + (64 << 20))
    _run("mformat", "-i", str(image), "-F", "-v", "UPDATE", "::")
    _run("mcopy", "-i", str(image), str(bundle), "::/careline.raucb")
    return image


def _migrating(body: str) -> str:
    """The program's migrations with one step more."""
    text = _read(MIGRATIONS)
    step = f"def _novelty(database: Database) -> None:\n    {body}\n\n\n"
    return textwrap.dedent(text).replace("def migrate(", f"{step}STEPS = (*STEPS, _novelty)\n\n\ndef migrate(", 1)


def _read(path: str) -> str:
    return _run("debugfs", "-R", f"cat /{path}", str(SLOT))


def _patch(folder: Path, slot: Path, files: dict[str, str], links: dict[str, str]) -> None:
    """Python's compiled file beside a changed one would be taken for it: it goes."""
    commands = []
    for number, (path, content) in enumerate(files.items()):
        source = folder / f"file-{number}"
        source.write_text(content)
        source.chmod(0o755)
        commands += [f"rm /{path}", f"write {source} /{path}", f"set_inode_field /{path} uid 0", f"set_inode_field /{path} gid 0"]
        if path.endswith(".py"):
            commands.append(f"rm /{Path(path).parent}/__pycache__/{Path(path).stem}.cpython-311.pyc")
    for path, target in links.items():
        commands += [f"rm /{path}", f"symlink /{path} {target}"]
    script = folder / "debugfs.txt"
    script.write_text("\n".join(commands) + "\n")
    _run("debugfs", "-w", "-f", str(script), str(slot))


def _run(*command: str, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, env=environment, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr or done.stdout}"
    return done.stdout
