"""The renderer renders what changed and nothing else, and says what it needs. The speech tools are not needed here."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.ivr.prompts import level, render, wav
from appliance.ivr.prompts.catalogue import HERE, PromptError, jobs, language_of, read_manifest, read_texts

KEPT = ("greeting", "goodbye", "num_2", "and")
TONES = ("beep", "pause_short", "pause_long")


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A small copy of the prompts: a few texts, their files and their part of the manifest."""
    (tmp_path / "texts.toml").write_text("\n".join(_kept_lines()), encoding="utf-8")
    shutil.copy(HERE / "manifest.json", tmp_path)
    for lang in ("zh", "en"):
        (tmp_path / lang).mkdir()
        for key in (*KEPT, *TONES):
            source = HERE / lang / f"{key}.wav"
            if source.exists():
                shutil.copy(source, tmp_path / lang)
    return tmp_path


def _kept_lines() -> list[str]:
    """Head and voices whole; of the prompts and clips only those kept."""
    lines, keep = [], True
    for line in (HERE / "texts.toml").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            keep = not line.startswith("[prompts.") or line[len("[prompts.") : -1] in KEPT
        is_clip = " = {" in line
        if keep and (not is_clip or line.split(" =")[0] in KEPT):
            lines.append(line)
    return lines


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def stale(root: Path) -> set[str]:
    return {f"{job.lang}/{job.id}" for job in render.stale(root, jobs(read_texts(root / "texts.toml")))}


def test_nothing_to_do(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert stale(package) == set()
    assert render.main(["--check", "--root", str(package)]) == 0
    assert render.main(["--root", str(package)]) == 0
    assert "0 rendered, 13 in all" in capsys.readouterr().out
    assert set(read_manifest(package / "manifest.json").by_id()) == {*TONES, *KEPT}


def test_only_the_changed_text_is_rendered(package: Path) -> None:
    replace(package / "texts.toml", "Thank you for calling. Goodbye.", "Thank you. Goodbye.")
    assert stale(package) == {"en/goodbye"}


def test_a_voice_touches_its_own_language(package: Path) -> None:
    replace(package / "texts.toml", '"af_heart"', '"af_bella"')
    assert stale(package) == {"en/greeting", "en/goodbye", "en/num_2", "en/and"}


def test_a_reading_touches_the_texts_that_hold_its_word(package: Path) -> None:
    replace(package / "texts.toml", "[readings]", '[readings]\n"来电" = "lái diàn"')
    assert stale(package) == {"zh/goodbye"}


def test_a_damaged_or_missing_file_is_rendered_again(package: Path) -> None:
    (package / "zh" / "num_2.wav").write_bytes(b"RIFF")
    (package / "en" / "greeting.wav").unlink()
    assert stale(package) == {"zh/num_2", "en/greeting"}
    assert render.main(["--check", "--root", str(package)]) == 1


def test_a_tone_is_rendered_and_a_file_not_asked_for_removed(package: Path) -> None:
    replace(package / "texts.toml", "duration_ms = 300", "duration_ms = 200")
    (package / "zh" / "old.wav").write_bytes(b"")
    assert stale(package) == {"zh/beep", "en/beep"}
    assert render.main(["--check", "--root", str(package)]) == 1
    assert render.main(["--root", str(package)]) == 0
    assert stale(package) == set()
    assert not (package / "zh" / "old.wav").exists()
    assert (package / "zh" / "beep.wav").stat().st_size == wav.HEADER_BYTES + 1600


def test_a_prompt_taken_out_leaves_the_manifest_and_the_disk(package: Path) -> None:
    replace(package / "texts.toml", 'num_2 = { zh = "二", en = "two"', 'num_2 = { zh = "二"')
    assert render.main(["--check", "--root", str(package)]) == 1
    assert render.main(["--root", str(package)]) == 0
    assert not (package / "en" / "num_2.wav").exists()
    assert read_manifest(package / "manifest.json").by_id()["num_2"].en is None


def test_without_the_speech_tools_the_error_names_the_remedy(
    package: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    monkeypatch.delitem(__import__("sys").modules, "appliance.ivr.prompts.synth", raising=False)
    replace(package / "texts.toml", "再见。", "再会。")
    before = hashlib.sha256((package / "zh" / "goodbye.wav").read_bytes()).hexdigest()
    assert render.main(["--root", str(package)]) == 1
    error = capsys.readouterr().err
    assert "APP-065" in error
    assert "make prompts" in error
    assert hashlib.sha256((package / "zh" / "goodbye.wav").read_bytes()).hexdigest() == before


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("[tones.beep]", "[tones.beep]\nvolume = 3", "volume"),
        ("speed = 1.0", 'speed = "fast"', "speed"),
        ("[prompts.goodbye]", "[prompts.goodbye", "texts.toml"),
    ],
)
def test_wrong_texts_are_named(package: Path, old: str, new: str, named: str) -> None:
    replace(package / "texts.toml", old, new)
    with pytest.raises(PromptError, match=named) as caught:
        read_texts(package / "texts.toml")
    assert caught.value.code == "APP-060"


def test_language_of_a_text() -> None:
    assert [language_of(text) for text in ("再见", "Goodbye", "请按 A 键", "")] == ["zh", "en", "zh", "en"]


@given(st.binary(min_size=0, max_size=400))
def test_a_law_survives_decoding_and_encoding(alaw: bytes) -> None:
    assert level.encode(level.decode(alaw)) == alaw


def test_a_law_anchors() -> None:
    """ITU-T G.711: all even bits inverted; the smallest positive code is 0xD5, full scale 0xAA and 0x2A."""
    assert level.encode(np.array([1e-6, 1.0, -1.0])) == bytes([0xD5, 0xAA, 0x2A])
    assert level.decode(bytes([0xAA]))[0] * 32768 == 32256


def test_short_and_long_clips_are_measured_alike() -> None:
    """A steady tone has one loudness whatever its length: −18.1 dBFS here, K-weighted at 1 kHz."""
    tone = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 8000) * 10 ** (-15 / 20)
    measured = [level.loudness_lufs(tone[:count]) for count in (800, 1600, 3199, 3200, 8000, 16_000)]
    assert max(measured) - min(measured) < 0.3


# --- chapters and the bank ----------------------------------------------------------------------------------------

BANK = """
[bank]
words = ["tablet", "daily"]
syllable_speed = 0.8
[bank.phrases]
ward = { zh = "病房", en = "ward" }
[bank.letters]
a = { en = "A" }
[bank.syllables]
ma1 = "妈"
"""


def test_a_chapter_adds_prompts_and_the_bank(package: Path) -> None:
    (package / "more.toml").write_text('[prompts.welcome]\nzh = "欢迎。"\nen = "Welcome."\n' + BANK, encoding="utf-8")
    assert stale(package) == {
        *("zh/welcome", "en/welcome", "zh/p_ward", "en/p_ward"),
        *("en/w_tablet", "en/w_daily", "en/letter_a", "zh/s_ma1"),
    }
    syllable = next(job for job in jobs(read_texts(package / "texts.toml")) if job.id == "s_ma1")
    assert (syllable.text, syllable.spoken, syllable.voice, syllable.speed) == ("妈", "[ma1]", "zf_xiaoxiao", 0.8)


def test_an_id_is_in_one_file_only(package: Path) -> None:
    (package / "more.toml").write_text('[prompts.greeting]\nzh = "您好。"\nen = "Hello."\n', encoding="utf-8")
    with pytest.raises(PromptError, match=r"APP-060.*more\.toml.*'greeting'"):
        read_texts(package / "texts.toml")


def test_a_wrong_chapter_is_named(package: Path) -> None:
    (package / "more.toml").write_text("[bank]\nword = []\n", encoding="utf-8")
    with pytest.raises(PromptError, match=r"APP-060.*more\.toml.*word"):
        read_texts(package / "texts.toml")


def test_what_is_short_is_spoken_in_rows_of_its_voice_and_speed() -> None:
    texts = read_texts()
    rows = render.rows(list(jobs(texts)))
    assert sum(map(len, rows)) == len(list(jobs(texts)))
    for row in rows:
        assert len(row) <= 8
        assert len({(job.voice, job.speed) for job in row}) == 1
        assert len(row) == 1 or all(job.id in texts.bank for job in row)
