"""Faults of the box service. Codes: SYS-001..009 its socket, SYS-010..039 services, time, logs and accounts, SYS-040..069 network and
firewall, SYS-070..099 update, SYS-100..129 backup and restore, SYS-130..149 first boot and factory reset, SYS-150..169 cards.
"""

from drivers.errors import CarelineError


class BoxError(CarelineError):
    """The box service is not there, refused, did not answer in time, or could not do what was asked."""
