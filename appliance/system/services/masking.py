"""What must not leave the box with a support bundle: secrets and patients' data, blotted out of text. Pure.

Logs are English, so Chinese in them is what people said or are called; numbers of seven digits and more are telephones, identity cards,
cards. What is known to be somebody's (from the store) or secret (from the settings) is looked for besides, whatever its form.
"""

import re
from collections.abc import Collection

BLOT = "***"
SECRET_KEY = r"(?:[\w-]*(?:secret|password|passphrase|token|credential|community|private|recovery|words|key)[\w-]*|(?:[\w-]*_)?pin)"
SECRET_VALUE = re.compile(rf"""(?im)((?:^|[\s,{{])["']?{SECRET_KEY}["']?\s*[=:]\s*)(\[[^\]]*\]|"(?:[^"\\]|\\.)*"|'[^']*'|[^\s,}}]+)""")
IN_ADDRESS = re.compile(r"//[^/@\s\"]+@")
LONG_NUMBER = re.compile(r"\+?\d{7,}[0-9Xx]?|(?<!\d)1\d{2}[- ]\d{4}[- ]\d{4}(?!\d)")
CHINESE = re.compile(r"[\u3400-\u9fff]+")
WORD = re.compile(r"[A-Za-z0-9]+")
KNOWN_LEAST = 5  # shorter ones are ordinary numbers and words too


def without_secrets(text: str) -> tuple[str, int]:
    """A configuration file (TOML, JSON) without the values of secret keys and passwords in addresses; how many there were."""
    text, values = SECRET_VALUE.subn(rf'\1"{BLOT}"', text)
    text, addresses = IN_ADDRESS.subn(f"//{BLOT}@", text)
    return text, values + addresses


def secrets_in(text: str) -> set[str]:
    """The secret values themselves, long enough to be told from ordinary words."""
    found = {match[2].strip("\"'[] ") for match in SECRET_VALUE.finditer(text)}
    return {value for value in found if len(value) > KNOWN_LEAST}


def without_people(text: str) -> tuple[str, int]:
    """A log without long numbers and without Chinese."""
    text, numbers = LONG_NUMBER.subn(BLOT, text)
    text, names = CHINESE.subn(BLOT, text)
    return text, numbers + names


def without_known(text: str, secrets: Collection[str], people: Collection[str]) -> tuple[str, int]:
    """`secrets` are looked for anywhere, `people` (numbers and names in small letters, of one word or several) as whole words."""
    count = 0
    for secret in secrets:
        count += text.count(secret)
        text = text.replace(secret, BLOT)
    longest = max((len(name.split()) for name in people), default=0)
    for begin, end in reversed(_found(text, people, longest)):
        text = text[:begin] + BLOT + text[end:]
        count += 1
    return text, count


def _found(text: str, people: Collection[str], longest: int) -> list[tuple[int, int]]:
    """Where somebody stands, in order and without overlap."""
    words = list(WORD.finditer(text))
    found: list[tuple[int, int]] = []
    for at in range(len(words)):
        if found and words[at].start() < found[-1][1]:
            continue
        for length in range(min(longest, len(words) - at), 0, -1):
            part = words[at : at + length]
            if " ".join(word[0] for word in part).lower() in people:
                found.append((part[0].start(), part[-1].end()))
                break
    return found
