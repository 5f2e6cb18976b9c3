"""All tables by the step of migrations.py that makes them."""

from typing import Any

from appliance.store.alarms import ALARM_TABLES
from appliance.store.booking_tables import BOOKING_TABLES
from appliance.store.case_tables import CASE_TABLES
from appliance.store.flow_tables import FLOW_TABLES
from appliance.store.hospital_tables import HOSPITAL_TABLES
from appliance.store.keeping_tables import KEEPING_TABLES
from appliance.store.models import TABLES
from appliance.store.money_tables import MONEY_TABLES
from appliance.store.outgoing import OUTGOING_TABLES
from appliance.store.peripheral_tables import PERIPHERAL_TABLES
from appliance.store.voice_tables import PROMPT_TABLES, VOICE_TABLES

HOSPITAL: tuple[Any, ...] = (*MONEY_TABLES, *HOSPITAL_TABLES, *BOOKING_TABLES, *CASE_TABLES, *FLOW_TABLES, *OUTGOING_TABLES, *VOICE_TABLES)
ALL: tuple[Any, ...] = (*TABLES, *HOSPITAL, *PROMPT_TABLES, *PERIPHERAL_TABLES, *ALARM_TABLES, *KEEPING_TABLES)
