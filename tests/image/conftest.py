"""One machine for the tests of a module: booted once, its lines the kernel's loopback spans. Made anew from the image for each module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image.box import Box, first_start
from tests.image.lab_disk import make_lab_disk
from tests.image.vm import Machine


@pytest.fixture(scope="session")
def lab_disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_lab_disk(tmp_path_factory.mktemp("lab") / "lab.img")


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory, lab_disk: Path) -> Iterator[Box]:
    """A box in service: all of its services run, nobody calls."""
    with Machine(tmp_path_factory.mktemp("box"), extra=Box.EXTRA, disks={"lab": lab_disk}) as machine:
        yield first_start(machine)
