"""Which signaller a telephone set has: by what `[[lines.sets.ports]]` says of its channel. Pure."""

from drivers.channel_text import channel_numbers
from drivers.protocol.number_plan import NumberPlan
from drivers.signalling.fxs import FxoSignalled
from drivers.signalling.fxs_config import SetPort, SetsConfig
from drivers.signalling.fxs_headset import HeadsetSignalled


def set_signaller(channel: int, config: SetsConfig, plan: NumberPlan) -> FxoSignalled | HeadsetSignalled:
    """For that channel."""
    port = port_of(channel, config)
    return HeadsetSignalled(channel, config, port) if port.mode == "headset" else FxoSignalled(channel, config, plan, port)


def port_of(channel: int, config: SetsConfig) -> SetPort:
    """The first row that names the channel, or a plain telephone. Raises: ValueError for channels that cannot be read."""
    return next((port for port in config.ports if channel in channel_numbers(port.channels)), SetPort(channels=str(channel)))
