"""What an action of the box service works with. Subjects import it from here: `actions` imports the subjects."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from appliance.config import Config
from drivers.clock import Clock
from drivers.protocol import Message


class Box(msgspec.Struct, frozen=True):
    """`file`: the configuration was read from there."""

    config: Config
    file: Path
    clock: Clock


Tell = Callable[[int, str], None]  # percent, step: see Progress
Action = Callable[[Box, Any, Tell], Message | None]
