"""What `pip install .` takes along: every file the programs read at run time. Nothing is built here."""

import os
from pathlib import Path

import pytest
from setuptools import Distribution
from setuptools.config.pyprojecttoml import apply_configuration

ROOT = Path(__file__).parents[2]
PACKAGES = ("appliance", "drivers", "firmware_shims", "webui")
BESIDE = {"README.md", "package.json", "package-lock.json"}  # for people and for set-up, never read by a program
BUILT = {".pyc", ".so", ".o"}


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> set[Path]:
    """Files of the packages that setuptools would copy."""
    monkeypatch.chdir(ROOT)
    distribution = Distribution({"script_name": "pyproject.toml"})
    apply_configuration(distribution, ROOT / "pyproject.toml")
    copying = distribution.get_command_obj("build_py")
    copying.ensure_finalized()
    return {Path(source).resolve() for source in copying.get_output_mapping().values()}


def there() -> set[Path]:
    """Files that lie in the packages, but for what was built or fetched there."""
    found = set()
    for package in PACKAGES:
        for folder, below, names in os.walk(ROOT / package):
            below[:] = [name for name in below if name not in ("__pycache__", "node_modules", "vendor")]
            found |= {Path(folder, name) for name in names if name not in BESIDE}
    return {path for path in found if path.suffix not in BUILT and not path.match("_*.c")}


def test_every_file_is_taken_along(installed: set[Path]) -> None:
    assert sorted(there() - installed) == []


def test_nothing_built_or_fetched_by_others_is_taken_for_ours(installed: set[Path]) -> None:
    assert [path for path in installed if path.suffix in BUILT or "node_modules" in path.parts or "tests" in path.parts] == []
