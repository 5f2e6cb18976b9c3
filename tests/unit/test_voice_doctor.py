"""What `careline doctor` says of the box's own voice."""

import os
from pathlib import Path

import pytest

from appliance.control.messages import Grade
from appliance.doctor import voice
from appliance.hospital import voicing
from appliance.voice.lock import VoiceError, holder_of, only_instance
from tests.unit.hospital_rig import NOW, new_store


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A box that could speak, with two texts that wait."""
    monkeypatch.setattr(voice, "missing", lambda: "")
    path = tmp_path / "careline.db"
    database = new_store(path)
    voicing.want("停诊通知", "zh", NOW)
    voicing.want("Closed", "en", NOW)
    database.close()
    return path


def test_a_box_without_a_voice_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice, "missing", lambda: "onnxruntime")
    found = voice.examine_voice(tmp_path, tmp_path / "careline.db")
    assert found.grade is Grade.OK
    assert "onnxruntime" in found.detail["en"]
    assert "onnxruntime" in found.detail["zh"]


def test_texts_that_wait_for_a_process_that_is_not_there(store: Path) -> None:
    found = voice.examine_voice(store.parent, store)
    assert (found.grade, found.code) == (Grade.WARNING, "APP-182")
    assert "2 texts" in found.detail["en"]


def test_nothing_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice, "missing", lambda: "")
    assert voice.examine_voice(tmp_path, tmp_path / "careline.db").grade is Grade.OK


def test_memory_of_the_process_is_told(store: Path) -> None:
    with only_instance(store.parent):
        found = voice.examine_voice(store.parent, store)
    assert found.grade is Grade.OK
    assert f"process {os.getpid()}" in found.detail["en"]
    assert " 0 MB" not in found.detail["en"]


def test_a_text_that_failed_is_told(store: Path) -> None:
    database = new_store(store)
    voicing.want("停诊通知", "zh", NOW)
    wanted = voicing.first_wanted()
    assert wanted is not None
    voicing.failed(wanted.key, "APP-069: nothing of it can be spoken")
    database.close()
    with only_instance(store.parent):
        found = voice.examine_voice(store.parent, store)
    assert (found.grade, found.code) == (Grade.FAILED, "APP-181")


def test_one_voice_for_each_box(tmp_path: Path) -> None:
    assert holder_of(tmp_path) is None
    with only_instance(tmp_path):
        assert holder_of(tmp_path) == os.getpid()
        with pytest.raises(VoiceError, match="APP-180"), only_instance(tmp_path):
            pass
    assert holder_of(tmp_path) is None
