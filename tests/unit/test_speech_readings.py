"""Mandarin is read from the file as pypinyin reads it, word for word."""

from pathlib import Path
from random import Random

import pytest
from pypinyin.constants import PHRASES_DICT, PINYIN_DICT

from appliance.ivr.speech.make_readings import write
from appliance.ivr.speech.readings import HAN, Dictionary, Pypinyin, Written

TEXTS = 1_000


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Dictionary:
    path: Path = tmp_path_factory.mktemp("readings") / "readings.bin"
    assert write(path) > 70_000
    return Written(path.read_bytes())


def test_words_and_characters_in_any_order(written: Dictionary) -> None:
    random, known = Random(1), Pypinyin()
    words = [word for word in PHRASES_DICT if all(ord(char) in HAN for char in word)]
    chars = [chr(code) for code in PINYIN_DICT if code in HAN]
    for _ in range(TEXTS):
        text = "".join(random.choice(words if random.random() < 0.6 else chars) for _ in range(random.randrange(1, 8)))
        assert written.words(text) == known.words(text), text
        assert [written.reading(word) for word in written.words(text)] == [known.reading(word) for word in known.words(text)], text


@pytest.mark.parametrize(
    ("text", "words", "read"),
    [
        ("银行行走", ["银行", "行走"], [["yin2", "hang2"], ["xing2", "zou3"]]),
        ("重庆", ["重庆"], [["chong2", "qing4"]]),
        ("阿", ["阿"], [["a1"]]),
    ],
)
def test_some_of_them(written: Dictionary, text: str, words: list[str], read: list[list[str]]) -> None:
    assert written.words(text) == words
    assert [written.reading(word) for word in words] == read


def test_no_text_has_no_words(written: Dictionary) -> None:
    assert written.words("") == []
