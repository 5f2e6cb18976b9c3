"""The error tree. Every fault carries a stable code that web, console, log and manual all show.

An error says what happened, where, and what to do about it. Expected outcomes (busy, no answer) are values, never errors.
Codes: LIN line server and cards, MED media core, CFG configuration, APP call agent, STO store, WEB web application,
SMS text messages, SDR call records of another switch, SDI its message lamps, PER their process.
"""


class CarelineError(Exception):
    """A fault with a code, the thing concerned, and a remedy.

    `code` is stable ("LIN-012"); `what` says what failed and on which thing; `remedy` says what a person can do.
    """

    def __init__(self, code: str, what: str, remedy: str) -> None:
        super().__init__(f"{code}: {what}. {remedy}")
        self.code = code
        self.what = what
        self.remedy = remedy


class ConfigError(CarelineError):
    """A configuration file that cannot be used; names file, key, value and what is allowed."""


class DoubtfulConfigError(ConfigError):
    """A configuration the box works with, but hardly as it was meant. Told, never raised."""


class LineError(CarelineError):
    """A card, span, channel or the line server."""


class NoCardError(LineError):
    """There is no telephony card just now. One may be plugged in later: nothing ends because of it."""


class MediaError(CarelineError):
    """The media core: a clip that cannot be read, a full ring, no free port."""


class ProtocolError(CarelineError):
    """Bytes on a socket that are not a message, or a message of another version."""
