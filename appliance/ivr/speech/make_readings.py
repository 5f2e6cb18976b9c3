"""`python -m appliance.ivr.speech.make_readings`: writes down how Mandarin is read, for readings.py. Part of setting Careline up."""

import sys
from array import array
from pathlib import Path

from pypinyin.constants import PHRASES_DICT, PINYIN_DICT

from appliance.ivr.speech.readings import COUNT, FILE, HAN, Pypinyin


def write(path: Path = FILE) -> int:
    """Everything pypinyin knows of words and characters in HAN; how many that are."""
    known = Pypinyin()
    words = {*PHRASES_DICT, *(chr(code) for code in PINYIN_DICT)}
    read = {word: known.reading(word) for word in words if all(ord(char) in HAN for char in word)}
    lines = sorted(f"{word}\t{' '.join(syllables)}".encode() for word, syllables in read.items() if syllables != list(word))
    starts = array("I", [0])
    for line in lines:
        starts.append(starts[-1] + len(line))
    new = path.with_suffix(".new")
    new.write_bytes(COUNT.pack(len(starts)) + starts.tobytes() + b"".join(lines))
    new.replace(path)
    return len(lines)


if __name__ == "__main__":
    print(f"readings: {write()} words and characters", file=sys.stderr)
