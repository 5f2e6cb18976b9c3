"""The demo hospital's patients: households of one to four with telephone numbers, cards, histories. Pure."""

from datetime import date, datetime, timedelta
from random import Random

import msgspec

from appliance.hospital.demo import names
from appliance.hospital.demo.departments import DEPARTMENTS
from appliance.hospital.registry import cards, identity
from appliance.hospital.registry.patients import FIRST_NUMBER, PatientEntry

PATIENTS = 20_000
BLOCK = 500
"""Patients that are made together; households do not reach over its end."""
BORN_LATEST = date(2025, 12, 31)  # whatever today is, so that the same people come out
HISTORY_FROM = datetime.fromisoformat("2024-01-01T00:00:00+00:00")
RELATIONS = {"m": ("husband", "son"), "f": ("wife", "daughter")}


class DemoPatient(msgspec.Struct, frozen=True, kw_only=True):
    """`relatives`: places in the block, and what they are to this one. `card`: the number of the card, empty for none."""

    entry: PatientEntry
    card: str
    relatives: tuple[tuple[int, str], ...] = ()
    history: tuple[tuple[datetime, str, str], ...] = ()


KNOWN = (
    ("王小雨", "f", date(1988, 5, 12), "15400000001", ()),
    ("林安", "m", date(1961, 9, 3), "15400000002", ()),
    ("陈晓云", "f", date(1985, 2, 20), "15400000003", ((3, "son"),)),
    ("周文博", "m", date(2017, 7, 7), "15400000003", ()),
)
"""The first of all, whom the demo's text names: somebody with a card, a VIP, a mother and her child behind one number."""


def first_card() -> str:
    return cards.numbered(cards.FIRST_NUMBER)


def block(seed: int, place: int) -> list[DemoPatient]:
    """The `place`-th BLOCK of patients."""
    random = Random(f"{seed} patients {place}")
    first = place * BLOCK
    made: list[DemoPatient] = [_known(random, n) for n in range(len(KNOWN))] if place == 0 else []
    while len(made) < BLOCK:
        made += _household(random, first + len(made), len(made), min(random.choice((1, 1, 2, 3, 3, 4)), BLOCK - len(made)))
    return made


def _known(random: Random, n: int) -> DemoPatient:
    name, sex, born, phone, relatives = KNOWN[n]
    entry = PatientEntry(
        number=str(FIRST_NUMBER + n), name=name, sex=sex, birth_date=born, id_number=_id_number(random, born, sex, n), phones=(phone,)
    )
    return DemoPatient(entry=entry, card=_card(n), relatives=relatives, history=_history(random))


def _card(serial: int) -> str:
    return cards.numbered(cards.FIRST_NUMBER + serial)


def _household(random: Random, first: int, place: int, size: int) -> list[DemoPatient]:
    """Two grown-ups, then children; a number for each grown-up, and now and then one for all."""
    family = names.surname(random)[0]
    shared = (f"010{random.randrange(10_000_000, 20_000_000)}",) if random.random() < 0.3 else ()
    sexes = [random.choice("mf") for _ in range(size)]
    sexes[1:2] = [{"m": "f", "f": "m"}[sexes[0]]] if size > 1 else []
    return [_member(random, first + n, place, n, sexes, family, shared) for n in range(size)]


def _member(random: Random, serial: int, place: int, n: int, sexes: list[str], family: str, shared: tuple[str, ...]) -> DemoPatient:
    sex, is_child = sexes[n], n >= 2
    born = BORN_LATEST - timedelta(days=random.randint(0, 16 * 365) if is_child else random.randint(20 * 365, 90 * 365))
    is_foreign = len(sexes) == 1 and random.random() < 0.03
    own = () if is_child else (f"154{serial + 1_000_000:08}",)
    entry = PatientEntry(
        number=str(FIRST_NUMBER + serial),
        name=names.foreign(random, sex) if is_foreign else _name(random, family, sex, is_partner=n == 1),
        sex=sex,
        birth_date=born,
        id_number=f"P{serial:08}" if is_foreign else _id_number(random, born, sex, serial),
        language="en" if is_foreign else "zh",
        phones=(*own, *shared),
    )
    relatives = tuple((place + other, _relation(other, sexes)) for other in range(len(sexes)) if other != n and not is_child)
    has_card = not is_child or random.random() < 0.5
    return DemoPatient(entry=entry, card=_card(serial) if has_card else "", relatives=relatives, history=_history(random))


def _relation(other: int, sexes: list[str]) -> str:
    return RELATIONS[sexes[other]][other >= 2]


def _name(random: Random, family: str, sex: str, *, is_partner: bool) -> str:
    return (names.surname(random)[0] if is_partner else family) + names.given(random, sex)[0]


def _id_number(random: Random, born: date, sex: str, serial: int) -> str:
    """Of region 99, which there is not."""
    order = random.randrange(500) * 2 + (sex == "m")
    number = f"99{serial % 10_000:04}{born:%Y%m%d}{order:03}"
    return number + identity.check_digit(number)


def _history(random: Random) -> tuple[tuple[datetime, str, str], ...]:
    """Visits, prescriptions and results of two years."""
    entries = []
    for _ in range(random.choice((0, 0, 1, 2, 4))):
        at = HISTORY_FROM + timedelta(minutes=random.randrange(730 * 24 * 60))
        department = random.choice(DEPARTMENTS)[0]
        kind, subject = random.choice((("visit", "门诊"), ("visit", "门诊"), ("prescription", "处方"), ("result", "检验结果")))
        entries.append((at, kind, f"{department}{subject}"))
    return tuple(entries)
