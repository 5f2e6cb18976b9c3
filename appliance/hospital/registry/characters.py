"""Which characters may stand in a text that is shown, printed and spoken. Pure."""

import re
import unicodedata

# Pictures, and what joins and colours them. Source: Unicode 15, emoji-data.txt (blocks), unicode.org/reports/tr51.
_EMOJI = re.compile("[\u200d\u20e3\u2600-\u27bf\u2b00-\u2bff\ufe0e\ufe0f\U0001f000-\U0001faff\U000e0000-\U000e007f]")
_MARKUP = re.compile(r"<\s*[!/a-zA-Z]")
_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2212"
_HIDDEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})


def tidy(text: str) -> str:
    """Composed (NFC), without space around it, lines ended alike."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def narrow(text: str) -> str:
    """Full-width digits and letters as plain ones, for what is no prose: numbers, dates, codes."""
    return unicodedata.normalize("NFKC", text).strip()


def joined(text: str) -> str:
    """A number as people write it in groups ("6001 0000-14"), in one piece and narrow."""
    return "".join(letter for letter in narrow(text) if not letter.isspace() and letter not in _DASHES)


def fault_of(text: str, *, lines: bool = False) -> str | None:
    """Code of what must not be in it (see field_fault.TEXTS), None when it will do. `lines`: it may have several."""
    rules = (
        (_EMOJI.search(text) is not None, "emoji"),
        (any(_is_hidden(letter, lines) for letter in text), "control"),
        (_MARKUP.search(text) is not None, "markup"),
        (text[:1] in ("=", "+", "-", "@"), "formula"),  # a spreadsheet the text gets into would reckon it
    )
    return next((code for broken, code in rules if broken), None)


def _is_hidden(letter: str, lines: bool) -> bool:
    return unicodedata.category(letter) in _HIDDEN and not (lines and letter in "\n\t")
