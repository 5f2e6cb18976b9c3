"""Music on hold: any file to 8 kHz A-law at -19 LUFS; what is kept, chosen, removed, refused."""

import asyncio
import math
import struct
import subprocess
import wave
from pathlib import Path

import pytest

from appliance.control.messages import AddMusic, AskMusic, ChooseMusic, MusicTold, RemoveMusic
from appliance.errors import MusicError
from appliance.music import DEFAULT, MusicShelf
from appliance.music_desk import MusicDesk
from appliance.music_level import TARGET_LUFS, levelled
from drivers.media import Engine
from tests.small_disk import small_disk

RATE_HZ = 44_100


def tone(path: Path, seconds: float = 3.0, level: float = 0.05, sides: int = 2) -> Path:
    """1 kHz, so loud as `level` of full scale."""
    samples = (round(32767 * level * math.sin(2 * math.pi * 1000 * at / RATE_HZ)) for at in range(round(seconds * RATE_HZ)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(sides)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(b"".join(struct.pack("<h", sample) * sides for sample in samples))
    return path


def loudness(path: Path, scratch: Path) -> float:
    return asyncio.run(levelled(path, scratch / "again.wav"))


@pytest.mark.parametrize("level", [0.01, 0.05, 0.5])
def test_every_level_comes_out_as_loud_as_it_should(tmp_path: Path, level: float) -> None:
    asyncio.run(levelled(tone(tmp_path / "in.wav", level=level), tmp_path / "out.wav"))
    assert loudness(tmp_path / "out.wav", tmp_path) == pytest.approx(TARGET_LUFS, abs=0.3)


def test_a_known_tone_measures_as_the_standard_says(tmp_path: Path) -> None:
    """997 Hz at 0 dBFS in one channel is -3.01 LUFS. Source: ITU-R BS.1770-4 annex 1; 1 kHz is as good here."""
    assert loudness(tone(tmp_path / "in.wav", level=0.1, sides=1), tmp_path) == pytest.approx(-23.0, abs=0.2)


@pytest.mark.parametrize("kind", ["mp3", "ogg", "flac"])
def test_kinds_of_files(tmp_path: Path, kind: str) -> None:
    plain = tone(tmp_path / "in.wav")
    given = tmp_path / f"in.{kind}"
    subprocess.run(["sox", str(plain), str(given)], check=True)
    asyncio.run(levelled(given, tmp_path / "out.wav", kind))
    engine = Engine()
    try:
        assert engine.clips.open(tmp_path / "out.wav").samples > 8000
    finally:
        engine.close()


def test_what_is_no_music(tmp_path: Path) -> None:
    (tmp_path / "noise.mp3").write_bytes(bytes(range(256)) * 20)
    for path, kind, code in (
        (tmp_path / "noise.mp3", "mp3", "APP-11"),
        (tone(tmp_path / "short.wav", seconds=0.2), "wav", "APP-112"),
        (tone(tmp_path / "silent.wav", level=0.0), "wav", "APP-112"),
    ):
        with pytest.raises(MusicError) as raised:
            asyncio.run(levelled(path, tmp_path / "out.wav", kind))
        assert raised.value.code.startswith(code)
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.parametrize(("kind", "words"), [("wav", "RIFF header not found"), ("mp3", "not what its ending says"), ("ogg", "Ogg Vorbis")])
def test_what_is_wrong_is_told_without_our_folders(tmp_path: Path, kind: str, words: str) -> None:
    given = tmp_path / "a folder" / "0123abc"
    given.parent.mkdir()
    given.write_bytes(bytes(range(256)) * 20)
    with pytest.raises(MusicError) as raised:
        asyncio.run(levelled(given, tmp_path / "春江花月夜.wav", kind))
    assert raised.value.code == "APP-111"
    assert raised.value.what.startswith("'春江花月夜' cannot be read: ")
    assert words in raised.value.what
    assert str(tmp_path) not in str(raised.value)
    assert given.name not in str(raised.value)


def test_music_on_a_full_disk_is_told_as_that_and_leaves_nothing(tmp_path: Path) -> None:
    source = tone(tmp_path / "in.wav")
    with small_disk(tmp_path / "music", size_mb=1) as disk:
        disk.fill()
        with pytest.raises(MusicError, match=r"APP-116: 'song' cannot be kept"):
            asyncio.run(levelled(source, disk.folder / "song.wav"))
        assert [path.name for path in disk.folder.iterdir()] == ["filling"]


def test_the_music_of_the_box_is_as_loud_as_all(tmp_path: Path) -> None:
    assert loudness(DEFAULT, tmp_path) == pytest.approx(TARGET_LUFS, abs=0.2)


class Desk:
    def __init__(self, folder: Path) -> None:
        self.incoming = folder / "music" / "incoming"
        self.incoming.mkdir(parents=True)
        self.desk = MusicDesk(MusicShelf(folder / "music"), self.incoming)

    def do(self, request: AddMusic | AskMusic | ChooseMusic | RemoveMusic) -> MusicTold:
        return asyncio.run(self.desk.serve(request))

    def add(self, name: str) -> MusicTold:
        tone(self.incoming / "upload")
        return self.do(AddMusic(name=name, upload="upload", kind="wav", by="admin"))


def test_a_file_is_added_chosen_and_removed(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert [(entry.name, entry.chosen) for entry in desk.do(AskMusic()).entries] == [("", True)]
    assert [(entry.name, entry.chosen) for entry in desk.add("春江花月夜").entries] == [("", True), ("春江花月夜", False)]
    assert not list(desk.incoming.iterdir())
    desk.do(ChooseMusic(name="春江花月夜"))
    assert desk.desk.shelf.current() == tmp_path / "music" / "春江花月夜.wav"
    assert [entry.chosen for entry in desk.do(RemoveMusic(name="春江花月夜")).entries] == [True]
    assert desk.desk.shelf.current() == DEFAULT


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "x" * 61, "line\nbreak"])
def test_names_that_are_no_names(tmp_path: Path, name: str) -> None:
    desk = Desk(tmp_path)
    with pytest.raises(MusicError, match="APP-114"):
        desk.add(name)
    assert not list(desk.incoming.iterdir())


def test_what_is_not_there_is_neither_chosen_nor_removed(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for request in (ChooseMusic(name="nothing"), RemoveMusic(name="nothing"), RemoveMusic(name="")):
        with pytest.raises(MusicError, match="APP-115"):
            desk.do(request)
    assert DEFAULT.is_file()
