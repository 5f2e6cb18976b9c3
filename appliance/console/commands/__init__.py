"""All commands, in the order the help shows them."""

from appliance.console.command import Table
from appliance.console.commands import accounts, alarms, box, calls, channels, overview, support, time
from appliance.console.work import Work

TABLE: Table[Work] = Table(
    (
        *overview.COMMANDS,
        *channels.COMMANDS,
        *calls.COMMANDS,
        *alarms.COMMANDS,
        *time.COMMANDS,
        *accounts.COMMANDS,
        *box.COMMANDS,
        *support.COMMANDS,
    )
)
