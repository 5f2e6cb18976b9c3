"""Prompts at their pages: found, written, uploaded, cut, levelled, put in use and taken back; who may; what is sent in bad faith."""

import io
import math
import random
import re
import struct
import subprocess
import wave
from array import array
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance.hospital.registry.field_fault import FieldFault
from appliance.ivr.prompts import kept, orders, shape, versions, wav
from appliance.ivr.prompts.catalogue import RESERVED, Lang, PromptError
from appliance.store.models import Audit, database
from appliance.store.voice_tables import PromptOrder, PromptVersion
from tests.web import prepared
from tests.web.agent import ScriptedAgent
from tests.web.conftest import HTML, NOW, SignIn, post, text_of, token
from webui import flow_prompts, prompt_shelf, store
from webui.views.music import UPLOAD_BYTES_MOST

HZ = 8000


def speech(seconds: float = 2.0, rate_hz: int = HZ, level: float = 4000.0) -> bytes:
    """16-bit samples of something like a voice."""
    source = random.Random(1)
    count = int(seconds * rate_hz)
    tones = [math.sin(2 * math.pi * 300 * at / rate_hz) * (0.6 + 0.4 * math.sin(2 * math.pi * 4 * at / rate_hz)) for at in range(count)]
    return array("h", (int(level * tone + source.gauss(0, level / 20)) for tone in tones)).tobytes()


def wave_file(pcm: bytes, rate_hz: int = HZ, channels: int = 1, width: int = 2) -> bytes:
    held = io.BytesIO()
    with wave.open(held, "wb") as file:
        file.setparams((channels, width, rate_hz, 0, "NONE", ""))
        file.writeframes(pcm)
    return held.getvalue()


def coded(content: bytes, kind: str) -> bytes:
    """A WAV file as MP3, OGG or FLAC."""
    return subprocess.run(["sox", "-t", "wav", "-", "-t", kind, "-"], input=content, capture_output=True, check=True).stdout


def upload(client: FlaskClient, content: bytes, name: str = "a.wav", prompt: str = "greeting", level: bool = True) -> TestResponse:
    form = {"csrf": token(client), "file": (io.BytesIO(content), name), **({"level": "on"} if level else {})}
    return client.post(f"/prompts/{prompt}/zh/upload", data=form, content_type="multipart/form-data", headers=HTML)


def rows(prompt: str = "greeting", lang: Lang = "zh") -> list[PromptVersion]:
    with store.connection():
        return versions.versions(prompt, lang)


def lufs(row: PromptVersion) -> float:
    assert row.loudness_lufs is not None
    return float(row.loudness_lufs)


def left_over(place: prepared.Place) -> list[Path]:
    """Files that no version names."""
    with store.connection():
        named = versions.paths()
    return [path for path in (place.data_dir / "prompts").rglob("*.*") if str(path.relative_to(place.data_dir)) not in named]


def test_an_upload_becomes_a_version_as_loud_as_the_others(sign_in: SignIn, agent: ScriptedAgent, place: prepared.Place) -> None:
    client = sign_in("business")
    answer = upload(client, wave_file(speech()))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/prompts/greeting?zh=1")
    (row,) = rows()
    assert (row.number, row.source, row.author, row.note) == (1, "upload", "zhou", "a.wav")
    assert row.duration_ms == 2000
    assert abs(lufs(row) - shape.TARGET_LUFS) <= 0.5
    alaw = kept.whole(place.data_dir, row.path, row.sha256)
    assert shape.loudness(alaw).lufs == lufs(row)
    assert left_over(place) == []
    heard = client.get("/prompts/greeting/zh/1/sound.wav")
    assert array("h", heard.data[44:]) == shape.decode(alaw)
    assert b'"duration_ms": 2000' in client.get("/prompts/greeting/zh/1/outline.json").data


@pytest.mark.parametrize("kind", ["mp3", "ogg", "flac"])
def test_other_kinds_of_files(sign_in: SignIn, agent: ScriptedAgent, kind: str) -> None:
    assert upload(sign_in("business"), coded(wave_file(speech()), kind), f"a.{kind}").status_code == 303
    (row,) = rows()
    assert abs(row.duration_ms - 2000) < 120


def test_a_studio_recording_becomes_telephone_sound(sign_in: SignIn, agent: ScriptedAgent) -> None:
    """24 bits, 96 kHz, two channels."""
    pcm = array("h", speech(0.75, 96_000))
    both = b"".join(struct.pack("<i", sample << 8)[:3] * 2 for sample in pcm)
    assert upload(sign_in("business"), wave_file(both, 96_000, 2, 3)).status_code == 303
    assert rows()[0].duration_ms == 750


LYING = wave_file(speech())[:40] + struct.pack("<I", 0x7FFFFFF0) + speech(0.01)
HOSTILE = {
    "nothing": (b"", "a.wav"),
    "a text": ("您好，欢迎致电。\n".encode() * 40, "a.wav"),
    "a program": (b"MZ" + bytes(4000), "setup.exe"),
    "no name": (wave_file(speech()), "wav"),
    "a head alone": (wave_file(b""), "a.wav"),
    "silence": (wave_file(bytes(2 * HZ)), "a.wav"),
    "too short": (wave_file(speech(0.05)), "a.wav"),
    "too long": (wave_file(speech(1.0, 100) * 200, 100), "a.wav"),
    "half an MP3's head": (coded(wave_file(speech()), "mp3")[:60], "a.mp3"),
    "an MP3 named OGG": (coded(wave_file(speech()), "mp3"), "a.ogg"),
    "a head that lies": (LYING, "a.wav"),
    "noughts": (bytes(100_000), "a.flac"),
    "a rate nobody has": (wave_file(speech())[:24] + struct.pack("<I", 0xFFFFFFFF) + wave_file(speech())[28:], "a.wav"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_no_audio_is_told_at_its_field(sign_in: SignIn, agent: ScriptedAgent, place: prepared.Place, what: str) -> None:
    client = sign_in("business")
    content, name = HOSTILE[what]
    answer = upload(client, content, name)
    assert (answer.status_code, rows()) == (422, [])
    assert re.search(r'id="file-zh"[^>]*>.*?role="alert">[^<]+', answer.text, re.S)
    assert left_over(place) == []


def test_an_mp3_cut_off_gives_what_there_is(sign_in: SignIn, agent: ScriptedAgent) -> None:
    whole = coded(wave_file(speech(4.0)), "mp3")
    assert upload(sign_in("business"), whole[: len(whole) // 2], "a.mp3").status_code == 303
    assert 1000 < rows()[0].duration_ms < 3000


def test_a_file_that_is_too_large_is_told(sign_in: SignIn, agent: ScriptedAgent, place: prepared.Place) -> None:
    length = {"CONTENT_LENGTH": str(UPLOAD_BYTES_MOST + 1)}
    answer = sign_in("business").post("/prompts/greeting/zh/upload", data=b"x" * 1000, headers=HTML, environ_overrides=length)
    assert (answer.status_code, "声音文件太大" in answer.text, left_over(place)) == (413, True, [])


def test_a_full_disk_leaves_nothing_half(
    sign_in: SignIn, agent: ScriptedAgent, place: prepared.Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    answer = upload(sign_in("business"), wave_file(speech()))
    assert (answer.status_code, "APP-194" in answer.text, rows(), left_over(place)) == (422, True, [], [])


def test_cut_and_levelled_as_new_versions(sign_in: SignIn, agent: ScriptedAgent, place: prepared.Place) -> None:
    client = sign_in("business")
    upload(client, wave_file(speech(level=800.0)), level=False)
    before = kept.whole(place.data_dir, rows()[0].path, rows()[0].sha256)
    assert post(client, "/prompts/greeting/zh/1/shape", {"start": "0.5", "end": "1.25"}).status_code == 303
    assert post(client, "/prompts/greeting/zh/2/shape", {"start": "0", "end": "0.75", "level": "on"}).status_code == 303
    third, second, first = rows()
    part = kept.whole(place.data_dir, second.path, second.sha256)
    assert (second.source, second.made_from, second.duration_ms, second.text) == ("edit", 1, 750, first.text)
    assert part[40:-40] == before[4040:9960]
    assert lufs(third) - lufs(second) > 5
    assert abs(lufs(third) - shape.TARGET_LUFS) <= shape.TOLERANCE_LU
    page = client.get("/prompts/greeting?zh=3", headers=HTML).text
    assert f"→ {lufs(third):.1f} LUFS" in page


@pytest.mark.parametrize(("start", "end"), [("1", "0.5"), ("0", "9"), ("-1", "1"), ("x", "1"), ("0", "0.05"), ("", ""), ("0", "9" * 40)])
def test_a_part_that_is_not_there(sign_in: SignIn, agent: ScriptedAgent, start: str, end: str) -> None:
    client = sign_in("business")
    answer = post(client, "/prompts/greeting/zh/0/shape", {"start": start, "end": end} if end != "9" else {"start": "0", "end": "999"})
    assert (answer.status_code, rows()) == (422, [])


def test_put_in_use_and_back(sign_in: SignIn, agent: ScriptedAgent) -> None:
    office, chief = sign_in("business"), sign_in("supervisor")
    upload(office, wave_file(speech()))
    assert post(office, "/prompts/greeting/zh/1/use", {}).status_code == 403
    assert post(chief, "/prompts/greeting/zh/1/use", {}).status_code == 303
    with store.connection():
        assert versions.in_use() == {("greeting", "zh"): 1}
    assert post(office, "/prompts/greeting/zh/1/remove", {}).status_code == 303
    assert len(rows()) == 1
    assert post(chief, "/prompts/greeting/zh/0/use", {}).status_code == 303
    with store.connection():
        assert versions.used_version("greeting", "zh") == 0
        told = [row.action for row in Audit.select().where(Audit.action.endswith("_prompt")).order_by(Audit.id)]
    assert told == ["add_prompt", "use_prompt", "use_prompt"]
    assert [asked for asked in agent.asked if asked[0] == "prompts"] == [("prompts", "wu")] * 2
    for nothing in ("/prompts/greeting/zh/7/use", "/prompts/nobody/zh/0/use", "/prompts/greeting/fr/0/use"):
        assert post(chief, nothing, {}).status_code == 404


def test_a_draft_is_thrown_away_with_its_file(sign_in: SignIn, agent: ScriptedAgent, place: prepared.Place) -> None:
    client = sign_in("business")
    upload(client, wave_file(speech()))
    assert post(client, "/prompts/greeting/zh/1/remove", {}).status_code == 303
    assert (rows(), list((place.data_dir / "prompts/zh").iterdir())) == ([], [])


def test_a_text_that_changes_makes_the_audio_old(sign_in: SignIn) -> None:
    client = sign_in("business")
    assert post(client, "/prompts/greeting/zh/text", {"text": "您好，这里是示范医院。"}).status_code == 303
    page = client.get("/prompts/greeting", headers=HTML).text
    assert "声音已旧" in text_of(page)
    assert "greeting" in client.get("/prompts?state=old", headers=HTML).text
    assert "offer_other_language" not in client.get("/prompts?state=old", headers=HTML).text


@pytest.mark.parametrize("text", ["", " ", "x" * 1001, "<script>alert(1)</script>", "😀", "=1+1", "a\0b"])
def test_a_text_that_will_not_do(sign_in: SignIn, text: str) -> None:
    answer = post(sign_in("business"), "/prompts/greeting/zh/text", {"text": text})
    assert answer.status_code == 422
    assert 'class="invalid-feedback"' in answer.text
    assert "<script>alert" not in answer.text
    with store.connection():
        assert versions.texts() == {}


def test_pieces_keep_their_text(sign_in: SignIn) -> None:
    assert post(sign_in("business"), "/prompts/num_1/zh/text", {"text": "二"}).status_code == 400


def test_a_prompt_of_the_hospitals_own(sign_in: SignIn, agent: ScriptedAgent) -> None:
    office, chief = sign_in("business"), sign_in("supervisor")
    made = post(office, "/prompts/new", {"id": "flu_clinic", "text_zh": "流感门诊。", "text_en": "Flu clinic."})
    assert made.status_code == 303
    with store.connection():
        assert versions.texts()["flu_clinic", "en"] == "Flu clinic."
    assert "没有声音" in text_of(office.get("/prompts?q=flu", headers=HTML).text)
    for lang in ("zh", "en"):
        form = {"csrf": token(office), "file": (io.BytesIO(wave_file(speech())), "a.wav"), "level": "on"}
        office.post(f"/prompts/flu_clinic/{lang}/upload", data=form, content_type="multipart/form-data")
    assert post(chief, "/prompts/ready", {}).status_code == 303
    with store.connection():
        assert versions.in_use() == {("flu_clinic", "zh"): 1, ("flu_clinic", "en"): 1}
    assert post(chief, "/prompts/flu_clinic/zh/0/use", {}).status_code == 404


@pytest.mark.parametrize("name", ["", "greeting", "Ä", "a", "p_own", "take-1", "t_x", "x" * 49, "../x", "a b"])
def test_names_that_will_not_do(sign_in: SignIn, name: str) -> None:
    answer = post(sign_in("business"), "/prompts/new", {"id": name, "text_zh": "好。", "text_en": "Good."})
    assert answer.status_code == 422
    with store.connection():
        assert versions.texts() == {}


@pytest.mark.parametrize("beginning", RESERVED)
def test_a_name_that_is_kept_for_the_box_is_refused_with_the_reason(sign_in: SignIn, beginning: str) -> None:
    client = sign_in("business")
    answer = post(client, "/prompts/new", {"id": f"{beginning}own", "text_zh": "好。", "text_en": "Good."})
    assert answer.status_code == 422
    assert f"不能以 {beginning} 开头" in text_of(answer.text)
    assert FieldFault("id", "reserved", {"value": beginning}).text("en").startswith(f"must not begin with {beginning},")


def test_a_name_may_begin_with_take(sign_in: SignIn) -> None:
    assert post(sign_in("business"), "/prompts/new", {"id": "take_care", "text_zh": "保重。", "text_en": "Take care."}).status_code == 303


def test_recording_by_telephone_is_asked_for_and_taken_back(sign_in: SignIn) -> None:
    client = sign_in("business")
    assert post(client, "/prompts/greeting/zh/record", {}).status_code == 303
    with store.connection():
        (order,) = PromptOrder.select()
    assert re.fullmatch(r"\d{8}", order.code)
    assert order.expires_at - NOW >= timedelta(minutes=10)
    page = client.get("/prompts/greeting", headers=HTML).text
    assert f"{order.code[:4]} {order.code[4:]}" in page
    assert "按 8" in page
    assert 'hx-trigger="every 2s"' in client.get("/prompts/greeting/zh/order", headers=HTML).text
    post(client, "/prompts/greeting/zh/take-back", {})
    with store.connection():
        assert orders.by_code(order.code, NOW) is None


def test_what_the_voice_came_to_is_shown(sign_in: SignIn, place: prepared.Place) -> None:
    client = sign_in("business")
    post(client, "/prompts/greeting/zh/speak", {})
    with store.connection(), database.atomic():
        order = orders.first_to_speak()
        assert order
        orders.failed(order.id, PromptError("APP-065", "it lacks misaki", "Install it"))
    shown = client.get("/prompts/greeting/zh/order", headers=HTML).text
    assert "APP-065" in shown
    assert "every 2s" not in shown
    assert "APP-065" in client.get("/prompts/voice", headers=HTML).text
    post(client, "/prompts/greeting/zh/speak", {})
    with store.connection(), database.atomic():
        order = orders.first_to_speak()
        assert order
        audio = kept.keep(place.data_dir, "greeting", "zh", wav.unwrap(Path(kept.__file__).parent / "zh/greeting.wav"))
        assert orders.done(order.id, audio, versions.VOICE, NOW) == 1
        assert orders.done(order.id, audio, versions.VOICE, NOW) is None
    assert "zh=1" in client.get("/prompts/greeting/zh/order", headers=HTML).text


def test_where_it_is_used(sign_in: SignIn) -> None:
    client = sign_in("business")
    assert "/flows/hotline/0/place?name=greeting" in client.get("/prompts/greeting", headers=HTML).text
    assert "出错时" in client.get("/prompts/technical_fault", headers=HTML).text
    listed = client.get("/prompts?flow=drugs", headers=HTML).text
    assert "drug_ask_doctor" not in listed
    assert 'href="/prompts/ask_drug' in listed or "drug" in listed
    assert client.get("/prompts?kind=bank&page=3", headers=HTML).status_code == 200
    assert client.get("/prompts?q=no-such-words", headers=HTML).status_code == 200
    assert client.get("/prompts/nobody", headers=HTML).status_code == 404


def test_a_hundred_prompts_there_and_back(sign_in: SignIn, agent: ScriptedAgent, place: prepared.Place) -> None:
    """Each is taken away as it is heard, uploaded too low, and comes back as loud as it was, within 1 LU, and as long."""
    client = sign_in("business")
    named = sorted(prompt for prompt in prompt_shelf.texts().prompts if flow_prompts.packaged().packaged_text(prompt, "zh"))[:100]
    for prompt in named:
        heard = array("h", client.get(f"/prompts/{prompt}/zh/0/sound.wav").data[44:])
        low = array("h", (int(value * 0.3) for value in heard)).tobytes()
        assert upload(client, wave_file(low), prompt=prompt).status_code == 303, prompt
    with store.connection():
        made = [(versions.version(prompt, "zh", 1), flow_prompts.packaged().duration_ms(prompt, "zh")) for prompt in named]
    assert len(made) == 100
    assert [row.prompt for row, _ in made if abs(lufs(row) - shape.TARGET_LUFS) > shape.TOLERANCE_LU] == []
    assert [row.prompt for row, length_ms in made if abs(row.duration_ms - length_ms) > 2] == []
