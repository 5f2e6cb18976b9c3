"""`careline import`: tried, saved, refused; in the terminal's language."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from appliance.cli import careline
from appliance.config import load
from appliance.hospital.errors import HospitalError
from appliance.store.database import open_store
from appliance.store.hospital_tables import Department
from appliance.store.place import StorePlace, place_of
from tests.postgresql import toml_of

TEXT = "code,name_zh,name_en\n12,内科,Internal medicine\n"


@pytest.fixture
def box(store_place: StorePlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    (tmp_path / "careline.toml").write_text(f'[paths]\nrun_dir = "{tmp_path}"\ndata_dir = "{tmp_path}"\n{toml_of(store_place)}')
    return tmp_path


def run(box: Path, text: str, *more: str) -> Result:
    (box / "file.csv").write_text(text, "utf-8")
    return CliRunner().invoke(careline, ["import", "departments", str(box / "file.csv"), "--config", str(box / "careline.toml"), *more])


def names(box: Path) -> list[str]:
    opened = open_store(place_of(load(box / "careline.toml").paths))
    found = [row.name_zh for row in Department.select()]
    opened.close()
    return found


def test_a_file_is_tried_then_saved(box: Path) -> None:
    result = run(box, TEXT)
    assert (result.exit_code, names(box)) == (0, [])
    assert "1 new" in result.output
    assert "Nothing is saved yet" in result.output
    result = run(box, TEXT, "--apply")
    assert (result.exit_code, names(box)) == (0, ["内科"])
    assert result.output.endswith("Saved.\n")
    assert "line 2, 12: name_zh: '内科' → '外科'" in run(box, TEXT.replace("内科", "外科")).output


def test_faults_are_told_by_line_and_nothing_is_saved(box: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(box, TEXT + "x,😀,\n", "--apply")
    assert (result.exit_code, names(box)) == (1, [])
    assert "line 3, name_zh: must have no emoji" in result.output
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert "第 3 行，name_zh：不能使用表情符号" in run(box, TEXT + "x,😀,\n").output


def test_a_file_that_will_not_do(box: Path) -> None:
    error = run(box, "code,nom\n").exception
    assert isinstance(error, HospitalError)
    assert (error.code, "nom" in error.what) == ("HOS-020", True)
