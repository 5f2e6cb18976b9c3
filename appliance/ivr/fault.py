"""What is wrong with a flow, as a value: the checker and the reader give all of them at once, the flow page shows each at its place."""

import msgspec

from appliance.errors import FlowError


class FlowFault(msgspec.Struct, frozen=True, kw_only=True):
    """`place` is empty for the flow as a whole; `line` is of its text, 0 when not known.
    `field`: what of the place it is about, as its text has it ("say", "exits.got", "inputs.number"), empty for the place as a whole.

    Codes: APP-130 to APP-141, see appliance/errors.py."""

    code: str
    flow: str
    place: str
    what: str
    remedy: str
    line: int = 0
    field: str = ""

    def error(self) -> FlowError:
        """As an error, for logs and `careline check`."""
        line = f", line {self.line}" if self.line else ""
        place = f", at {self.place}" if self.place else ""
        return FlowError(self.code, f"flow {self.flow}{line}{place}: {self.what}", self.remedy)
