"""Faults of the hospital's functions. Expected outcomes (a card that is locked, a field that will not do) are values.

Codes: HOS-001..019 registry and recognition, HOS-020..039 imports, HOS-040..049 the demo hospital, HOS-1xx money and
registration, HOS-2xx cases.
"""

from drivers.errors import CarelineError


class HospitalError(CarelineError):
    """Something the hospital's functions cannot do as asked."""
