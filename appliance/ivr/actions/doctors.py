"""Actions that find a doctor: by number, by the keys of the name's initials, by department; and what is said of one."""

from typing import Any

from appliance.hospital.registry import departments
from appliance.hospital.registry import doctors as register
from appliance.ivr.actions.action import Action, ActionCall, ActionResult
from appliance.ivr.actions.choosing import SHOWN, page_asked, shown
from appliance.ivr.listing import page, row, rows
from appliance.store.booking_tables import Clinic
from appliance.store.hospital_tables import Doctor

FOUND = ("doctor", "doctor_number", "doctor_name")
LISTED = ("doctor_numbers", "doctor_choices", "doctor_number", "listing", *SHOWN)
LISTED_MOST = 100
MISSES_MOST = 3
NONE = ActionResult("none")


async def find_doctor(call: ActionCall) -> ActionResult:
    """The doctor of that number; after three misses a person."""
    misses = int(call.inputs.get("misses", 0)) + 1
    found = await call.means.read(lambda: _one(register.by_number(call.text("doctor_number")), call))
    if found:
        return ActionResult("found", {**found, "misses": 0})
    return ActionResult("lost", {"misses": 0}) if misses >= MISSES_MOST else ActionResult("unknown", {"misses": misses})


def _one(doctor: Doctor | None, call: ActionCall) -> dict[str, Any]:
    if doctor is None:
        return {}
    return {"doctor": doctor.id, "doctor_number": doctor.number, "doctor_name": _name(doctor, call)}


def _name(doctor: Doctor, call: ActionCall) -> str:
    return str(doctor.staff.name_zh if call.language == "zh" else doctor.staff.name_en)


async def doctors_by_keys(call: ActionCall) -> ActionResult:
    """Doctors by the keys of their initials."""
    return await call.means.read(lambda: _listed(register.by_keys(call.text("initials"), LISTED_MOST), "initials", call))


async def doctors_of_department(call: ActionCall) -> ActionResult:
    """Doctors of a department that patients may ask for."""
    return await call.means.read(lambda: _listed(register.of_department(call.number("department")), "department", call))


def _listed(found: list[Doctor], listing: str, call: ActionCall) -> ActionResult:
    if not found:
        return ActionResult("none")
    number = page_asked(call)
    entries = [(doctor.number, row(("text", _name(doctor, call)), ("text", _title(doctor, call)))) for doctor in found]
    listed = shown(page(entries, number), number, "doctor_numbers", "doctor_choices")
    return ActionResult("several" if len(found) > 1 else "one", {**listed, "doctor_number": found[0].number, "listing": listing})


def _title(doctor: Doctor, call: ActionCall) -> str:
    return str(getattr(doctor, f"title_{call.language}"))


async def find_department(call: ActionCall) -> ActionResult:
    """The department of a code, if it sees patients."""
    found = await call.means.read(lambda: departments.by_code(call.text("department_code")))
    if found is None or found.closed:
        return ActionResult("unknown")
    return ActionResult("found", {"department": found.id, "department_name": getattr(found, f"name_{call.language}")})


async def departments_offered(call: ActionCall) -> ActionResult:
    """Departments that see patients, by code."""

    def look() -> ActionResult:
        found = [(each.code, row(("text", getattr(each, f"name_{call.language}")))) for each in departments.offered()]
        number = page_asked(call)
        return ActionResult("some", shown(page(found, number), number, "department_codes", "department_choices")) if found else NONE

    return await call.means.read(look)


async def doctor_profile(call: ActionCall) -> ActionResult:
    """Name, title, department, what the doctor is good at; whether patients pay to be seen."""
    today = call.means.now().astimezone(call.zone).date()

    def look() -> dict[str, Any] | None:
        found = register.by_number(call.text("doctor_number"))
        if found is None:
            return None
        coming = Clinic.select().where(Clinic.doctor == found, Clinic.day >= today, ~Clinic.cancelled)
        paid = "yes" if coming.where(Clinic.fee_fen > 0).exists() else "no"
        return {"said": _profile(found, call), "paid": paid, "heard_item": f"doctor {found.number}", "heard_version": 0}

    found = await call.means.read(look)
    return ActionResult("found", found) if found else ActionResult("gone")


def _profile(doctor: Doctor, call: ActionCall) -> str:
    department = getattr(doctor.staff.department, f"name_{call.language}")
    profile, title = str(getattr(doctor, f"profile_{call.language}")), _title(doctor, call)
    lines = [
        row(("prompt", "doctor_is"), ("text", _name(doctor, call))),
        row(("prompt", "doctor_title_is"), ("text", title)) if title else "",
        row(("prompt", "department_is"), ("text", department)),
        row(("text", profile)) if profile else row(("prompt", "doctor_no_profile")),
    ]
    return rows(lines)


ACTIONS = (
    Action(
        name="find_doctor",
        what="The doctor of a number: {text:doctor_name}",
        exits={"found": (*FOUND, "misses"), "unknown": ("misses",), "lost": ("misses",)},
        run=find_doctor,
        inputs=("doctor_number",),
        optional=("misses",),
    ),
    Action(
        name="doctors_by_keys",
        what="Doctors by the keys of their initials: {choices:doctor_choices} {list:more}; listing: initials or department",
        exits={"one": LISTED, "several": LISTED, "none": ()},
        run=doctors_by_keys,
        inputs=("initials",),
        optional=("page",),
    ),
    Action(
        name="doctors_of_department",
        what="Doctors of a department: {choices:doctor_choices} {list:more}; listing: initials or department",
        exits={"one": LISTED, "several": LISTED, "none": ()},
        run=doctors_of_department,
        inputs=("department",),
        optional=("page",),
    ),
    Action(
        name="find_department",
        what="The department of a code: {text:department_name}",
        exits={"found": ("department", "department_name"), "unknown": ()},
        run=find_department,
        inputs=("department_code",),
    ),
    Action(
        name="departments_offered",
        what="Departments that see patients: {choices:department_choices} {list:more}",
        exits={"some": ("department_codes", "department_choices", *SHOWN), "none": ()},
        run=departments_offered,
        optional=("page",),
    ),
    Action(
        name="doctor_profile",
        what="What is said of a doctor: {list:said}; paid: yes when a fee is taken",
        exits={"found": ("said", "paid", "heard_item", "heard_version"), "gone": ()},
        run=doctor_profile,
        inputs=("doctor_number",),
    ),
)
