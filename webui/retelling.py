"""Sentences of the other programs, which they log, store and send in English, in the reader's language. Pure; used by every thread.

A sentence is known by the English text of a key of the group `told`, whose named places take its values: so what was stored long ago, by
whatever version, is told as well. One that no text knows stays as it is.
"""

import functools
import re

from webui.wording import Wording

GROUP = "told."
_PLACE = re.compile(r"\{\{|\}\}|\{(\w+)\}")


def retell(wording: Wording, language: str, sentence: str) -> str:
    """`sentence` in `language`; the values within it likewise, as far as they are known."""
    return (known_as(wording, language, sentence) or sentence) if language != "en" else sentence


def known_as(wording: Wording, language: str, sentence: str) -> str | None:
    """None for a sentence that no text knows."""
    for pattern, key in _sentences(wording):
        if found := pattern.fullmatch(sentence):
            values = {name: retell(wording, language, value) for name, value in found.groupdict().items()}
            return wording.say(language, key, **values) if values else wording.say(language, key).replace("{{", "{").replace("}}", "}")
    return None


@functools.cache
def _sentences(wording: Wording) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Those with the most words of their own first, for one may fit within another's place."""
    keys = [key for key in wording.keys if key.startswith(GROUP)]
    keys.sort(key=lambda key: (-len(_PLACE.sub("", wording.say("en", key))), key))
    return tuple((re.compile(_pattern(wording.say("en", key)), re.DOTALL), key) for key in keys)


def _pattern(text: str) -> str:
    written, end = "", 0
    for place in _PLACE.finditer(text):
        written += re.escape(text[end : place.start()])
        written += f"(?P<{place[1]}>.+?)" if place[1] else re.escape(place[0][0])
        end = place.end()
    return written + re.escape(text[end:])
