"""The sealed stream: any age program opens it, and no damage, cut or wrong passphrase goes unnoticed."""

import io
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.system.backup import age, words
from appliance.system.errors import BoxError
from tests.terminals import terminal_pair

PASSPHRASE = "K7QM-2XWB"
FAST = 4  # log2 of the scrypt cost, so that hundreds of tries take no time


def sealed(plain: bytes, log_n: int = FAST) -> bytes:
    out = io.BytesIO()
    sealer = age.Sealer(out.write, PASSPHRASE, log_n)
    sealer.write(plain)
    sealer.close()
    return out.getvalue()


def opened(raw: bytes, passphrase: str = PASSPHRASE) -> bytes:
    return age.Opener(io.BytesIO(raw).read, passphrase).read()


SIZES = (0, 1, age.CHUNK - 1, age.CHUNK, age.CHUNK + 1, 2 * age.CHUNK, 2 * age.CHUNK + 7)
PLAIN = {size: os.urandom(size) for size in SIZES}
SEALED = {size: sealed(PLAIN[size]) for size in SIZES}


@pytest.mark.parametrize("size", SIZES)
def test_what_was_sealed_is_opened(size: int) -> None:
    assert opened(SEALED[size]) == PLAIN[size]


@given(size=st.sampled_from(SIZES), place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
@settings(max_examples=150, deadline=None)
def test_any_changed_bit_is_noticed_and_its_place_named(size: int, place: float, bit: int) -> None:
    raw = bytearray(SEALED[size])
    at = int(place * len(raw))
    raw[at] ^= 1 << bit
    out = io.BytesIO()
    with pytest.raises(BoxError, match=r"SYS-108|SYS-109|SYS-111") as fault:
        _drain(bytes(raw), out)
    assert PLAIN[size].startswith(out.getvalue()), "nothing unproved was given out"
    header_end = raw.index(b"\n--- ") if b"\n--- " in raw else 0
    if at > header_end + 100:
        assert "at byte" in fault.value.what
        assert abs(int(fault.value.what.split("at byte ")[1].split(":")[0]) - at) <= age.CHUNK + age.TAG


@given(size=st.sampled_from(SIZES), place=st.floats(0, 1, exclude_max=True))
@settings(max_examples=100, deadline=None)
def test_any_cut_is_noticed(size: int, place: float) -> None:
    raw = SEALED[size][: int(place * len(SEALED[size]))]
    with pytest.raises(BoxError, match=r"SYS-108|SYS-109"):
        opened(raw)


@given(size=st.sampled_from(SIZES), more=st.binary(min_size=1, max_size=100))
@settings(max_examples=50, deadline=None)
def test_something_behind_the_end_is_noticed(size: int, more: bytes) -> None:
    with pytest.raises(BoxError, match="SYS-109"):
        opened(SEALED[size] + more)


def test_chunks_cannot_change_places() -> None:
    raw = SEALED[2 * age.CHUNK + 7]
    start = len(raw) - (2 * (age.CHUNK + age.TAG) + 7 + age.TAG)
    first, second = raw[start : start + age.CHUNK + age.TAG], raw[start + age.CHUNK + age.TAG : start + 2 * (age.CHUNK + age.TAG)]
    with pytest.raises(BoxError, match=f"SYS-109.*byte {start}"):
        opened(raw[:start] + second + first + raw[start + 2 * (age.CHUNK + age.TAG) :])


def test_another_passphrase_is_told_as_that() -> None:
    with pytest.raises(BoxError, match="SYS-111"):
        opened(SEALED[1], "K7QM-2XWC")


def test_a_header_that_wants_all_memory_is_refused() -> None:
    raw = SEALED[1].replace(b" 4\n", b" 30\n", 1)
    with pytest.raises(BoxError, match=r"SYS-109.*memory"):
        opened(raw)


@pytest.mark.parametrize("size", SIZES[1:])
def test_the_program_age_opens_ours(size: int, tmp_path: Path) -> None:
    source, target = tmp_path / "sealed", tmp_path / "plain"
    source.write_bytes(SEALED[size])
    assert _age("-d", "-o", str(target), str(source)) == 0
    assert target.read_bytes() == PLAIN[size]


def test_we_open_what_the_program_age_sealed(tmp_path: Path) -> None:
    source, target = tmp_path / "plain", tmp_path / "sealed"
    source.write_bytes(PLAIN[age.CHUNK + 1])
    assert _age("-p", "-o", str(target), str(source), times=2) == 0
    assert opened(target.read_bytes()) == PLAIN[age.CHUNK + 1]


def _age(*arguments: str, times: int = 1) -> int:
    """It asks for the passphrase on a terminal of its own."""
    master, slave, _ = terminal_pair()
    started = subprocess.Popen(
        ["setsid", "--ctty", "--wait", "age", *arguments], stdin=slave, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(slave)
    try:
        os.write(master, f"{PASSPHRASE}\n".encode() * times)
        return started.wait(30)
    finally:
        os.close(master)


def _drain(raw: bytes, out: io.BytesIO) -> None:
    opener = age.Opener(io.BytesIO(raw).read, PASSPHRASE)
    while piece := opener.read(4096):
        out.write(piece)


# --- recovery words -----------------------------------------------------------------------------------------------------


def test_words_are_typed_in_any_form() -> None:
    made = words.new_words()
    assert words.typed(f" {made.lower().replace('-', ' ')}\n") == made


@given(st.data())
@settings(max_examples=200)
def test_one_wrong_or_swapped_letter_is_noticed(data: st.DataObject) -> None:
    letters = list(words.new_words().replace("-", ""))
    at = data.draw(st.integers(0, len(letters) - 1))
    other = data.draw(st.sampled_from([letter for letter in words.ALPHABET + "O0I1" if letter != letters[at]]))
    letters[at] = other
    with pytest.raises(BoxError, match="SYS-110"):
        words.typed("".join(letters))
