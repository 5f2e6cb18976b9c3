"""Actions on who rings, known by number before anything is asked. Being known gives no right to money or records."""

from appliance.hospital import recognition
from appliance.hospital.dispatch import sources
from appliance.hospital.dispatch.sources import VipRequest
from appliance.hospital.recognition import Recognition
from appliance.hospital.registry import cards
from appliance.hospital.registry.cards import CardState
from appliance.ivr.actions.action import Action, ActionCall, ActionResult
from appliance.store.hospital_tables import Patient

VIP_GREETINGS = {1: "vip_greeting_diamond", 2: "vip_greeting_gold", 3: "vip_greeting_silver"}


async def recognise(call: ActionCall) -> ActionResult:
    """A VIP, one patient, several behind one number (nobody is guessed), or nobody."""
    now = call.means.now()

    def look() -> tuple[Recognition, str]:
        trusted = recognition.trusted_for_vip(by_caller_id=call.hospital.vip_by_caller_id)
        found = recognition.recognise(call.ani, call.presentation, call.ani_source, now, call.zone, vip_trust=trusted)
        return found, _only_card(found)

    found, card_number = await call.means.read(look)
    if found.vip_level:
        vip = found.vip
        greeting = VIP_GREETINGS.get(found.vip_level, "vip_greeting")
        return ActionResult("vip", {"vip_greeting": greeting, "vip_patient": vip.number if vip else ""})
    if found.people:
        return ActionResult("known" if found.sole else "several", {"caller_language": found.language, "caller_card": card_number})
    return ActionResult("unknown")


def _only_card(found: Recognition) -> str:
    """The card to be offered; none where there is a choice."""
    usable = [row.number for row in cards.of_patient(found.sole.patient_id) if row.state == CardState.ACTIVE] if found.sole else []
    return usable[0] if len(usable) == 1 else ""


async def vip_callback(call: ActionCall) -> ActionResult:
    """Nobody was free for a VIP: somebody rings back."""
    now = call.means.now()

    def write() -> None:
        number = call.text("vip_patient")
        if number and Patient.get_or_none(Patient.number == number):
            sources.vip(VipRequest.HELP, number, call.call_id, call.ani, f"vip {call.once_key}", now)
        else:
            sources.callback(call.ani, f"callback {call.once_key}", now, call=call.call_id)

    await call.means.transact(write)
    return ActionResult("asked")


ACTIONS = (
    Action(
        name="recognise",
        what="Who rings, by number; a VIP is greeted by {prompt:vip_greeting}. caller_language, caller_card: empty when in doubt",
        exits={
            "vip": ("vip_greeting", "vip_patient"),
            "known": ("caller_language", "caller_card"),
            "several": ("caller_language", "caller_card"),
            "unknown": (),
        },
        run=recognise,
        limit_s=1.5,
    ),
    Action(
        name="vip_callback",
        what="A desk is asked to ring the VIP back",
        exits={"asked": ()},
        run=vip_callback,
        optional=("vip_patient",),
    ),
)
