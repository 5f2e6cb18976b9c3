"""Setting cards up from the command line: what is refused, and how."""

import sys
from pathlib import Path

import pytest

from drivers.dahdi import configure
from drivers.errors import CarelineError


def run(monkeypatch: pytest.MonkeyPatch, path: Path, text: str) -> int:
    path.write_text(text)
    monkeypatch.setattr(sys, "argv", ["careline-cards", "--config", str(path)])
    return configure.main()


def test_the_card_in_software_needs_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert run(monkeypatch, tmp_path / "careline.toml", '[lines]\ncard = "virtual"\n') == 0


def test_a_wrong_configuration_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, tmp_path / "careline.toml", "[lines]\ncart = 1\n") == 1
    assert "CFG-003" in capsys.readouterr().err


def test_nothing_to_set_up_is_a_warning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(configure, "SYSTEM_CONF", tmp_path / "system.conf")
    monkeypatch.setattr(configure.apply_own, "__defaults__", (tmp_path / "system.conf", str(tmp_path)))
    assert run(monkeypatch, tmp_path / "careline.toml", f'[paths]\ndata_dir = "{tmp_path}"\n[lines]\ncard = "dahdi"\n') == 0
    assert "warning: LIN-115" in capsys.readouterr().err


def test_neither_our_setup_nor_the_hospitals(tmp_path: Path) -> None:
    with pytest.raises(CarelineError, match=r"LIN-115.*no channels"):
        configure.apply_own(tmp_path / "system.conf")


def test_no_driver_in_the_kernel(tmp_path: Path) -> None:
    (tmp_path / "system.conf").write_text("loadzone = cn\n")
    with pytest.raises(CarelineError, match="LIN-101"):
        configure.apply_own(tmp_path / "system.conf", str(tmp_path / "no-devices"))
