"""Actions on complaints, suggestions and praise: whom the codes mean, filed with the spoken statement, and what became of a case."""

import msgspec

from appliance.calendar import Calendar
from appliance.hospital.complaints import filing, looking, statements
from appliance.hospital.complaints.filing import Filing, Named
from appliance.ivr.actions.action import Action, ActionCall, ActionResult
from appliance.ivr.listing import row, rows
from appliance.store.case_tables import Complaint
from appliance.store.models import Recording

KINDS = {"complaint": "", "suggestion": "建议", "praise": "表扬"}
"""What stands in the text of a case that is none."""


async def begin_case(call: ActionCall) -> ActionResult:
    """A new case, about nobody yet."""
    return ActionResult("begun", {"case_kind": call.text("case_kind"), "about_department": "", "about_staff": ""})


async def complained_of(call: ActionCall) -> ActionResult:
    """Whom the codes mean, to be said back; codes nobody has are asked for again."""
    department, staff = call.text("department_code"), call.text("staff_code")
    named = await call.means.read(lambda: filing.named(department, staff))
    if department and named.department is None:
        return ActionResult("no_department")
    if staff and named.staff is None:
        return ActionResult("no_staff")
    return ActionResult("known", {"about": _about(named, call)})


def _about(named: Named, call: ActionCall) -> str:
    meant = [each for each in (named.department, named.staff) if each is not None]
    return row(("prompt", "complaint_about"), *(("text", getattr(each, f"name_{call.language}")) for each in meant)) if meant else ""


async def expect_statement(call: ActionCall) -> ActionResult:
    """Before the caller speaks: who hangs up then has a case all the same."""
    now, filed = call.means.now(), _filing(call)
    await call.means.transact(
        lambda: statements.expect(call.call_id, filed.department_code, filed.staff_code, filed.phone, filed.text, now)
    )
    return ActionResult("expected")


async def forget_statement(call: ActionCall) -> ActionResult:
    """Taken back by the caller."""
    await call.means.transact(lambda: statements.forget(call.call_id))
    return ActionResult("forgotten")


async def file_case(call: ActionCall) -> ActionResult:
    """Filed with its recording; filed again it is the same case."""
    now, calendar = call.means.now(), Calendar(call.hospital.calendar)

    def write() -> Complaint:
        statements.forget(call.call_id)
        return filing.file(_recorded(_filing(call), call), call.hospital.complaints, calendar, now)

    case = await call.means.transact(write)
    return ActionResult("filed", {"case_number": case.number, "due": case.due_at.astimezone(call.zone).date().isoformat()})


def _recorded(filed: Filing, call: ActionCall) -> Filing:
    recording = Recording.get_or_none(Recording.recording_id == call.text("statement"))
    return msgspec.structs.replace(filed, recording=recording.path) if recording else filed


def _filing(call: ActionCall) -> Filing:
    return Filing(
        once_key=call.once_key,
        channel="ivr",
        call=call.call_id,
        department_code=call.text("department_code"),
        staff_code=call.text("staff_code"),
        phone=call.text("phone") or call.ani,
        text=KINDS.get(call.text("case_kind"), ""),
    )


async def case_state(call: ActionCall) -> ActionResult:
    """How far a case is, for whoever knows its number."""
    told = await call.means.read(lambda: looking.told(call.text("case_number")))
    if told is None:
        return ActionResult("unknown")
    state = {"open": "case_new", "in_hand": "case_open", "closed": "case_closed"}[told.state]
    due = row(("prompt", "case_due_is"), ("day", told.due_at.astimezone(call.zone).date().isoformat()))
    return ActionResult("known", {"said": rows([row(("prompt", state)), due if told.state != "closed" else ""])})


ACTIONS = (
    Action(
        name="begin_case",
        what="Begins a case: complaint, suggestion or praise; about nobody yet",
        exits={"begun": ("case_kind", "about_department", "about_staff")},
        run=begin_case,
        inputs=("case_kind",),
    ),
    Action(
        name="complained_of",
        what="Whom department and staff code mean: {list:about}",
        exits={"known": ("about",), "no_department": (), "no_staff": ()},
        run=complained_of,
        inputs=("department_code", "staff_code"),
    ),
    Action(
        name="expect_statement",
        what="Before the statement: who hangs up having spoken has a case all the same",
        exits={"expected": ()},
        run=expect_statement,
        inputs=("case_kind",),
        optional=("department_code", "staff_code", "phone"),
    ),
    Action(name="forget_statement", what="The caller takes the statement back", exits={"forgotten": ()}, run=forget_statement),
    Action(
        name="file_case",
        what="Files the statement; case_kind: complaint, suggestion or praise. {digits:case_number} {day:due}",
        exits={"filed": ("case_number", "due")},
        run=file_case,
        inputs=("statement", "case_kind"),
        optional=("department_code", "staff_code", "phone"),
    ),
    Action(
        name="case_state",
        what="What became of a case: {list:said}",
        exits={"known": ("said",), "unknown": ()},
        run=case_state,
        inputs=("case_number",),
    ),
)
