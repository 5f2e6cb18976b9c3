"""The book of legs: what is on disk is what the next process finds, whenever this one ends."""

import asyncio
import resource
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import LineError
from drivers.legs import LegBook
from drivers.protocol import Cause, DigitPress, Direction, LegPhase, LegState, RecordingState, Sides

AT = datetime(2026, 3, 8, 2, 0, tzinfo=UTC)


def leg(name: str) -> LegState:
    return LegState(leg=name, channel=1, group="trunk", direction=Direction.INBOUND, phase=LegPhase.OFFERED, offered_at=AT)


async def in_loop(book: LegBook, doings: list[tuple[str, str]]) -> None:
    for name, what in doings:
        if what == "add" and name not in book:
            book.add(leg(name))
        elif name in book:
            change(book, name, what)
    book.flush()


def change(book: LegBook, name: str, what: str) -> None:
    if what == "answer":
        book.update(name, phase=LegPhase.ANSWERED, answered_at=AT)
    elif what == "digit":
        press = DigitPress(book.next_seq(name), "5", AT)
        book.update(name, digits=(*book.state(name).digits, press))
    elif what == "record":
        book.put_recording(name, RecordingState("r", "/x/r.wav", Sides.BOTH, AT), 12.5)
    elif what == "mute":
        book.update_audio(name, mute_rx=True)
    elif what == "forget":
        book.update(name, phase=LegPhase.RELEASED, cause=Cause.NORMAL)
        book.forget(name)


DOINGS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["add", "add", "answer", "digit", "record", "mute", "forget"])))


@settings(max_examples=40, deadline=None)
@given(doings=DOINGS)
def test_next_process_finds_the_same(tmp_path_factory: pytest.TempPathFactory, doings: list[tuple[str, str]]) -> None:
    folder = tmp_path_factory.mktemp("legs")
    book, found = LegBook(folder), LegBook(folder)
    asyncio.run(in_loop(book, doings))
    found.load()
    assert sorted(found, key=lambda kept: kept.state.leg) == sorted(book, key=lambda kept: kept.state.leg)
    assert not list(folder.glob("*.new"))


def test_half_written_file_is_not_taken_for_a_leg(tmp_path: Path) -> None:
    book = LegBook(tmp_path)
    asyncio.run(in_loop(book, [("a", "add")]))
    content = (tmp_path / "a.leg").read_bytes()
    (tmp_path / "b.leg.new").write_bytes(content[:10])
    (tmp_path / "c.leg").write_bytes(content[:10])
    found = LegBook(tmp_path)
    found.load()
    assert [state.leg for state in found.states()] == ["a"]
    assert (tmp_path / "c.broken").exists()


def test_deleted_folder_is_made_again_with_every_leg(tmp_path: Path) -> None:
    book, found = LegBook(tmp_path / "legs"), LegBook(tmp_path / "legs")
    asyncio.run(in_loop(book, [("a", "add"), ("b", "add")]))
    shutil.rmtree(tmp_path / "legs")
    asyncio.run(in_loop(book, [("b", "answer")]))
    found.load()
    assert [state.leg for state in found.states()] == ["a", "b"]


def test_disk_that_takes_a_part_leaves_the_leg_as_it_was(tmp_path: Path) -> None:
    """A write that meets a limit is short; the next one is the error. Source: write(2)."""
    book, found = LegBook(tmp_path), LegBook(tmp_path)
    asyncio.run(in_loop(book, [("a", "add")]))
    room = (tmp_path / "a.leg").stat().st_size + 1
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        asyncio.run(in_loop(book, [("a", "answer"), ("a", "digit")]))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    found.load()
    assert [state.phase for state in found.states()] == [LegPhase.OFFERED]


@pytest.mark.parametrize("name", ["", "../a", "a/b", ".hidden", "a" * 200, "名"])
def test_names_that_cannot_be_files(tmp_path: Path, name: str) -> None:
    with pytest.raises(LineError, match="LIN-032"):
        LegBook(tmp_path).add(leg(name))


def test_folder_that_cannot_be_written_costs_no_call(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    book = LegBook(tmp_path / "file/legs")
    asyncio.run(in_loop(book, [("a", "add"), ("a", "answer")]))
    assert book.state("a").phase is LegPhase.ANSWERED
