"""The speaker: what is to be said, as ids of prompt clips in the order they are played. Pure functions, any thread, no files.

Every function gives clips that exist in its language (tests/unit/test_speech_clips.py); the prompts package has their texts.
`lang` is "zh" or "en". A value that cannot be said raises ValueError, since it is a mistake of the caller's.

Mandarin, as decided here (Lü Shuxiang, 现代汉语八百词, under 二 and 两):
- 两 before 千 万 亿 and before whatever is counted (两元, 两位, 两点, 两分钟); before 百 only at the head of a number, 二百 inside it.
- 二 as a digit, in 二十 and 十二, in dates and ordinals (二月 二号 第二, 第二百), and in the smaller coin of a sum (三元二角).
- 零 once for each gap (一千零五, 一万零五十); 十五 alone but 一百一十五. 幺 for 1 in strings of digits.
"""

from appliance.ivr.speech.counts import Unit, say_count, say_duration_s, say_money_fen
from appliance.ivr.speech.dates import say_date, say_day, say_time, say_year
from appliance.ivr.speech.digits import say_digits
from appliance.ivr.speech.numbers import say_decimal, say_number, say_ordinal
from appliance.ivr.speech.text import SaidText, TextSpeaker, say_text

__all__ = [
    "SaidText",
    "TextSpeaker",
    "Unit",
    "say_count",
    "say_date",
    "say_day",
    "say_decimal",
    "say_digits",
    "say_duration_s",
    "say_money_fen",
    "say_number",
    "say_ordinal",
    "say_text",
    "say_time",
    "say_year",
]
