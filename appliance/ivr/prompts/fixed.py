"""Prompts that the program says by itself, whatever the flows: by subject, for the page that tells where a prompt is used. Pure.

A name that ends in _ stands for all that begin so. A test looks for every prompt that the code names.
"""

from collections.abc import Mapping

from appliance.ivr.prompts.catalogue import LETTER, PHRASE, SYLLABLE, WORD, Texts

SUBJECTS: Mapping[str, tuple[str, ...]] = {
    "every_call": ("technical_fault",),
    "waiting_key": ("invalid_key", "no_input", "still_there", "please_hold", "please_press", "more_press_eight"),
    "messages": ("message_", "beep"),
    "transfers": ("transferring", "hold_"),
    "pauses": ("pause_",),
    "hours": ("opening_hours",),
    "booking": ("reason_", "booking_", "booked", "fee_is", "refund_", "refunded", "paid"),
    "account": ("balance_", "movement_", "card_closed"),
    "doctors": ("doctor_", "department_is"),
    "drugs": ("drug_",),
    "information": ("item_", "hospital_introduction", "visiting_advice", "health_advice", "sponsored_content"),
    "complaints": ("case_", "complaint_about"),
    "vip": ("vip_greeting", "vip_greeting_"),
}
_BANK = (PHRASE, WORD, SYLLABLE, LETTER)


def subjects_of(prompt: str, texts: Texts) -> list[str]:
    """Where the program says it by itself: `values`: what numbers and dates are made of, `free_text`: what free text is, else SUBJECTS."""
    if prompt.startswith(_BANK):
        return ["free_text"]
    if prompt in texts.clips:
        return ["values"]
    return [subject for subject, names in SUBJECTS.items() if any(_is_named(prompt, name) for name in names)]


def is_piece(prompt: str, texts: Texts) -> bool:
    """What other things are put together from: its text stands for a value and is not edited, its audio may be."""
    return prompt.startswith(_BANK) or prompt in texts.clips or prompt in texts.tones


def _is_named(prompt: str, name: str) -> bool:
    return prompt.startswith(name) if name.endswith("_") else prompt == name
