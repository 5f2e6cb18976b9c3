"""A registration slip for a page: what a printer prints, drawn as HTML. Inside a view's request."""

from datetime import datetime
from typing import cast

from appliance.hospital.slips import contents
from appliance.hospital.slips.slip import Language, Slip
from appliance.store.booking_tables import Booking
from webui.shared import shared


def slip_of(row: Booking, now: datetime, language: str, printed_before: int) -> Slip:
    """The slip of a booking. `printed_before`: how often it had been printed when this one was; once is enough to make it a copy."""
    row.printed = printed_before
    names = shared().hospital_name
    return contents.booking_slip(row, names[language] or names["zh"], shared().zone, cast(Language, language), now)
