"""Tables of what somebody must see to: complaints, work items, the desks they go to (peewee, SQLite and PostgreSQL alike)."""

from peewee import AutoField, BooleanField, CharField, ForeignKeyField, IntegerField, TextField

from appliance.store.hospital_tables import Department, Patient, StaffMember
from appliance.store.models import Account, StoreModel, UtcField


class Complaint(StoreModel):
    """`number` is spoken. `state`: open, in_hand, closed. `department_code`, `staff_code`: as keyed; the links say whom they mean, None for
    nobody known. `recording`: the statement, a file under the recordings folder. `escalation`: how often it was overdue."""

    id = AutoField()
    number = CharField(max_length=12, unique=True)
    once_key = CharField(unique=True)
    channel = CharField(max_length=8)
    call = CharField(column_name="call_id", default="")
    department_code = CharField(default="")
    staff_code = CharField(default="")
    department = ForeignKeyField(Department, null=True)
    department_id: int | None
    staff = ForeignKeyField(StaffMember, null=True)
    staff_id: int | None
    patient = ForeignKeyField(Patient, null=True)
    phone = CharField(default="")
    text = TextField(default="")
    recording = CharField(default="")
    made_at = UtcField(index=True)
    made_by = CharField(default="")
    owner = ForeignKeyField(Account, null=True)
    owner_id: int | None
    due_at = UtcField(index=True)
    escalation = IntegerField(default=0)
    state = CharField(max_length=8, default="open", index=True)
    outcome = TextField(default="")
    closed_at = UtcField(null=True)


class PendingStatement(StoreModel):
    """What a caller is about to state, from before he speaks until it is filed or he takes it back; one for a call. `text`: of the case."""

    id = AutoField()
    call = CharField(column_name="call_id", unique=True)
    department_code = CharField(default="")
    staff_code = CharField(default="")
    phone = CharField(default="")
    text = TextField(default="")
    begun_at = UtcField()


class ComplaintStep(StoreModel):
    """What was done about a complaint. `kind`: note, contact (with `result`: reached, not_reached, sent), about, owner, due, closed,
    reopened, escalated, unconfirmed (the caller hung up before he said that it is to be filed)."""

    id = AutoField()
    complaint = ForeignKeyField(Complaint, backref="steps")
    at = UtcField()
    by = CharField()
    kind = CharField(max_length=12)
    result = CharField(max_length=12, default="")
    text = TextField(default="")


class DepartmentHead(StoreModel):
    """An account that answers for a department without being of its staff: complaints about it are kept from that account too."""

    id = AutoField()
    department = ForeignKeyField(Department)
    account = ForeignKeyField(Account)
    account_id: int

    class Meta:
        indexes = ((("department", "account"), True),)


class Desk(StoreModel):
    """Where work items go: a desk with a page open, or a printer. `kinds`: of work items it takes, separated by spaces.
    It is there while `seen_at` is recent; `acted_at`: when somebody last took or ended something there. `address` of a printer:
    "192.168.1.50:9100" or "/dev/usb/lp0", its paper `columns` wide; `fault`: why it does not print now."""

    id = AutoField()
    name = CharField(unique=True)
    printer = BooleanField(default=False)
    kinds = CharField()
    department = ForeignKeyField(Department, null=True)
    department_id: int | None
    seen_at = UtcField(null=True)
    acted_at = UtcField(null=True)
    closed = BooleanField(default=False)
    address = CharField(default="")
    columns = IntegerField(default=48)
    fault = CharField(default="")


class WorkItem(StoreModel):
    """`kind`: booking, complaint, vip, callback. `about`: "booking 00412233". It is at exactly one desk or at none. `state`: waiting
    (since `waiting_since`), offered (at `desk`, since `offered_at`), taken, done, dead (nobody could take it: the dead-letter list, `fault`
    says why). `kept_from`: ids of departments whose desks never get it, separated by spaces. `last_desk`: gave it back or was gone."""

    id = AutoField()
    once_key = CharField(unique=True)
    kind = CharField(max_length=12)
    about = CharField(index=True)
    text_zh = TextField()
    text_en = TextField()
    urgent = BooleanField(default=False)
    department = ForeignKeyField(Department, null=True)
    department_id: int | None
    kept_from = CharField(default="")
    made_at = UtcField(index=True)
    state = CharField(max_length=8, default="waiting", index=True)
    waiting_since = UtcField()
    desk = ForeignKeyField(Desk, null=True, backref="items")
    desk_id: int | None
    last_desk = ForeignKeyField(Desk, null=True)
    last_desk_id: int | None
    offered_at = UtcField(null=True)
    offers = IntegerField(default=0)
    ended_at = UtcField(null=True)
    ended_by = CharField(default="")
    fault = CharField(default="")


class WorkStep(StoreModel):
    """Where a work item was, in order: the proof that it arrived once."""

    id = AutoField()
    item = ForeignKeyField(WorkItem, backref="steps")
    item_id: int
    at = UtcField()
    what = CharField(max_length=12)
    desk = ForeignKeyField(Desk, null=True)
    desk_id: int | None
    by = CharField(default="")


CASE_TABLES = (Complaint, PendingStatement, ComplaintStep, DepartmentHead, Desk, WorkItem, WorkStep)
