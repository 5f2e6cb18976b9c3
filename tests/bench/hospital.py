"""How soon a patient record is open and a drug is found, in a store as a large hospital has it: 200 000 patients, 2 000 000 lines of
history, 20 000 drugs. The store is made first (half a minute), with bulk inserts and the same numbers every time.
"""

import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from appliance.hospital.recognition import last_contacts, recognise
from appliance.hospital.record import open_record
from appliance.hospital.record_sections import Viewer
from appliance.hospital.registry import drugs, patient_search
from appliance.hospital.registry.patient_search import FoundPatients
from appliance.ivr.prompts.library import PromptLibrary
from appliance.ivr.speech.text import TextSpeaker
from appliance.store.database import open_store
from appliance.store.hospital_tables import Drug
from appliance.store.models import database

PATIENTS = 200_000
HISTORY_EACH = 10
CALLS_EACH = 1
DRUGS = 20_000
LOOKS = 200
NOW = datetime(2026, 3, 8, 2, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
NAMES = [a + b for a in "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗" for b in "伟强磊军勇杰涛明超刚芳娜敏静丽艳娟霞秀英"]


def measure(patients: int = PATIENTS, drug_count: int = DRUGS, looks: int = LOOKS) -> dict[str, float]:
    """p95 of opening a record: looked for by card, number, identity number, name with birthday, telephone in turn, the number recognised as
    when it rings; and of a drug: from its number to the clips of what is said first."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "careline.db"
        open_store(path).close()
        _fill(path, patients, drug_count)
        opened = open_store(path)
        try:
            return {"patient_open_ms_p95": _open_ms(patients, looks), "drug_read_ms_p95": _drug_ms(drug_count, looks)}
        finally:
            opened.close()


def _p95_ms(works: Iterable[Callable[[], object]]) -> float:
    took_ms = []
    for work in works:
        began = time.perf_counter()
        with database.atomic():
            work()
        took_ms.append((time.perf_counter() - began) * 1000)
    return round(sorted(took_ms)[len(took_ms) * 95 // 100], 1)


def _open_ms(patients: int, looks: int) -> float:
    random = Random(1)
    return _p95_ms(_look(n, random.randrange(patients)) for n in range(looks))


def _look(n: int, patient: int) -> Callable[[], object]:
    """Find and open one of them; each way of finding in turn."""
    ways: tuple[Callable[[], FoundPatients], ...] = (
        lambda: patient_search.find(_card(patient), str),
        lambda: patient_search.find(_number(patient), str),
        lambda: patient_search.find(_id_number(patient), str),
        lambda: patient_search.find(f"{_name(patient)} {_born(patient)}", str),
        lambda: _rung(_phone(patient)),
    )

    def work() -> None:
        found = ways[n % len(ways)]()
        assert patient + 1 in found.ids, (n, patient, found)
        assert open_record(patient + 1, Viewer()) is not None

    return work


def _rung(phone: str) -> FoundPatients:
    """As a call does: who it is, the last contacts."""
    known = recognise(phone, "allowed", "network", NOW, ZONE)
    last_contacts(phone, NOW)
    return FoundPatients("phone", tuple(person.patient_id for person in known.people))


def _drug_ms(count: int, looks: int) -> float:
    random = Random(2)
    speaker = TextSpeaker(PromptLibrary())
    return _p95_ms(_ask(speaker, random.randrange(count)) for _ in range(looks))


def _ask(speaker: TextSpeaker, place: int) -> Callable[[], object]:
    def work() -> None:
        row = drugs.by_number(_drug(place))
        assert row is not None
        assert speaker.say(row.name_zh, "zh").clips

    return work


# --- the store ---------------------------------------------------------------------------------------------------


def _number(patient: int) -> str:
    return f"{patient + 1:08}"


def _card(patient: int) -> str:
    return f"60{patient:08}"


def _id_number(patient: int) -> str:
    return f"P{patient:09}"


def _phone(patient: int) -> str:
    """Every fifth number is two patients'."""
    return f"154{patient - (patient % 5 == 4):08}"


def _name(patient: int) -> str:
    return NAMES[patient % len(NAMES)]


def _born(patient: int) -> date:
    return date(1940, 1, 1) + timedelta(days=patient * 7 % 30_000)


def _drug(place: int) -> str:
    return f"{place + 10_000:05}"


def _at(place: int) -> str:
    return (NOW - timedelta(minutes=place * 7_919 % 1_000_000)).isoformat(timespec="microseconds")


def _fill(path: Path, patients: int, drug_count: int) -> None:
    """Rows straight into the tables: through the registry it would take half an hour."""
    rows = sqlite3.connect(path)
    rows.execute("pragma synchronous = off")
    everybody = range(patients)
    tables: dict[str, Iterator[tuple[object, ...]]] = {
        "patient (id, number, name, name_key, birth_date, sex, id_number, language, note, created_at)": (
            (n + 1, _number(n), _name(n), _name(n), _born(n).isoformat(), "m", _id_number(n), "zh", "", _at(n)) for n in everybody
        ),
        "patient_phone (patient_id, number, label)": ((n + 1, _phone(n), "") for n in everybody),
        "ledger_account (id, kind, code, balance_fen)": ((n + 1, "card", f"card {_card(n)}", 0) for n in everybody),
        "card (number, patient_id, password_hash, wrong_count, state, state_at, state_by, account_id, issued_at)": (
            (_card(n), n + 1, "", 0, "active", _at(n), "", n + 1, _at(n)) for n in everybody
        ),
        "history_entry (patient_id, at, kind, subject, detail, source)": (
            (n % patients + 1, _at(n), "visit", "门诊", "", "his") for n in range(patients * HISTORY_EACH)
        ),
        "call_record (call_id, direction, trunk_group, channel, ani, started_at, duration_ms, talk_ms, ended_by, outcome, language, path, "
        "digits, transferred_to, transfer_outcome, presentation, ani_source)": (
            (
                f"c{n}",
                "inbound",
                "trunk",
                1,
                _phone(n % patients),
                _at(n),
                1,
                1,
                "",
                "completed",
                "zh",
                "",
                "",
                "",
                "",
                "allowed",
                "network",
            )
            for n in range(patients * CALLS_EACH)
        ),
    }
    for table, values in tables.items():
        _insert(rows, table, values)
    rows.close()
    _fill_drugs(path, drug_count)


def _insert(rows: sqlite3.Connection, table: str, values: Iterator[tuple[object, ...]]) -> None:
    places = ", ".join("?" * (table.count(",") + 1))
    with rows:
        rows.executemany(f"insert into {table} values ({places})", values)


def _fill_drugs(path: Path, count: int) -> None:
    opened = open_store(path)
    same = {"name_en": "Amoxicillin", "use_zh": "用于治疗感染。", "caution_zh": "请遵医嘱。", "price_fen": 1_250, "changed_at": NOW}
    with database.atomic():
        for first in range(0, count, 500):
            lot = [{"number": _drug(n), "name_zh": f"阿莫西林胶囊{n}毫克"} | same for n in range(first, min(count, first + 500))]
            Drug.insert_many(lot).execute()
    opened.close()
