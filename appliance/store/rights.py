"""Who may do what, on the web and at the console: the table of roles and rights. Pure."""

from enum import StrEnum


class Right(StrEnum):
    """One thing a person may be allowed to do. Listening and taking a copy away are apart, so are asking for a correction and approving it,
    locking a card (edit_patients) and making a locked one usable again (release_cards), looking after the box (logs, services, time,
    restart) and setting it back to the factory's state (reset_box)."""

    SEE_LIVE = "see_live"
    SEE_CALLS = "see_calls"
    LISTEN = "listen"
    DOWNLOAD = "download"
    BLOCK_CHANNELS = "block_channels"
    TEST_LINES = "test_lines"
    SET_UP_LINES = "set_up_lines"
    HANG_UP = "hang_up"
    SEE_HEALTH = "see_health"
    MANAGE_MUSIC = "manage_music"
    USE_HANDSET = "use_handset"
    SEE_AUDIT = "see_audit"
    MANAGE_ACCOUNTS = "manage_accounts"
    SEE_PATIENTS = "see_patients"
    UNMASK = "unmask"
    EDIT_PATIENTS = "edit_patients"
    RELEASE_CARDS = "release_cards"
    BOOK = "book"
    TAKE_MONEY = "take_money"
    REFUND = "refund"
    CORRECT = "correct"
    APPROVE_CORRECTION = "approve_correction"
    SEE_LEDGER = "see_ledger"
    CLOSE_DAY = "close_day"
    SEE_PRICES = "see_prices"
    APPROVE_PRICES = "approve_prices"
    MAKE_SCRATCH_CARDS = "make_scratch_cards"
    MANAGE_BANS = "manage_bans"
    EDIT_HOSPITAL = "edit_hospital"
    EDIT_RULES = "edit_rules"
    FILE_COMPLAINTS = "file_complaints"
    SEE_COMPLAINTS = "see_complaints"
    HANDLE_COMPLAINTS = "handle_complaints"
    TAKE_WORK = "take_work"
    MANAGE_DESKS = "manage_desks"
    SEE_FLOWS = "see_flows"
    EDIT_FLOWS = "edit_flows"
    PUBLISH_FLOWS = "publish_flows"
    EDIT_PROMPTS = "edit_prompts"
    PUBLISH_PROMPTS = "publish_prompts"
    SEE_ALARMS = "see_alarms"
    ACKNOWLEDGE_ALARMS = "acknowledge_alarms"
    MANAGE_ALARMS = "manage_alarms"
    MANAGE_NETWORK = "manage_network"
    MANAGE_UPDATES = "manage_updates"
    MANAGE_BACKUPS = "manage_backups"
    MANAGE_KEEPING = "manage_keeping"
    HOLD_RECORDINGS = "hold_recordings"
    MANAGE_CARDS = "manage_cards"
    MANAGE_PERIPHERALS = "manage_peripherals"
    LOOK_AFTER_BOX = "look_after_box"
    RESET_BOX = "reset_box"


RIGHTS: dict[str, frozenset[Right]] = {
    "administrator": frozenset(Right),
    "technician": frozenset(
        {
            Right.SEE_LIVE,
            Right.SEE_CALLS,
            Right.BLOCK_CHANNELS,
            Right.TEST_LINES,
            Right.SET_UP_LINES,
            Right.HANG_UP,
            Right.SEE_HEALTH,
            Right.USE_HANDSET,
            Right.SEE_ALARMS,
            Right.ACKNOWLEDGE_ALARMS,
            Right.LOOK_AFTER_BOX,
        }
    ),
    "inspector": frozenset({Right.SEE_LIVE, Right.SEE_CALLS, Right.LISTEN}),
    "registrar": frozenset(
        {Right.SEE_PATIENTS, Right.EDIT_PATIENTS, Right.BOOK, Right.FILE_COMPLAINTS, Right.TAKE_WORK, Right.USE_HANDSET},
    ),
    "cashier": frozenset({Right.SEE_PATIENTS, Right.TAKE_MONEY, Right.REFUND, Right.CORRECT, Right.SEE_LEDGER, Right.CLOSE_DAY}),
    "business": frozenset({Right.EDIT_HOSPITAL, Right.SEE_PRICES, Right.EDIT_RULES, Right.SEE_FLOWS, Right.EDIT_FLOWS, Right.EDIT_PROMPTS}),
    "supervisor": frozenset(
        {
            *(Right.SEE_LIVE, Right.SEE_CALLS, Right.LISTEN, Right.HOLD_RECORDINGS),
            *(Right.SEE_PATIENTS, Right.UNMASK, Right.EDIT_PATIENTS, Right.RELEASE_CARDS, Right.BOOK),
            *(Right.SEE_PRICES, Right.APPROVE_PRICES),
            *(Right.APPROVE_CORRECTION, Right.SEE_LEDGER, Right.EDIT_RULES, Right.MAKE_SCRATCH_CARDS, Right.MANAGE_BANS),
            *(Right.FILE_COMPLAINTS, Right.SEE_COMPLAINTS, Right.HANDLE_COMPLAINTS, Right.TAKE_WORK, Right.MANAGE_DESKS),
            *(Right.SEE_FLOWS, Right.PUBLISH_FLOWS, Right.PUBLISH_PROMPTS),
        },
    ),
}
ROLES = tuple(RIGHTS)


def may(role: str, right: Right) -> bool:
    return right in RIGHTS.get(role, frozenset())
