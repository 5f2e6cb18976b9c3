"""Faults of the web application; codes WEB-0xx are shown on the page, in the log and on the console."""

from drivers.errors import CarelineError


class WebError(CarelineError):
    """The web application cannot start or cannot do what was asked.

    WEB-001 port taken, WEB-002 store missing, WEB-003 already running, WEB-004 store of another version,
    WEB-005 style sheets and scripts missing, WEB-006 secret or certificate unusable, WEB-007 recording file unusable,
    WEB-008 a browser that says what no handset page says, WEB-009 a view without a right, WEB-010 a live message of another kind,
    WEB-011 the store cannot be used just now, WEB-012 no address to listen on, WEB-013 an upload cannot be kept,
    WEB-014 the disk of the store is full.
    """
