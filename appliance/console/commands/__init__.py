"""All commands, in the order the help shows them."""

from appliance.console.command import Table
from appliance.console.commands import accounts, alarms, backup, box, calls, channels, network, overview, support, time, update
from appliance.console.work import Work

TABLE: Table[Work] = Table(
    (
        *overview.COMMANDS,
        *channels.COMMANDS,
        *calls.COMMANDS,
        *alarms.COMMANDS,
        *network.COMMANDS,
        *time.COMMANDS,
        *accounts.COMMANDS,
        *backup.COMMANDS,
        *update.COMMANDS,
        *box.COMMANDS,
        *support.COMMANDS,
    )
)
