"""The demo hospital's three hundred doctors, and when they see patients. Pure."""

from collections.abc import Iterator
from random import Random

from appliance.calendar import WEEKDAYS
from appliance.hospital.booking.clinics import Half
from appliance.hospital.demo import names
from appliance.hospital.demo.departments import DEPARTMENTS, DISEASES
from appliance.hospital.registry import pinyin
from appliance.hospital.registry.doctors import DoctorEntry

DOCTORS = 300
TITLES = (
    ("主任医师", "Chief physician", True, (5_000, 10_000)),
    ("副主任医师", "Associate chief physician", True, (3_000, 5_000)),
    ("主治医师", "Attending physician", False, (0, 1_000)),
    ("住院医师", "Resident physician", False, (0,)),
)
HALVES = (("08:00", "12:00"), ("14:00", "17:00"))


def doctors(seed: int) -> list[DoctorEntry]:
    """Numbers "0101" (the first of department 01) and so on; no two of one name."""
    random = Random(f"{seed} doctors")
    known: set[str] = set()
    return [_doctor(random, place % len(DEPARTMENTS), place // len(DEPARTMENTS), known) for place in range(DOCTORS)]


def _doctor(random: Random, department: int, place: int, known: set[str]) -> DoctorEntry:
    zh, en = next(name for name in _names(random) if name[0] not in known)
    known.add(zh)
    title = TITLES[min(place // 2, 3)]
    fee_fen = random.choice(title[3])
    profile_zh, profile_en = _profile(random, department, title)
    return DoctorEntry(
        number=f"{department + 1:02}{place + 1:02}",
        staff_code=f"{department + 1:02}{place + 1:02}",
        name_zh=zh,
        name_en=en,
        department=f"{department + 1:02}",
        initials=pinyin.initials(zh),
        title_zh=title[0],
        title_en=title[1],
        profile_zh=profile_zh,
        profile_en=profile_en,
        expert=title[2],
        fee_fen=fee_fen,
        consultation_fen_per_min=fee_fen // 10,
    )


def _names(random: Random) -> Iterator[tuple[str, str]]:
    while True:
        yield names.full(random, random.choice("mf"))


def _profile(random: Random, department: int, title: tuple[str, str, bool, tuple[int, ...]]) -> tuple[str, str]:
    zh, en, diseases = DEPARTMENTS[department]
    chosen = random.sample(diseases.split(), 2)
    years = random.randint(20, 35) if title[2] else random.randint(3, 15)
    treated = " and ".join(DISEASES[disease] for disease in chosen)
    return (
        f"{title[0]}，从事{zh}临床工作{years}年，具有丰富的临床经验。擅长诊断和治疗{'、'.join(chosen)}等疾病。",
        f"{title[1]}, {years} years of experience in {en}. Specialist in the diagnosis and treatment of {treated}.",
    )


def timetable(seed: int, number: str) -> list[Half]:
    """Three halves of a week in which a doctor sees patients."""
    random = Random(f"{seed} timetable {number}")
    whole = [(day, half) for day in WEEKDAYS[:5] for half in HALVES] + [(WEEKDAYS[5], HALVES[0])]
    return [Half(weekday=day, starts=half[0], ends=half[1]) for day, half in random.sample(whole, 3)]
