"""Nobody finds the call in which somebody complained about them: not in a list, not by its address, not by ear."""

import pytest
from flask.testing import FlaskClient

from appliance.calendar import Calendar, CalendarConfig
from appliance.hospital.complaints.filing import Filing, file
from appliance.hospital.complaints.rules import ComplaintRules
from appliance.hospital.registry import staff
from appliance.store.hospital_tables import StaffMember
from appliance.store.models import Account, VoiceMessage
from tests.web import prepared
from tests.web.conftest import HTML, NOW, SignIn
from webui import store

ADDRESSES = ("/calls/{call}", "/recordings/R7/sound.wav", "/recordings/R7/outline", "/messages/{message}", "/messages/{message}/sound.wav")


@pytest.fixture(name="message")
def _message(app: object) -> int:
    """The number of the message left in the prepared call, in which a complaint was filed about the inspector."""
    with store.connection():
        member = StaffMember.select().order_by(StaffMember.id).get()
        staff.link_account(member.id, Account.get(Account.name == prepared.NAMES["inspector"]).id)
        filing = Filing(once_key="k", channel="ivr", call=prepared.STORY_CALL, staff_code=member.code, recording="2026/r7.wav")
        file(filing, ComplaintRules(), Calendar(CalendarConfig()), NOW)
        return int(VoiceMessage.get(VoiceMessage.call == prepared.STORY_CALL).id)


def statuses(client: FlaskClient, message: int) -> set[int]:
    return {client.get(address.format(call=prepared.STORY_CALL, message=message), headers=HTML).status_code for address in ADDRESSES}


def test_whom_it_is_about_finds_nothing(message: int, sign_in: SignIn) -> None:
    client = sign_in("inspector")
    assert statuses(client, message) == {404}
    for page in ("/calls", "/messages"):
        shown = client.get(page, headers=HTML).text
        assert f"/calls/{prepared.STORY_CALL}" not in shown
        assert f"/messages/{message}" not in shown


def test_others_find_everything(message: int, sign_in: SignIn) -> None:
    client = sign_in("administrator")
    assert statuses(client, message) == {200}
    assert f"/calls/{prepared.STORY_CALL}" in client.get("/calls", headers=HTML).text
