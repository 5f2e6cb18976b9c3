"""Who rings: the caller's number and how far it can be believed → patients, VIP level, how to greet. Inside the caller's transaction.

Never a guess: several people behind a number are a list to choose from, and a number that is withheld matches nobody. Being recognised
gives no right to money or records: those need the card's password.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

import msgspec

from appliance.hospital.registry import vip
from appliance.hospital.registry.cards import CardState
from appliance.hospital.registry.telephone import is_number
from appliance.store.hospital_tables import Card, Family, Patient, PatientPhone
from appliance.store.models import CallRecord
from drivers.protocol import NumberSource, Presentation

PEOPLE_MOST = 20  # more than that behind one number is a company's switchboard: nobody is recognised


class Trust(StrEnum):
    """How far a number can be believed. `network`: the exchange vouches for it (ISDN checked, R2). `caller_id`: told by tones on an
    analogue line or by the caller's own equipment: it can be forged. `none`: withheld, unavailable, or a set of the house."""

    NETWORK = "network"
    CALLER_ID = "caller_id"
    NONE = "none"


ANY_TRUST = (Trust.NETWORK, Trust.CALLER_ID)


def trusted_for_vip(*, by_caller_id: bool) -> Sequence[Trust]:
    """Which numbers may put a VIP through (`vip_by_caller_id` of `[hospital]`)."""
    return ANY_TRUST if by_caller_id else (Trust.NETWORK,)


_TRUST = {
    NumberSource.NETWORK: Trust.NETWORK,
    NumberSource.MF: Trust.NETWORK,
    NumberSource.USER: Trust.CALLER_ID,
    NumberSource.FSK: Trust.CALLER_ID,
    NumberSource.DTMF: Trust.CALLER_ID,
}


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """One of those the caller may be, or may ring for. `of_number`: the number is this patient's own, not a relative's.
    `relation` to the number's owner ("child"). `cards`: how many can be used."""

    patient_id: int
    number: str
    name: str
    language: str
    of_number: bool
    relation: str = ""
    vip_level: int = 0
    cards: int = 0


class Recognition(msgspec.Struct, frozen=True, kw_only=True):
    """`people`: the number's own patients first, then their relatives; empty when nobody is known. `vip_level`: the highest of the number's
    own patients, 1 to 3; 0 for none, or when the number cannot be believed so far. `vip_lapsed`: one was a VIP and is none any more."""

    trust: Trust
    people: tuple[Person, ...] = ()
    vip_level: int = 0
    vip_lapsed: bool = False

    @property
    def sole(self) -> Person | None:
        """Whom to greet by name: only where nobody else can be meant."""
        return self.people[0] if len(self.people) == 1 else None

    @property
    def vip(self) -> Person | None:
        """The VIP to greet by name; None for none, or several."""
        found = [person for person in self.people if person.of_number and person.vip_level and person.vip_level == self.vip_level]
        return found[0] if len(found) == 1 and self.vip_level else None

    @property
    def language(self) -> str:
        """What everybody behind the number speaks; empty when they differ, or nobody is known."""
        languages = {person.language for person in self.people}
        return languages.pop() if len(languages) == 1 else ""


class Contact(msgspec.Struct, frozen=True):
    """An earlier call from a number, as the person who answers sees it."""

    call_id: str
    at: datetime
    outcome: str
    transferred_to: str
    path: str


def trust_of(presentation: str, source: str) -> Trust:
    """In the words of drivers.protocol; whatever is not known is not believed."""
    if presentation != Presentation.ALLOWED or source not in set(NumberSource):
        return Trust.NONE
    return _TRUST.get(NumberSource(source), Trust.NONE)


def recognise(
    ani: str, presentation: str, source: str, now: datetime, zone: ZoneInfo, *, vip_trust: Sequence[Trust] = ANY_TRUST
) -> Recognition:
    """Who may be ringing from `ani` (normalised). `vip_trust`: which numbers may put a VIP through without being asked for anything."""
    trust = trust_of(presentation, source)
    if trust is Trust.NONE or not is_number(ani):
        return Recognition(trust=Trust.NONE)
    owners = list(Patient.select().join(PatientPhone).where(PatientPhone.number == ani).order_by(Patient.id).limit(PEOPLE_MOST + 1))
    if not owners or len(owners) > PEOPLE_MOST:
        return Recognition(trust=trust)
    today = now.astimezone(zone).date()
    own_ids = [row.id for row in owners]
    people = _people(owners, _relatives(own_ids), vip.levels_of(own_ids, today))
    level = min((person.vip_level for person in people if person.vip_level), default=0)
    return Recognition(
        trust=trust,
        people=people,
        vip_level=level if trust in vip_trust else 0,
        vip_lapsed=not level and vip.have_lapsed(own_ids, today),
    )


def _relatives(own_ids: list[int]) -> list[Family]:
    query = Family.select(Family, Patient).join(Patient, on=Family.relative == Patient.id)
    rows = query.where(Family.patient.in_(own_ids), Family.relative.not_in(own_ids)).order_by(Patient.id)
    return list({row.relative_id: row for row in rows.limit(PEOPLE_MOST)}.values())


def _people(owners: list[Patient], relatives: list[Family], levels: dict[int, int]) -> tuple[Person, ...]:
    cards = _usable_cards([*(row.id for row in owners), *(row.relative_id for row in relatives)])
    own = (_person(row, "", cards, level=levels.get(row.id, 0), of_number=True) for row in owners)
    return (*own, *(_person(row.relative, row.relation, cards, level=0, of_number=False) for row in relatives))


def _person(row: Patient, relation: str, cards: dict[int, int], *, level: int, of_number: bool) -> Person:
    return Person(
        patient_id=row.id,
        number=row.number,
        name=row.name,
        language=row.language,
        of_number=of_number,
        relation=relation,
        vip_level=level,
        cards=cards.get(row.id, 0),
    )


def _usable_cards(patient_ids: Iterable[int]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for row in Card.select(Card.patient).where(Card.patient.in_(list(patient_ids)), Card.state == CardState.ACTIVE):
        counts[row.patient_id] = counts.get(row.patient_id, 0) + 1
    return counts


def last_contacts(ani: str, before: datetime, most: int = 3) -> list[Contact]:
    """The last calls from a number that may be shown, newest first, not the one that rings now."""
    rows = CallRecord.select().where(CallRecord.ani == ani, CallRecord.started_at < before).order_by(CallRecord.started_at.desc())
    return [Contact(row.call_id, row.started_at, row.outcome, row.transferred_to, row.path) for row in rows.limit(most)] if ani else []
