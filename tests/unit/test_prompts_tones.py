"""Tones in running speech, as a teacher of Mandarin would mark them; the dictionary's reading before, the spoken one after."""

import pytest

from appliance.ivr.prompts import tones


# fmt: off
@pytest.mark.parametrize(("words", "dictionary", "said"), [
    ("一百", "yi1 bai3", "yi4 bai3"), ("一千", "yi1 qian1", "yi4 qian1"), ("一万", "yi1 wan4", "yi2 wan4"),
    ("一天", "yi1 tian1", "yi4 tian1"), ("一位", "yi1 wei4", "yi2 wei4"), ("一点", "yi4 dian3", "yi4 dian3"),
    ("十一点", "shi2 yi4 dian3", "shi2 yi1 dian3"), ("二十一分", "er4 shi2 yi4 fen1", "er4 shi2 yi1 fen1"),
    ("一月", "yi2 yue4", "yi1 yue4"), ("一号", "yi1 hao4", "yi1 hao4"), ("第一", "di4 yi1", "di4 yi1"),
    ("第一天", "di4 yi1 tian1", "di4 yi1 tian1"), ("星期一 到", "xing1 qi1 yi1 dao4", "xing1 qi1 yi1 dao4"),
    ("请 按 一", "qing3 an4 yi1", "qing3 an4 yi1"), ("一十五", "yi1 shi2 wu3", "yi1 shi2 wu3"),
    ("不 是", "bu4 shi4", "bu2 shi4"), ("不要", "bu2 yao4", "bu2 yao4"), ("不 好", "bu4 hao3", "bu4 hao3"),
    ("两百", "liang3 bai3", "liang2 bai3"), ("五点", "wu3 dian3", "wu2 dian3"), ("两小时", "liang3 xiao3 shi2", "liang2 xiao3 shi2"),
    ("可以", "ke3 yi3", "ke2 yi3"), ("请 讲", "qing3 jiang3", "qing2 jiang3"), ("给 我们", "gei3 wo3 men5", "gei2 wo3 men5"),
    ("九 十", "jiu3 shi2", "jiu3 shi2"), ("五点 整点", "wu3 dian3 zheng3 dian3", "wu2 dian3 zheng2 dian3"), ("", "", ""),
])
def test_tones(words: str, dictionary: str, said: str) -> None:
    cut, syllables = words.split(), iter(dictionary.split())
    assert tones.changed(cut, [[next(syllables) for _ in word] for word in cut]) == _by_word(cut, said)


def _by_word(cut: list[str], said: str) -> list[list[str]]:
    syllables = iter(said.split())
    return [[next(syllables) for _ in word] for word in cut]
