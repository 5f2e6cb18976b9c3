"""A read-only disk for the emulated machine: the tests' own programs, compiled, and the configuration of a box whose cards are the kernel's
loopback spans. Host side; touches the folder it is given.
"""

import compileall
import py_compile
import shutil
import subprocess
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
PARTS = ("tests/*.py", "tests/lab/*.py", "tests/lab/scenarios/*.py", "tests/scenarios/*.py", "tests/image/*.py", "tests/image/inside/*.py")
SIZE_MB = 48

LINES = """\
[lines]
card = "dahdi"
socket_group = "careline"

[lines.engine]
write_ahead = 12

[lines.dahdi]
dynamic_spans = [
    { driver = "loc", address = "1:0", channels = 24 },
    { driver = "loc", address = "1:1", channels = 24 },
    { driver = "loc", address = "2:0", channels = 4 },
    { driver = "loc", address = "2:1", channels = 4 },
]
groups = [
    { channels = "1-24", signalling = "fxsks", law = "alaw" },
    { channels = "25-48", signalling = "fxoks", law = "alaw" },
    { channels = "49-52", signalling = "fxoks", law = "alaw" },
    { channels = "53-56", signalling = "fxsks", law = "alaw" },
]

[[lines.groups]]
name = "trunk"
channels = "1-24"

[[lines.groups]]
name = "sets"
channels = "49-52"
role = "extension"
"""


def make_lab_disk(disk: Path) -> Path:
    """An ext4 file system in the file `disk`, which the guest mounts read-only."""
    with tempfile.TemporaryDirectory(dir=disk.parent) as folder:
        tree = Path(folder)
        for pattern in PARTS:
            for source in CHECKOUT.glob(pattern):
                target = tree / source.relative_to(CHECKOUT)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)
        compileall.compile_dir(tree, quiet=1, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
        (tree / "careline.toml").write_text(LINES + _delivered())
        disk.unlink(missing_ok=True)
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", tree, disk, f"{SIZE_MB}M"], check=True, capture_output=True)
    return disk


def _delivered() -> str:
    """What a box is delivered with, but for its lines."""
    _, section, rest = (CHECKOUT / "image-build" / "careline.toml").read_text().partition("[network]")
    return f"\n{section}{rest}"
