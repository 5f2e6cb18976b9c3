"""What the box's own voice is given to speak: numbers in words, and no sentence longer than it knows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.ivr.prompts.catalogue import LANGS, Lang
from appliance.ivr.prompts.library import PromptLibrary
from appliance.voice.engine import LONGEST_CHARS, Kokoro, missing, sentences, spelt_out

LIBRARY = PromptLibrary()


@pytest.mark.parametrize(
    ("lang", "text", "spoken"),
    [
        ("zh", "2026年10月1日门诊停诊，急诊照常。", "二零二六年十月一号门诊停诊，急诊照常"),
        ("zh", "每次0.5g，每日2次", "每次零点五克，每日两次"),
        ("zh", "电话010-6512", "电话零幺零六五幺二"),
        (
            "en",
            "Closed on 2026-10-01; the fee is 12.50 yuan.",
            "Closed on October first twenty twenty-six, the fee is twelve yuan and fifty fen",
        ),
        ("en", "Take 500 mg. Call 120.", "Take five hundred milligrams. Call one two zero"),
    ],
)
def test_values_are_written_in_words(lang: Lang, text: str, spoken: str) -> None:
    assert spelt_out(text, lang, LIBRARY) == spoken


@given(st.text("门诊停诊，。 abc.,!?7", max_size=600), st.sampled_from(LANGS))
def test_no_sentence_is_too_long_and_none_is_lost(text: str, lang: Lang) -> None:
    parts = list(sentences(text, lang))
    assert all(len(part) <= LONGEST_CHARS[lang] for part in parts)
    assert [char for part in parts for char in part if char.isalnum()] == [char for char in text if char.isalnum()]


def test_voices_are_those_of_the_prompts() -> None:
    assert Kokoro().voices == {"zh": "zf_xiaoxiao", "en": "af_heart"}


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert missing().endswith("espeak-ng")
