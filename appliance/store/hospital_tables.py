"""Tables of what the hospital is: departments, people, cards, drugs, notices (peewee, SQLite and PostgreSQL alike).

Numbers that callers key (doctor, drug, card) are text of digits: leading zeros count. Money is integer fen.
"""

from peewee import AutoField, BooleanField, CharField, DateField, ForeignKeyField, IntegerField, TextField

from appliance.store.models import Account, StoreModel, UtcField
from appliance.store.money_tables import LedgerAccount


class Department(StoreModel):
    """`code` is keyed by callers, for complaints too. Closed ones are kept for what points at them."""

    id = AutoField()
    code = CharField(max_length=8, unique=True)
    name_zh = CharField()
    name_en = CharField()
    place_zh = CharField(default="")
    place_en = CharField(default="")
    closed = BooleanField(default=False)


class StaffMember(StoreModel):
    """Whoever may be named by code, in a complaint say. `account`: with which this person uses the web."""

    id = AutoField()
    code = CharField(max_length=8, unique=True)
    name_zh = CharField()
    name_en = CharField()
    department = ForeignKeyField(Department, backref="staff")
    department_id: int
    account = ForeignKeyField(Account, null=True, unique=True)
    left = BooleanField(default=False)


class Doctor(StoreModel):
    """A doctor patients can ask for. `initials`: of the name's pinyin, "zw" (found on the keypad as 99); `expert`: for paid
    registration."""

    id = AutoField()
    number = CharField(max_length=8, unique=True)
    staff = ForeignKeyField(StaffMember, unique=True, backref="doctor")
    staff_id: int
    initials = CharField(max_length=16, index=True)
    title_zh = CharField(default="")
    title_en = CharField(default="")
    profile_zh = TextField(default="")
    profile_en = TextField(default="")
    expert = BooleanField(default=False)
    fee_fen = IntegerField(default=0)
    consultation_fen_per_min = IntegerField(default=0)
    listed = BooleanField(default=True)


class Patient(StoreModel):
    """`number`: the hospital's own; `id_number`: of the identity card. `name_key`: the name without spaces, lower case, for the search."""

    id = AutoField()
    number = CharField(max_length=16, unique=True)
    name = CharField()
    name_key = CharField(index=True)
    birth_date = DateField(null=True)
    sex = CharField(max_length=1, default="")
    id_number = CharField(max_length=24, null=True, index=True)
    language = CharField(max_length=2, default="zh")
    note = TextField(default="")
    created_at = UtcField()


class PatientPhone(StoreModel):
    """A telephone number of a patient, in the box's one form. Families share numbers, so it is not unique."""

    id = AutoField()
    patient = ForeignKeyField(Patient, backref="phones", on_delete="CASCADE")
    patient_id: int
    number = CharField(max_length=24, index=True)
    label = CharField(default="")

    class Meta:
        indexes = ((("patient", "number"), True),)


class Family(StoreModel):
    """`relative` may be booked for and is offered in the pick-list of `patient`'s numbers."""

    id = AutoField()
    patient = ForeignKeyField(Patient, backref="family", on_delete="CASCADE")
    relative = ForeignKeyField(Patient, backref="family_of", on_delete="CASCADE")
    patient_id: int
    relative_id: int
    relation = CharField(default="")

    class Meta:
        indexes = ((("patient", "relative"), True),)


class Card(StoreModel):
    """A prepaid card. `state`: active, locked (wrong passwords), frozen, lost, closed. `wrong_count` counts from any line.
    `account`: its money; None once `replaced_by` another card took it."""

    id = AutoField()
    number = CharField(max_length=16, unique=True)
    patient = ForeignKeyField(Patient, backref="cards")
    patient_id: int
    password_hash = CharField(default="")
    wrong_count = IntegerField(default=0)
    state = CharField(max_length=8, default="active")
    state_at = UtcField()
    state_by = CharField(default="")
    account = ForeignKeyField(LedgerAccount, unique=True, null=True)
    account_id: int | None
    replaced_by = ForeignKeyField("self", null=True)
    issued_at = UtcField()


class HistoryEntry(StoreModel):
    """A line of a patient's history that came from elsewhere (visits, results). `kind`: visit, admission, result, prescription, other."""

    id = AutoField()
    patient = ForeignKeyField(Patient, backref="history", index=False)
    at = UtcField()
    kind = CharField(max_length=16)
    subject = CharField()
    detail = TextField(default="")
    source = CharField(default="")

    class Meta:
        indexes = ((("patient", "at"), False),)


class Drug(StoreModel):
    """`version` rises with every change of what is said; a reading logs it. `listed`: may be asked for."""

    id = AutoField()
    number = CharField(max_length=8, unique=True)
    name_zh = CharField()
    name_en = CharField()
    use_zh = TextField(default="")
    use_en = TextField(default="")
    caution_zh = TextField(default="")
    caution_en = TextField(default="")
    unit_zh = CharField(default="")
    unit_en = CharField(default="")
    price_fen = IntegerField()
    version = IntegerField(default=1)
    listed = BooleanField(default=True)
    changed_at = UtcField()


class Notice(StoreModel):
    """Something to be heard or read. `kind`: notice, introduction, visiting, health, sponsored. It is offered from `starts_at` to `ends_at`
    (None: without end) while `open`, in the order of `position`."""

    id = AutoField()
    kind = CharField(max_length=16, index=True)
    title_zh = CharField()
    title_en = CharField()
    text_zh = TextField()
    text_en = TextField()
    starts_at = UtcField()
    ends_at = UtcField(null=True)
    open = BooleanField(default=True)
    position = IntegerField(default=0)
    version = IntegerField(default=1)


class TextVersion(StoreModel):
    """What an item ("drug 1203", "notice 7") said in a version, so that what was read to a caller can be looked up. `body`: JSON."""

    id = AutoField()
    item = CharField()
    version = IntegerField()
    at = UtcField()
    by = CharField(default="")
    body = TextField()

    class Meta:
        indexes = ((("item", "version"), True),)


class Listening(StoreModel):
    """Somebody heard an item: `item` "drug 1203", "notice 7", "doctor 15"; `whole`: to the end. One per call and visit (`once_key`)."""

    id = AutoField()
    once_key = CharField(unique=True)
    at = UtcField(index=True)
    call = CharField(column_name="call_id", default="")
    item = CharField(index=True)
    version = IntegerField(default=0)
    language = CharField(max_length=2)
    whole = BooleanField()


class Vip(StoreModel):
    """A patient who is greeted and put through first. `level` 1 is the highest. Valid from the beginning of `valid_from` to the end of
    `valid_until` (None: open) in the hospital's time."""

    id = AutoField()
    patient = ForeignKeyField(Patient, backref="vip")
    patient_id: int
    level = IntegerField()
    valid_from = DateField()
    valid_until = DateField(null=True)
    note = CharField(default="")
    granted_by = CharField(default="")


HOSPITAL_TABLES = (
    Department,
    StaffMember,
    Doctor,
    Patient,
    PatientPhone,
    Family,
    Card,
    HistoryEntry,
    Drug,
    Notice,
    TextVersion,
    Listening,
    Vip,
)
