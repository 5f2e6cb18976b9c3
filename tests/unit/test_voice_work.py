"""The box's own voice: every text that staff wrote is spoken once, heard as a whole from then on, and its file goes when nobody has it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from peewee import Database

from appliance.hospital import voicing
from appliance.ivr.prompts import wav
from appliance.ivr.prompts.catalogue import Lang, PromptError
from appliance.ivr.prompts.library import PromptLibrary, text_file, text_id
from appliance.ivr.speech import TextSpeaker
from appliance.store.hospital_tables import Department, Notice
from appliance.store.place import StorePlace
from appliance.voice.work import SWEEP_S, VoiceWork
from drivers.clock import VirtualClock
from tests.unit.hospital_rig import NOW, new_store

WHOLE = "国庆节期间门诊停诊三天。"


class Hum:
    """A voice that hums a byte for each character. `fault`: what it raises, for texts that have `bad` in them."""

    def __init__(self, name: str = "hum", fault: PromptError | None = None, bad: str = "") -> None:
        self.voices: dict[Lang, str] = {"zh": name, "en": name}
        self.spoken: list[str] = []
        self._fault = fault
        self._bad = bad

    def alaw(self, text: str, lang: Lang) -> bytes:
        if self._fault and self._bad in text:
            raise self._fault
        self.spoken.append(text)
        return bytes([0x55 + len(self.spoken)]) * 8 * len(text)


@pytest.fixture
def database(store_place: StorePlace) -> Iterator[Database]:
    opened = new_store(store_place)
    Department.create(code="12", name_zh="心内科", name_en="Cardiology")
    Notice.create(kind="notice", title_zh="通知", title_en="Notice", text_zh=WHOLE, text_en="Closed.", starts_at=NOW)
    yield opened
    opened.close()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOW)


def working(database: Database, folder: Path, clock: VirtualClock, engine: Hum | None, most_bytes: int = 1_000_000) -> VoiceWork:
    work = VoiceWork(database, folder, clock, engine, "" if engine else "onnxruntime", most_bytes)
    work.begin()
    return work


def to_the_end(work: VoiceWork) -> None:
    for _ in range(100):
        if not work.step():
            return
    raise AssertionError("it never ends")


def test_every_text_is_spoken_once_and_heard_as_a_whole(database: Database, tmp_path: Path, clock: VirtualClock) -> None:
    speaker = TextSpeaker(PromptLibrary(own=tmp_path))
    assert not speaker.say(WHOLE, "zh").rendered
    hum = Hum()
    to_the_end(working(database, tmp_path, clock, hum))
    to_the_end(working(database, tmp_path, clock, hum))
    assert sorted(hum.spoken) == sorted(["通知", "Notice", WHOLE, "Closed.", "心内科", "Cardiology"])
    assert voicing.counts() == {"made": 6}
    assert speaker.say(WHOLE, "zh") == ((text_id(WHOLE, "zh"),), "", True)
    assert speaker.say(f"  {WHOLE}\n", "zh").rendered
    assert not speaker.say(WHOLE, "en").rendered


def test_what_is_made_can_be_played_and_lasts_as_long_as_told(database: Database, tmp_path: Path, clock: VirtualClock) -> None:
    to_the_end(working(database, tmp_path, clock, Hum()))
    library = PromptLibrary(own=tmp_path)
    key = library.rendering_of(WHOLE, "zh")
    assert key is not None
    assert len(wav.unwrap(library.path(key, "zh"))) == 8 * len(WHOLE)
    row = voicing.state_of(WHOLE, "zh")
    assert row is not None
    assert row.duration_ms == library.duration_ms(key, "zh") == len(WHOLE)
    assert (tmp_path / row.path).is_file()


def test_a_changed_text_is_spoken_and_the_old_file_goes_after_a_day(database: Database, tmp_path: Path, clock: VirtualClock) -> None:
    to_the_end(working(database, tmp_path, clock, Hum()))
    Notice.update(text_zh="照常开诊。").execute()
    later = VirtualClock(NOW + timedelta(hours=2))
    to_the_end(working(database, tmp_path, later, Hum()))
    assert voicing.counts() == {"made": 7}
    assert text_file(tmp_path, text_id(WHOLE, "zh"), "zh").is_file()
    to_the_end(working(database, tmp_path, VirtualClock(NOW + timedelta(hours=26)), Hum()))
    assert voicing.counts() == {"made": 6}
    assert not text_file(tmp_path, text_id(WHOLE, "zh"), "zh").exists()
    assert text_file(tmp_path, text_id("照常开诊。", "zh"), "zh").is_file()


def test_a_recording_is_kept_and_not_spoken_over(database: Database, tmp_path: Path, clock: VirtualClock) -> None:
    path = text_file(tmp_path, text_id(WHOLE, "zh"), "zh")
    path.parent.mkdir(parents=True)
    path.write_bytes(wav.wrap(b"\x11" * 80))
    voicing.recorded(WHOLE, "zh", str(path.relative_to(tmp_path)), 10, NOW)
    Notice.delete().execute()
    to_the_end(working(database, tmp_path, VirtualClock(NOW + timedelta(days=9)), Hum("another")))
    assert wav.unwrap(path) == b"\x11" * 80


def test_a_box_without_a_voice_says_so_until_it_has_one(database: Database, tmp_path: Path, clock: VirtualClock) -> None:
    to_the_end(working(database, tmp_path, clock, None))
    assert voicing.counts() == {"no_voice": 6}
    row = voicing.state_of(WHOLE, "zh")
    assert row is not None
    assert row.error == "onnxruntime"
    to_the_end(working(database, tmp_path, clock, Hum()))
    assert voicing.counts() == {"made": 6}


def test_another_voice_speaks_everything_anew(database: Database, tmp_path: Path, clock: VirtualClock) -> None:
    to_the_end(working(database, tmp_path, clock, Hum()))
    other = Hum("other")
    to_the_end(working(database, tmp_path, clock, other))
    assert len(other.spoken) == 6
    assert voicing.counts() == {"made": 6}


def test_a_text_that_cannot_be_spoken_keeps_no_other_waiting(database: Database, tmp_path: Path, clock: VirtualClock) -> None:
    fault = PromptError("APP-069", "nothing of it can be spoken", "Write words.")
    to_the_end(working(database, tmp_path, clock, Hum(fault=fault, bad="国庆")))
    assert voicing.counts() == {"made": 5, "failed": 1}
    voicing.want(WHOLE, "zh", NOW)
    to_the_end(working(database, tmp_path, clock, Hum()))
    assert voicing.counts() == {"made": 6}


def test_a_voice_that_fails_altogether_is_tried_again_with_the_next_sweep(database: Database, tmp_path: Path, clock: VirtualClock) -> None:
    work = working(database, tmp_path, clock, Hum(fault=PromptError("APP-066", "espeak-ng could not read it", "Install it.")))
    assert work.step()
    assert not work.step()
    assert voicing.counts() == {"no_voice": 6}
    while clock.monotonic_s() < SWEEP_S:
        clock.advance(None)
    assert work.step()


def test_the_disk_is_not_filled(database: Database, tmp_path: Path, clock: VirtualClock) -> None:
    to_the_end(working(database, tmp_path, clock, Hum(), most_bytes=100))
    assert voicing.counts()["no_voice"] > 0
    assert sum(path.stat().st_size for path in (tmp_path / "speech").rglob("*.wav")) < 400


def test_a_process_killed_while_it_wrote_leaves_nothing_to_be_heard(database: Database, tmp_path: Path, clock: VirtualClock) -> None:
    half = text_file(tmp_path, text_id(WHOLE, "zh"), "zh").with_suffix(".new")
    half.parent.mkdir(parents=True)
    half.write_bytes(b"RIFF")
    assert PromptLibrary(own=tmp_path).rendering_of(WHOLE, "zh") is None
    to_the_end(working(database, tmp_path, clock, Hum()))
    assert not half.exists()


def test_a_damaged_file_is_passed_over(database: Database, tmp_path: Path, clock: VirtualClock) -> None:
    to_the_end(working(database, tmp_path, clock, Hum()))
    text_file(tmp_path, text_id(WHOLE, "zh"), "zh").write_bytes(b"RIFF")
    assert not TextSpeaker(PromptLibrary(own=tmp_path)).say(WHOLE, "zh").rendered
