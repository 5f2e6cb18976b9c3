"""Every text in both languages, with the same places; every key that is asked for exists, every key that exists is asked for."""

import re
from pathlib import Path

import pytest

from drivers.protocol import LineTestKind, NumberSource
from drivers.signalling.fxo import Fxs
from drivers.signalling.fxs import Fxo
from tests.web.test_access import MAY
from webui.rights import ROLES, Right
from webui.views.handset import FAULTS
from webui.wording import LANGUAGES, Wording, load_wording

WEBUI = Path(__file__).parents[2] / "webui"
STORE = Path(__file__).parents[2] / "appliance/store"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
PLACES = re.compile(r"{(\w+)}")
WITHOUT_CHINESE = {"prompt.comma", "list.stop", "signalling.bchan"}
# Groups whose keys are made from values: of records, events, roles, rights, faults, HTTP statuses.
MADE = {"direction", "phase", "state", "outcome", "service", "place", "language", "play_end", "reason", "transfer_outcome", "ended_by"}
MADE |= {"signalling", "signaller", "test_kind", "test_help", "test_phase", "test_reason", "figure", "line_action", "line_block"}
MADE |= {"line_subject", "span_error", "ani_source", "setup_use", "setup_field", "setup_choice", "setup_settle"}
MADE |= {
    "field",
    "field_hint",
    "choice",
    "record",
    "card_state",
    "card_step",
    "booking_state",
    "complaint_state",
    "movement",
    "history_kind",
}
MADE |= {"not_topped", "decision", "correction_state", "against", "bank_line", "bank_why", "money_box", "money_do"}
MADE |= {"subject", "complaint_list", "complaint_step", "contact", "handled", "work_step"}
MADE |= {"flow_state", "node_kind", "flow_step", "edit_wrong", "flow_palette", "flow_kind_hint", "flow_field", "flow_hint", "flow_choice"}
MADE |= {"flow_exit", "flow_said", "value_kind"}
MADE |= {"objection", "password", "arrival", "slot_state", "channel_of"}
MADE |= {"weekday", "card_entry"}
MADE |= {"prompt_state", "prompt_source", "prompt_subject"}
MADE |= {"scratch_state", "ban_reason", "price_of", "price_source", "price_state", "price_line", "price_decision"}
MADE |= {"cause", "prompt", "story", "role", "right", "audit", "alarm", "check", "grade", "http", "action", "js", "code", "remedy"}
MADE |= {"told"}
MADE |= {"sms_state", "sms_held", "smdr_state", "smdr_kind"}
MADE |= {"severity", "receiver_kind", "mail_security", "alarm_test", "self_call_end"}
MADE |= {"update_event", "update_step"}
MADE |= {"backup_field", "backup_kind", "backup_made", "backup_outcome", "backup_job", "backup_step"}
MADE |= {"network_hint", "network_look", "network_mode", "network_port", "network_role"}
MADE |= {"keeping_kind", "keeping_state"}
MADE |= {"card_stage", "card_note", "file_kind", "file_state", "file_without"}


@pytest.fixture(scope="module")
def wording() -> Wording:
    return load_wording()


def test_every_text_in_both_languages(wording: Wording) -> None:
    for key in wording.keys:
        spoken = wording.of(key)
        assert set(spoken) == set(LANGUAGES), key
        assert all(text.strip() for text in spoken.values()), key
        assert set(PLACES.findall(spoken["zh"])) == set(PLACES.findall(spoken["en"])), key
        assert CHINESE.search(spoken["zh"]) or key in WITHOUT_CHINESE, key
        assert not CHINESE.search(spoken["en"]), key


def test_every_key_asked_for_exists(wording: Wording) -> None:
    assert sorted(asked_for() - wording.keys - set(MAY)) == []


def test_every_text_is_asked_for(wording: Wording) -> None:
    plain = {key for key in wording.keys if key.split(".")[0] not in MADE}
    assert sorted(plain - asked_for()) == []


def test_made_keys_are_there(wording: Wording) -> None:
    for right in Right:
        assert wording.has(f"right.{right}")
    for kind in LineTestKind:
        keys = (f"test_kind.{kind}", f"test_help.{kind}", f"line_action.test_{kind}", f"line_action.test_{kind}_started")
        assert [key for key in keys if not wording.has(key)] == []
    for state in (*Fxs, *Fxo):
        assert wording.has(f"signaller.{state}")
    for source in NumberSource:
        assert wording.has(f"ani_source.{source}")
    for role in ROLES:
        assert wording.has(f"role.{role}")
    for action in re.findall(r'audit\(\s*"(\w+)"', sources("*.py")):
        assert wording.has(f"audit.{action}"), action
    for action in re.findall(r'"((?:channel|line|lines|call)_[a-z_]+)"', sources("views/channels.py") + sources("views/lines.py")):
        assert wording.has(f"audit.{action}"), action
        assert wording.has(f"action.{action}"), action
    for action in re.findall(r'_change\(number, "(\w+)"', sources("*.py")):
        assert wording.has(f"audit.{action}"), action


def test_codes_have_a_meaning_and_a_remedy(wording: Wording) -> None:
    codes = {kind: {key.split(".")[1] for key in wording.keys if key.startswith(f"{kind}.")} for kind in ("code", "remedy")}
    assert codes["code"] == codes["remedy"]
    assert set(FAULTS) <= codes["code"]


def test_scripts_know_their_texts(wording: Wording) -> None:
    asked = {f"js.{name}" for name in re.findall(r"texts\.(\w+)", sources("static/js/*.js"))}
    made = {key for key in wording.keys if key.startswith(("js.handset_", "js.outcome_"))}
    scripts = {key for key in wording.keys if key.startswith("js.")}
    assert sorted(asked - scripts) == []
    assert sorted(scripts - asked - made) == []


def asked_for() -> set[str]:
    """Whatever stands between quotes in templates, views and what the store says of accounts, and looks like a key of ours."""
    written = sources("templates/**/*.html") + sources("*.py") + sources("views/*.py") + (STORE / "accounts.py").read_text("utf-8")
    groups = {key.split(".")[0] for key in load_wording().keys}
    found = set(re.findall(r"""["']([a-z_]+\.[a-z_0-9]+)["']""", written))
    return {key for key in found if key.split(".")[0] in groups and not key.endswith(".html")}


def sources(pattern: str) -> str:
    return "\n".join(file.read_text("utf-8") for file in sorted(WEBUI.glob(pattern)))
