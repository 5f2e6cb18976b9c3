"""Versions of prompts in the store and on disk: which is heard, what happens to damaged ones, what the checker of flows knows, what the
box's own voice makes of orders."""

import ast
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from peewee import Database

from appliance.ivr import publishing
from appliance.ivr.prompts import fixed, kept, orders, versions, wav
from appliance.ivr.prompts.catalogue import HERE, Lang, PromptError, read_texts
from appliance.ivr.prompts.library import PromptLibrary
from appliance.ivr.prompts.overlay import look_at
from appliance.ivr.publishing import Published, Refused
from appliance.ivr.reading import built_in, built_in_texts
from appliance.store.models import Account
from appliance.store.place import StorePlace
from appliance.store.voice_tables import PromptOrder
from appliance.voice.prompt_work import PromptWork
from appliance.voice.state import state_of
from drivers.clock import VirtualClock
from tests.small_disk import small_disk
from tests.unit.hospital_rig import NOW, new_store

SOUND = wav.unwrap(HERE / "zh" / "greeting.wav")
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def database(store_place: StorePlace) -> Iterator[Database]:
    opened = new_store(store_place)
    yield opened
    opened.close()


@pytest.fixture
def editor(database: Database) -> Account:
    made: Account = Account.create(name="zhou", password_hash="", role="business", created_at=NOW)
    return made


def added(own: Path, prompt: str = "greeting", lang: Lang = "zh", sound: bytes = SOUND) -> int:
    with kept.keeping(own, prompt, lang, sound) as audio:
        return versions.add(prompt, lang, audio, "您好", versions.UPLOAD, "zhou", NOW)


def library(own: Path, before: PromptLibrary | None = None) -> PromptLibrary:
    found = before or PromptLibrary(own=own)
    found.use(look_at(own, versions.used_versions(), found.overlay))
    return found


def file_of(own: Path, number: int, prompt: str = "greeting") -> Path:
    return own / versions.version(prompt, "zh", number).path


def test_the_one_in_use_is_heard_and_every_one_can_come_back(tmp_path: Path, editor: Account) -> None:
    for _ in range(2):
        added(tmp_path)
    packaged = PromptLibrary().path("greeting", "zh")
    for number, path in ((1, file_of(tmp_path, 1)), (2, file_of(tmp_path, 2)), (0, packaged), (1, file_of(tmp_path, 1))):
        versions.put_in_use("greeting", "zh", number, editor, NOW)
        heard = library(tmp_path)
        assert heard.path("greeting", "zh") == path
        assert heard.path("greeting", "en") == PromptLibrary().path("greeting", "en")
        assert (heard.text("greeting", "zh") == "您好") == (number > 0)
        assert heard.duration_ms("greeting", "zh") == len(SOUND) // 8
        assert heard.fault is None


@pytest.mark.parametrize("harm", ["gone", "empty", "cut short", "changed", "longer"])
def test_a_damaged_one_gives_way_to_the_one_before(tmp_path: Path, editor: Account, harm: str) -> None:
    for number in (1, 2):
        added(tmp_path)
        versions.put_in_use("greeting", "zh", number, editor, NOW)
    path = file_of(tmp_path, 2)
    content = path.read_bytes()
    if harm == "gone":
        path.unlink()
    else:
        spoilt = {"empty": b"", "cut short": content[:-500], "changed": content[:-1] + b"\x01", "longer": content + b"xx"}[harm]
        path.write_bytes(spoilt)
    heard = library(tmp_path)
    assert heard.path("greeting", "zh") == file_of(tmp_path, 1)
    assert heard.fault
    assert heard.fault.code == "APP-192"
    assert heard.fault in heard.faults()
    path.write_bytes(content)
    assert library(tmp_path, heard).path("greeting", "zh") == path
    assert heard.fault is None


def test_what_was_whole_and_goes_while_calls_run_is_told(tmp_path: Path, editor: Account) -> None:
    added(tmp_path)
    versions.put_in_use("greeting", "zh", 1, editor, NOW)
    heard = library(tmp_path)
    file_of(tmp_path, 1).unlink()
    assert heard.path("greeting", "zh") == PromptLibrary().path("greeting", "zh")
    assert heard.fault
    assert heard.fault.code == "APP-192"


def test_the_checker_knows_the_hospitals_own(tmp_path: Path, editor: Account) -> None:
    """A prompt that has no audio in one language keeps its flow from being published."""
    text = built_in_texts()["hotline"].replace("say: [hotline_menu]", "say: [flu_clinic, hotline_menu]")
    assert versions.new_prompt({"id": "flu_clinic", "text_zh": "流感。", "text_en": "Flu."}, (), editor, NOW) == "flu_clinic"
    publishing.save_draft("hotline", text, editor, NOW)
    for lang in ("zh", "en"):
        refused = publishing.publish({"hotline": 1}, editor, NOW, library(tmp_path).ids)
        assert isinstance(refused, Refused)
        assert {fault.code for fault in refused.faults} == {"APP-134"}
        added(tmp_path, "flu_clinic", lang)
        versions.put_in_use("flu_clinic", lang, 1, editor, NOW)
    heard = library(tmp_path)
    assert isinstance(publishing.publish({"hotline": 1}, editor, NOW, heard.ids), Published)
    file_of(tmp_path, 1, "flu_clinic").unlink()
    gone = library(tmp_path, heard)
    assert "flu_clinic" in gone.ids("zh")  # the flow goes on; the prompt is passed over and told
    with pytest.raises(PromptError):
        gone.path("flu_clinic", "zh")


def test_a_transaction_undone_leaves_no_file(tmp_path: Path, editor: Account) -> None:
    with pytest.raises(ZeroDivisionError), kept.keeping(tmp_path, "greeting", "zh", SOUND):
        raise ZeroDivisionError
    assert list((tmp_path / "prompts/zh").iterdir()) == []


@pytest.mark.parametrize("sound", [b"", b"\xd5" * 200, b"\xd5" * (180 * 8000 + 8000)])
def test_too_long_or_too_short(tmp_path: Path, sound: bytes) -> None:
    with pytest.raises(PromptError, match="APP-195"):
        kept.keep(tmp_path, "greeting", "zh", sound)


def test_a_disk_that_is_full_keeps_nothing_half(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", size_mb=4) as disk:
        first = kept.keep(disk.folder, "greeting", "zh", SOUND)
        disk.fill()
        for keep in (lambda: kept.keep(disk.folder, "greeting", "zh", SOUND), lambda: kept.keep_take(disk.folder, "take_1", SOUND)):
            with pytest.raises(PromptError, match="APP-194"):
                keep()
        assert [str(path.relative_to(disk.folder)) for path in disk.folder.rglob("*.*")] == [first.path]
        assert kept.whole(disk.folder, first.path, first.sha256) == SOUND
        disk.empty()
        assert kept.keep(disk.folder, "greeting", "zh", SOUND)


def test_what_nobody_names_is_swept_after_an_hour(tmp_path: Path, editor: Account) -> None:
    added(tmp_path)
    named, orphan = file_of(tmp_path, 1), tmp_path / kept.keep(tmp_path, "greeting", "zh", SOUND).path
    kept.keep_take(tmp_path, "take_1", SOUND)
    half = named.with_name("x.wav.new")
    half.write_bytes(b"RIFF")
    others = [orphan, kept.take_file(tmp_path, "take_1"), half]
    now_s = max(path.stat().st_mtime for path in others)
    assert kept.sweep(tmp_path, versions.paths(), now_s + 60) == []
    for path in (named, *others):
        os.utime(path, (now_s - 4000, now_s - 4000))
    assert set(kept.sweep(tmp_path, versions.paths(), now_s)) == set(others)
    assert named.exists()


# --- orders ------------------------------------------------------------------------------------------------------------


class Hum:
    """A voice that hums. `fault`: what it raises."""

    def __init__(self, fault: PromptError | None = None) -> None:
        self.voices: dict[Lang, str] = {"zh": "hum", "en": "hum"}
        self._fault = fault

    def alaw(self, text: str, lang: Lang) -> bytes:
        if self._fault:
            raise self._fault
        return b"\x55\xd5" * 400 * len(text)


def test_the_voice_makes_a_version_of_an_order(tmp_path: Path, database: Database, editor: Account) -> None:
    orders.speak("greeting", "zh", "旧的。", editor, NOW)
    orders.speak("greeting", "zh", "您好。", editor, NOW)  # takes the place of the one before
    assert state_of(tmp_path).prompts == 1
    work = PromptWork(database, tmp_path, VirtualClock(NOW), Hum(), "")
    assert [work.step(), work.step()] == [True, False]
    (row,) = versions.versions("greeting", "zh")
    assert (row.text, row.source, row.note, row.author, row.duration_ms) == ("您好。", "voice", "hum", "zhou", 300)
    assert kept.whole(tmp_path, row.path, row.sha256)


@pytest.mark.parametrize("has_voice", [True, False])
def test_what_could_not_be_spoken_says_why(tmp_path: Path, database: Database, editor: Account, has_voice: bool) -> None:
    orders.speak("greeting", "zh", "您好。", editor, NOW)
    hum = Hum(PromptError("APP-069", "nothing can be spoken", "Write words.")) if has_voice else None
    assert PromptWork(database, tmp_path, VirtualClock(NOW), hum, "misaki").step()
    failure = state_of(tmp_path).last_failure
    assert failure
    assert (failure.code, failure.text) == ("APP-069" if has_voice else "APP-065", "您好。")
    assert versions.versions("greeting", "zh") == []


def test_a_code_is_good_once_and_for_a_while(tmp_path: Path, editor: Account) -> None:
    order = orders.record("greeting", "zh", "您好。", editor, NOW)
    assert order
    assert orders.by_code(order.code, NOW) == order
    assert orders.by_code(order.code, NOW + orders.CODE_LASTS) is None
    assert orders.by_code("", NOW) is None
    audio = kept.keep(tmp_path, "greeting", "zh", SOUND)
    assert orders.done(order.id, audio, versions.TELEPHONE, NOW) == 1
    assert orders.by_code(order.code, NOW) is None
    for prompt in range(orders.CODES_AT_ONCE):
        assert orders.record(f"own_{prompt}", "zh", "您好。", editor, NOW)
    assert orders.record("one_more", "zh", "您好。", editor, NOW) is None
    assert orders.record("one_more", "zh", "您好。", editor, NOW + timedelta(hours=1))
    assert len({row.code for row in PromptOrder.select().where(PromptOrder.code != "")}) == orders.CODES_AT_ONCE + 1


# --- where prompts are used --------------------------------------------------------------------------------------------


def test_every_prompt_that_the_code_names_has_its_subject() -> None:
    texts = read_texts()
    said = {each for flow in built_in().flows.values() for node in flow.places.values() for each in node.says()}
    named: set[str] = set()
    for path in (REPOSITORY / "appliance").rglob("*.py"):
        named |= {
            node.value
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
    without = {
        prompt for prompt in named & (set(texts.prompts) | set(texts.tones)) if prompt not in said and not fixed.subjects_of(prompt, texts)
    }
    assert without <= {"valid_until"}  # a column of that name
