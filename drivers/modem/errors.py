"""Faults of the modem: what cannot be done with it now. What it refuses of a message is a value (faults.py)."""

from drivers.errors import CarelineError


class ModemError(CarelineError):
    """SMS-001 no such device, SMS-002 the line broke, SMS-003 no answer, SMS-004 refused a setting, SMS-005 to SMS-009 the SIM.

    `sent`: a message was handed over already, and nobody knows what became of it.
    """

    def __init__(self, code: str, what: str, remedy: str, *, sent: bool = False) -> None:
        super().__init__(code, what, remedy)
        self.sent = sent
