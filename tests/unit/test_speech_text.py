"""Free text as clips: what stands in the texts of a hospital, read as a person would; nothing of it is ever refused.

A clip is written by its text, a syllable by its pinyin, a pause as , or 。; a bar between two clips.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.ivr.prompts.catalogue import LANGS, SYLLABLE, Lang
from appliance.ivr.prompts.library import PromptLibrary
from appliance.ivr.speech import TextSpeaker, say_text
from appliance.ivr.speech.bank import Bank
from appliance.ivr.speech.mandarin import spelt_in_pinyin, syllable
from appliance.ivr.speech.text import MOST_CLIPS

LIBRARY = PromptLibrary()
SPEAKER = TextSpeaker(LIBRARY)
BANK = Bank(LIBRARY)
PAUSES = {"pause_short": ",", "pause_long": "。"}


def read(text: str, lang: Lang) -> str:
    return "|".join(PAUSES.get(clip) or _written(clip, lang) for clip in SPEAKER.say(text, lang).clips)


def _written(clip: str, lang: Lang) -> str:
    return clip.removeprefix(SYLLABLE) if clip.startswith(SYLLABLE) else LIBRARY.text(clip, lang)


# fmt: off
@pytest.mark.parametrize(("text", "said"), [
    ("口服，一次2片，一日3次，饭后服用。", "口服|,|一次|两|pian4|,|一日|三|ci4|,|饭后服用"),
    ("每次0.5g，每日2次；儿童酌减。", "每次|零|点|五|ke4|,|每日|两|ci4|,|儿童|zhuo2|jian3"),
    ("500mg×24粒", "五百|毫克|cheng2|二十四|li4"),
    ("2毫克/公斤", "两|毫克|mei3|公斤"), ("5mg/kg", "五|毫克|mei3|公斤"), ("1-2片/次", "一|到|两|pian4|mei3|ci4"),
    ("1/2片", "二|分之|一|pian4"), ("有效率95%", "you3|xiao4|lv4|百分之|九十五"), ("38.5℃", "三十八|点|五|摄氏度"),
    ("≥3次", "不少于|三|ci4"), ("零售价12.50元", "ling2|shou4|jia4|十二|元|五|角"), ("￥1,200", "一千|二百|元"), ("2元", "两元"),
    ("2026年3月8日", "二零二六年|三月|八号"), ("2026-03-08", "二零二六年|三月|八号"), ("3月2日", "三月|二号"),
    ("12月25号", "十二月|二十五号"),
    ("上午8:00-12:00", "上午|八点|到|中午|十二点"), ("14:30", "下午|两点|半"), ("下午2点半", "下午|两点|半"),
    ("下午2:15", "下午|两点|一刻"),
    ("8点30分", "八点|半"), ("第3周", "第三|zhou1"), ("2楼", "二|lou2"), ("2型", "二|xing2"), ("2天", "两|tian1"), ("2个月", "两|个月"),
    ("电话010-65128899", "电话|零|幺|零|六|五|幺|二|八|八|九|九"), ("拨打120", "bo1|da3|幺|二|零"), ("302诊室", "三|零|二|诊室"),
    ("13812345678", "幺|三|八|幺|二|三|四|五|六|七|八"), ("007", "零|零|七"), ("120元", "一百|二十|元"),
    ("曾小明", "zeng1|xiao3|ming2"), ("单医生", "shan4|医生"), ("曾经", "ceng2|jing1"), ("任主任", "ren2|主任"), ("任务", "ren4|wu4"),
    ("张小明", "zhang1|xiao3|ming2"), ("银行", "yin2|hang2"), ("行走", "xing2|zou3"), ("重庆", "chong2|qing4"), ("长大", "zhang3|da4"),
    ("一个", "yi2|ge4"), ("一天", "yi4|tian1"), ("不要", "bu2|yao4"), ("水果", "shui2|guo3"), ("副主任医师", "副主任医师"),
    ("做CT检查", "zuo4|C|T|jian3|cha2"), ("维生素C", "wei2|sheng1|su4|C"), ("B超", "B|chao1"),
    ("，，停诊！！", "停诊"), ("停诊。。。通知", "停诊|。|通知"), ("停诊\n通知", "停诊|。|通知"), ("（停诊）", "停诊"), ("", ""),
    ("……", ""),
    ("ＣＴ　２次", "C|T|两|ci4"), ("2月30日", "二|yue4|三十|ri4"), ("25:70", "二十五|,|七十"),
])
def test_mandarin(text: str, said: str) -> None:
    assert read(text, "zh") == said


@pytest.mark.parametrize(("text", "said"), [
    ("Take one tablet (500 mg) three times a day.", "take|one|tablet|,|five hundred|milligrams|,|three times a day"),
    ("1 mg", "one|milligram"), ("Dr. Wang Wei, cardiology", "doctor|wang1|wei1|,|cardiology"), ("Zhang Xiaoming", "zhang1|xiao1|ming2"),
    ("8:00-12:00", "eight|a.m.|to|twelve|noon"), ("2 p.m. to 5:30 pm", "two|p.m.|to|five|thirty|p.m."), ("2:30 p.m.", "two|thirty|p.m."),
    ("On 2026-03-08", "on|March|eighth|twenty twenty-six"), ("3rd floor", "third|floor"), ("call 120", "call|one|two|zero"),
    ("12.50 yuan per box", "twelve|yuan|and|fifty|fen|per|box"), ("1,500 patients", "one thousand|five hundred|patients"),
    ("since 1985", "since|nineteen|eighty-five"), ("95%", "ninety-five|percent"), ("CT", "C|T"), ("Xqz", "X|Q|Z"),
    ("张伟", "zhang1|wei3"),
    ("No. 5", "number|five"), ("Do not drive.", "do not drive"), ("patient's", "patients"),
    ("traditional Chinese medicine", "traditional Chinese medicine"),
    ("MONDAY", "Monday"), ("", ""), ("?!", ""),
])
def test_english(text: str, said: str) -> None:
    assert read(text, "en") == said
# fmt: on


@pytest.mark.parametrize(
    ("text", "skipped"), [("停诊😀", "😀"), ("αβ停诊", "αβ"), ("停诊", ""), ("\U00020000停诊", "\U00020000"), ("停\x00诊", "")]
)
def test_what_has_no_sound_is_left_out_and_told(text: str, skipped: str) -> None:
    said = SPEAKER.say(text, "zh")
    assert said.skipped == skipped
    assert said.clips


@settings(deadline=None)  # the first one loads the dictionary
@given(st.text(max_size=200), st.sampled_from(LANGS))
def test_any_text_is_said_with_clips_that_exist(text: str, lang: Lang) -> None:
    assert LIBRARY.ids(lang).issuperset(SPEAKER.say(text, lang).clips)


@settings(deadline=None)
@given(st.text("0123456789.,:/-%年月日号点元片次mg¥ ", max_size=40), st.sampled_from(LANGS))
def test_any_number_however_written_is_said(text: str, lang: Lang) -> None:
    said = SPEAKER.say(text, lang)
    assert LIBRARY.ids(lang).issuperset(said.clips)
    assert said.skipped == ""


def test_every_character_of_gb2312_has_a_syllable() -> None:
    rows = [bytes([high, low]) for high in range(0xB0, 0xF8) for low in range(0xA1, 0xFF) if (high, low) < (0xD7, 0xFA) or high > 0xD7]
    characters = [row.decode("gb2312") for row in rows]
    assert len(characters) == 6763
    silent = [char for char in characters if SPEAKER.put_together(char, "zh").skipped]
    assert silent == []


def test_a_syllable_in_a_tone_it_does_not_have_is_said_in_another() -> None:
    assert syllable("de5", BANK) == "s_de5"
    assert syllable("ma1", BANK) == "s_ma1"
    assert syllable("ming1", BANK) == "s_ming2"
    assert syllable("xyz1", BANK) == ""


def test_romanised_names() -> None:
    assert spelt_in_pinyin("Xian", BANK) == ("s_xian1",)
    assert spelt_in_pinyin("Ouyang", BANK) == ("s_ou1", "s_yang1")
    assert spelt_in_pinyin("Smith", BANK) == ()


def test_the_longest_phrase_is_taken() -> None:
    assert SPEAKER.say("心内科", "zh").clips == ("p_cardiology",)
    assert SPEAKER.say("内科", "zh").clips == ("p_internal_medicine",)
    assert SPEAKER.say("Pediatric surgery", "en").clips == ("p_pediatric_surgery",)


def test_a_text_is_one_announcement_however_long() -> None:
    assert len(SPEAKER.say("请到门诊楼三楼就诊。" * 400, "zh").clips) <= MOST_CLIPS


def test_clips_of_the_other_language_are_found() -> None:
    assert LIBRARY.path("s_ma1", "en") == LIBRARY.path("s_ma1", "zh")
    assert LIBRARY.path("letter_c", "zh") == LIBRARY.path("letter_c", "en")


def test_say_text_says_the_same() -> None:
    assert say_text("口服，一次2片。", "zh") == SPEAKER.say("口服，一次2片。", "zh").clips
