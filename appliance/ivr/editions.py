"""The flows that calls walk, edition by edition. Runs in the call agent's event loop."""

from appliance.ivr.flow import FlowSet
from appliance.ivr.reading import built_in


class Editions:
    """The program's own flows."""

    def __init__(self) -> None:
        self.current: FlowSet = built_in()

    async def of(self, edition: int) -> FlowSet:
        """Those of that edition; the current ones when it cannot be had any more."""
        return self.current
