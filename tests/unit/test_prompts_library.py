"""The library gives whole files or an error that names file and remedy."""

import shutil
from pathlib import Path

import pytest

from appliance.ivr.prompts.catalogue import HERE, RESERVED, TEXT, PromptError, read_texts
from appliance.ivr.prompts.kept import TAKE, keep_take, take_file
from appliance.ivr.prompts.library import PromptLibrary
from appliance.ivr.prompts.versions import fault_of_id


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copy(HERE / "manifest.json", tmp_path)
    for lang in ("zh", "en"):
        shutil.copytree(HERE / lang, tmp_path / lang)
    return tmp_path


def code(root: Path, prompt_id: str = "greeting") -> str:
    with pytest.raises(PromptError) as caught:
        PromptLibrary(root).path(prompt_id, "zh")
    return caught.value.code


def test_packaged_prompts_are_whole() -> None:
    library = PromptLibrary()
    assert library.faults() == ()
    assert library.paths(("greeting", "num_2"), "zh") == (HERE / "zh" / "greeting.wav", HERE / "zh" / "num_2.wav")
    assert library.path("greeting", "en").is_absolute()
    assert library.text("goodbye", "zh") == "感谢您的来电，再见。"
    assert 500 < library.duration_ms("goodbye", "zh") < 5000


def test_no_packaged_id_begins_as_other_prompts_do() -> None:
    texts = read_texts()
    every = PromptLibrary().packaged_ids()
    assert [key for key in every - texts.bank.keys() if key.startswith((*RESERVED, TAKE))] == []
    assert [key for key in texts.bank if key.startswith((TEXT, TAKE))] == []
    assert fault_of_id(f"{TAKE}x") is not None  # nor can any of the hospital's


def test_the_packages_own_win_over_takes_and_texts(root: Path, tmp_path: Path) -> None:
    manifest = root / "manifest.json"
    for own in (f"{TAKE}x", f"{TEXT}x", "take_care"):
        manifest.write_text((HERE / "manifest.json").read_text().replace('"greeting"', f'"{own}"'))
        for lang in ("zh", "en"):
            shutil.copy(HERE / lang / "greeting.wav", root / lang / f"{own}.wav")
        library = PromptLibrary(root, tmp_path / "data")
        assert library.path(own, "zh") == root / "zh" / f"{own}.wav"
        assert library.duration_ms(own, "zh") == PromptLibrary().duration_ms("greeting", "zh")
        assert library.faults() == ()


def test_a_take_is_heard_from_the_boxs_own_folder(tmp_path: Path) -> None:
    keep_take(tmp_path, f"{TAKE}1", b"\xd5" * 8000)
    library = PromptLibrary(own=tmp_path)
    assert library.path(f"{TAKE}1", "zh") == take_file(tmp_path, f"{TAKE}1")
    assert library.duration_ms(f"{TAKE}1", "zh") == 1000


def test_a_clip_of_one_language_is_not_in_the_other() -> None:
    library = PromptLibrary()
    assert "and" in library.ids("en") - library.ids("zh")
    with pytest.raises(PromptError, match=r"APP-062.*'and'.*'zh'"):
        library.path("and", "zh")


def test_unknown_missing_and_damaged(root: Path) -> None:
    assert code(root, "no_such_prompt") == "APP-062"
    greeting = root / "zh" / "greeting.wav"
    content = greeting.read_bytes()
    for damage in (
        b"",
        content[:40],
        content[:-1],
        content[:-200],
        content + b"\0",
        b"RIFX" + content[4:],
        content[:20] + b"\x01" + content[21:],
    ):
        greeting.write_bytes(damage)
        assert code(root) == "APP-064"
    greeting.unlink()
    assert code(root) == "APP-063"
    greeting.mkdir()
    assert code(root) == "APP-063"


def test_faults_lists_every_bad_file(root: Path) -> None:
    (root / "zh" / "greeting.wav").unlink()
    (root / "en" / "num_2.wav").write_bytes(b"")
    assert [fault.code for fault in PromptLibrary(root).faults()] == ["APP-063", "APP-064"]


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b'{"prompts": [{"id": 3}]}', b'{"prompts": [], "more": 1}'])
def test_a_wrong_manifest_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(PromptError, match=r"APP-061.*manifest\.json"):
        PromptLibrary(tmp_path)


def test_a_missing_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match="APP-061"):
        PromptLibrary(tmp_path)
