#!/usr/bin/env python3
"""Lays the program into the image's tree: /opt/careline with its packages, C core, web assets, readings and a virtual environment.

Usage: .venv/bin/python image-build/program.py CHECKOUT TREE VERSION. The environment's packages are copied from the checkout's own (the
very versions that were tested), those that running needs and no other: no pip, no compiler's tools.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

PACKAGES = ("appliance", "drivers", "firmware_shims", "webui")
SOURCES_ONLY = (".c", ".h")  # of the C core the box needs what was made of them
BUILD_ONLY = {"setuptools", "pycparser"}  # cffi asks for them, to compile
MADE = ("drivers/**/*.so", "webui/static/vendor/**/*", "appliance/ivr/speech/readings.bin")
PYTHON = "python3.11"
TESTS = {"tests", "test", "testing"}

CARELINE = """\
#!/opt/careline/.venv/bin/python
import sys

from appliance.cli import main

sys.exit(main())
"""
PYVENV = "home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11.2\n"


def needed(name: str, extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """What a distribution with these extras asks for on this machine: names and extras."""
    yield from _asked_for(distribution(name).requires or (), extras)


def _asked_for(requirements: Iterable[str], extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    for text in requirements:
        wanted = Requirement(text)
        if wanted.marker is None or any(wanted.marker.evaluate({"extra": extra}) for extra in extras | {""}):
            yield wanted.name, frozenset(wanted.extras)


def to_run(checkout: Path) -> list[Distribution]:
    """Every distribution that the program needs to run, by name. What it asks for itself stands in pyproject.toml: what pip noted of the
    checkout when it was set up may be older."""
    own = tomllib.loads((checkout / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    found: dict[str, Distribution] = {}
    waiting = list(_asked_for(own, frozenset()))
    while waiting:
        name, extras = waiting.pop()
        key = name.lower().replace("_", "-")
        if key not in BUILD_ONLY and key not in found:
            found[key] = distribution(name)
            waiting += needed(name, extras)
    return [found[key] for key in sorted(found)]


def copy_distribution(package: Distribution, site: Path) -> None:
    """Its files as its RECORD lists them; no scripts, no tests, no compiled Python of this machine."""
    for file in package.files or ():
        if ".." in file.parts or file.suffix == ".pyc" or TESTS & set(file.parts[1:-1]):
            continue
        source = Path(str(package.locate_file(file)))
        if source.is_file():
            copy(source, site / file)


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755 if source.stat().st_mode & 0o100 else 0o644)


def program_files(checkout: Path) -> list[Path]:
    """Paths below the checkout: what git knows of the four packages, and what was made here from it."""
    listed = subprocess.run(["git", "-C", checkout, "ls-files", "-z", *PACKAGES], capture_output=True, text=True, check=True).stdout
    known = [Path(name) for name in listed.split("\0") if name and not name.endswith(SOURCES_ONLY)]
    made = [path.relative_to(checkout) for pattern in MADE for path in checkout.glob(pattern) if path.is_file()]
    missing = [pattern for pattern in MADE if not any(checkout.glob(pattern))]
    if missing:
        sys.exit(f"image: not made yet: {', '.join(missing)}; use `make image`")
    return sorted({path for path in (*known, *made) if (checkout / path).is_file()})


def python_components(packages: list[Distribution]) -> list[dict[str, object]]:
    """For the bill of materials: a distribution's hash is that of its RECORD, which has the hash of each of its files."""
    return [
        {
            "name": package.metadata["Name"],
            "version": package.version,
            "purl": f"pkg:pypi/{package.metadata['Name'].lower().replace('_', '-')}@{package.version}",
            "sha256": hashlib.sha256((package.read_text("RECORD") or "").encode()).hexdigest(),
        }
        for package in packages
    ]


def main() -> None:
    checkout, tree, version = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    home = tree / "opt/careline"
    shutil.rmtree(home, ignore_errors=True)
    for path in program_files(checkout):
        copy(checkout / path, home / path)
    for name in ("LICENSE", "README.md"):
        copy(checkout / name, home / name)
    (home / "VERSION").write_text(version + "\n")
    site = home / ".venv" / "lib" / PYTHON / "site-packages"
    site.mkdir(parents=True)
    packages = to_run(checkout)
    for package in packages:
        copy_distribution(package, site)
    (site / "careline.pth").write_text("/opt/careline\n")
    own = distribution("careline")
    metadata = site / f"careline-{own.version}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(own.read_text("METADATA") or "")
    (home / ".venv/pyvenv.cfg").write_text(PYVENV)
    scripts = home / ".venv/bin"
    scripts.mkdir()
    for name in ("python", "python3", PYTHON):
        (scripts / name).symlink_to(f"/usr/bin/{PYTHON}")
    (scripts / "careline").write_text(CARELINE)
    (scripts / "careline").chmod(0o755)
    (tree.parent / "python.json").write_text(json.dumps(python_components(packages), indent=1))


if __name__ == "__main__":
    main()
