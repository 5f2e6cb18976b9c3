"""The recovery words: what a backup is sealed with. Twenty random letters (100 bits) and four by which a slip of the pen is noticed.

On the box they lie in a file that root alone reads, so that the nightly backup needs nobody; where backups lie they are never.
"""

import hashlib
import secrets
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from appliance.system.backup.files import kept_json, read_json
from appliance.system.errors import BoxError
from drivers.clock import Clock

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
RANDOM, CHECK, GROUP = 20, 4, 4


class KeptWords(msgspec.Struct, frozen=True, kw_only=True):
    """seen: somebody had them shown."""

    words: str
    made_at: datetime
    seen: bool = False


def new_words() -> str:
    """For example "K7QM-2XWB-9RTD-HHVA-33CZ-8KPU"."""
    return _grouped("".join(secrets.choice(ALPHABET) for _ in range(RANDOM)))


def typed(text: str) -> str:
    """As they were given, whatever the case, blanks and dashes. Raises: BoxError SYS-110 for a slip."""
    letters = "".join(letter for letter in text.upper() if letter.isalnum())
    if len(letters) != RANDOM + CHECK or _grouped(letters[:RANDOM]) != _dashed(letters):
        what = f"the recovery words are mistyped: {RANDOM + CHECK} letters and digits, the last four prove the others"
        raise BoxError("SYS-110", what, "Compare them with the paper; there is no letter O or I and no digit 0 or 1 in them")
    return _dashed(letters)


def known(path: Path) -> KeptWords | None:
    """This box's, None while there are none. Raises: BoxError SYS-116, SYS-125."""
    return read_json(path, KeptWords)


def kept(path: Path, clock: Clock) -> KeptWords:
    """This box's, made when there are none."""
    return read_json(path, KeptWords) or keep_new(path, clock)


def keep_new(path: Path, clock: Clock) -> KeptWords:
    made = KeptWords(words=new_words(), made_at=clock.now().astimezone(UTC))
    kept_json(path, made, 0o600)
    return made


def mark_seen(path: Path, words: KeptWords) -> None:
    if not words.seen:
        kept_json(path, msgspec.structs.replace(words, seen=True), 0o600)


def _grouped(random: str) -> str:
    number = int.from_bytes(hashlib.sha256(b"careline recovery words " + random.encode()).digest()[:4], "big")
    check = "".join(ALPHABET[number >> (5 * place) & 31] for place in range(CHECK))
    return _dashed(random + check)


def _dashed(letters: str) -> str:
    return "-".join(letters[at : at + GROUP] for at in range(0, len(letters), GROUP))
