"""Tables of registration: who sees patients when, the places in it, and who has them (peewee, SQLite and PostgreSQL alike)."""

from peewee import AutoField, BooleanField, CharField, DateField, ForeignKeyField, IntegerField, TextField

from appliance.store.hospital_tables import Department, Doctor, Patient
from appliance.store.models import StoreModel, UtcField
from appliance.store.money_tables import LedgerTransaction


class Clinic(StoreModel):
    """A doctor (or, without one, a department) sees patients: one morning or afternoon. `day` and `starts`, `ends` ("08:00") are the
    hospital's time. `free_of_charge`: booked without money, else the fee is `fee_fen`."""

    id = AutoField()
    department = ForeignKeyField(Department, backref="clinics")
    department_id: int
    doctor = ForeignKeyField(Doctor, null=True, backref="clinics", index=False)
    doctor_id: int | None
    day = DateField(index=True)
    starts = CharField(max_length=5)
    ends = CharField(max_length=5)
    fee_fen = IntegerField(default=0)
    cancelled = BooleanField(default=False)

    class Meta:
        indexes = ((("doctor", "day"), False),)

    @property
    def free_of_charge(self) -> bool:
        return self.fee_fen == 0


class Slot(StoreModel):
    """One place of a clinic. `state`: free, held (until `held_until`, by the call or session `held_by`), booked, blocked. It is taken by
    updating it where it is still free: whoever changes the one row has it."""

    id = AutoField()
    clinic = ForeignKeyField(Clinic, backref="slots", index=False)
    clinic_id: int
    number = IntegerField()
    at = UtcField(index=True)
    state = CharField(max_length=8, default="free")
    held_until = UtcField(null=True)
    held_by = CharField(default="")

    class Meta:
        indexes = ((("clinic", "number"), True), (("clinic", "state"), False))


class Booking(StoreModel):
    """`code` is spoken and printed. `channel`: ivr, agent, web, kiosk, sms. `state`: booked, arrived, cancelled, moved, no_show.
    `slot_of`: the slot while the booking holds it, else None, so that a slot has one booking at most. `day`: of the visit, as its clinic
    has it. `once_key`: asked again, found again. `payment`: goes along when the booking is moved. `end_reason` of a cancelled one:
    patient, hospital, clinic_stopped."""

    id = AutoField()
    code = CharField(max_length=12, unique=True)
    once_key = CharField(unique=True)
    slot = ForeignKeyField(Slot, backref="bookings")
    slot_id: int
    slot_of = ForeignKeyField(Slot, null=True, unique=True, backref="taken_by")
    slot_of_id: int | None
    day = DateField()
    patient = ForeignKeyField(Patient, null=True, backref="bookings")
    patient_id: int | None
    name = CharField()
    phone = CharField(default="", index=True)
    channel = CharField(max_length=8)
    state = CharField(max_length=10, default="booked")
    made_at = UtcField(index=True)
    made_by = CharField(default="")
    call = CharField(column_name="call_id", default="")
    paid_fen = IntegerField(default=0)
    payment = ForeignKeyField(LedgerTransaction, null=True)
    payment_id: int | None
    refund = ForeignKeyField(LedgerTransaction, null=True)
    refund_id: int | None
    ended_at = UtcField(null=True)
    ended_by = CharField(default="")
    end_reason = CharField(default="")
    moved_to = ForeignKeyField("self", null=True, backref="moved_from")
    moved_to_id: int | None
    printed = IntegerField(default=0)

    class Meta:
        indexes = ((("state", "day", "id"), False), (("name", "day"), False))


class BookingRules(StoreModel):
    """The rules of a department (None: of the whole hospital) as JSON; every change is a new row, the newest holds."""

    id = AutoField()
    department = ForeignKeyField(Department, null=True)
    rules = TextField()
    made_at = UtcField()
    made_by = CharField()


class Ban(StoreModel):
    """A patient may not book from `begins` to the end of `ends`. `reason`: no_shows, cancellations, by_hand. `note`: why, by hand.
    `lifted_why`: of one that was lifted."""

    id = AutoField()
    patient = ForeignKeyField(Patient, backref="bans")
    patient_id: int
    begins = DateField()
    ends = DateField()
    reason = CharField()
    by = CharField(default="")
    lifted = BooleanField(default=False)
    note = CharField(default="")
    lifted_by = CharField(default="")
    lifted_why = CharField(default="")


class Waiting(StoreModel):
    """Somebody wants a place in a clinic that is full. `state`: waiting, offered, served, gone."""

    id = AutoField()
    clinic = ForeignKeyField(Clinic, backref="waitlist", index=False)
    clinic_id: int
    patient = ForeignKeyField(Patient)
    patient_id: int
    phone = CharField()
    asked_at = UtcField()
    state = CharField(max_length=8, default="waiting")
    offered_slot = ForeignKeyField(Slot, null=True)
    offered_slot_id: int | None
    offered_until = UtcField(null=True)

    class Meta:
        indexes = ((("clinic", "patient"), True),)


class DayEnd(StoreModel):
    """The run over a day's bookings that nobody came for; run again it goes on where it stopped."""

    id = AutoField()
    day = DateField(unique=True)
    begun_at = UtcField()
    ended_at = UtcField(null=True)
    no_shows = IntegerField(default=0)
    refunded_fen = IntegerField(default=0)


BOOKING_TABLES = (Clinic, Slot, Booking, BookingRules, Ban, Waiting, DayEnd)
