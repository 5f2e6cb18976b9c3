"""Errors of the kernel interface: one function turns an errno into the code and remedy a person needs.
Pure."""

import errno
import os

from drivers.errors import LineError, NoCardError

NO_MODULES = "LIN-101"
NO_PERMISSION = "LIN-102"
NO_CARD = "LIN-103"
NO_CHANNEL = "LIN-104"
CHANNEL_IN_USE = "LIN-105"
CHANNEL_GONE = "LIN-106"
REFUSED = "LIN-107"
HOOK_BUSY = "LIN-108"
FOREIGN_DESCRIPTOR = "LIN-109"
CONFIG_REFUSED = "LIN-110"
CONFIG_TOOL_MISSING = "LIN-111"
CONFIG_TIMEOUT = "LIN-112"
CONFIG_INVALID = "LIN-113"
OTHER_SIGNALLING = "LIN-116"
NOT_ON_THIS_PORT = "LIN-117"
NOT_SENDABLE = "LIN-118"
CONFIG_UNWRITABLE = "LIN-119"
PLACE_REFUSED = "LIN-120"


def cannot_open(path: str, number: int) -> LineError:
    """`path` could not be opened with that errno."""
    if number in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
        what = f"{path} does not exist: the DAHDI modules are not loaded"
        return LineError(
            NO_MODULES,
            what,
            "Run 'modprobe dahdi' and the module of the card; if it is unknown, install dahdi-dkms",
        )
    if number in (errno.EACCES, errno.EPERM):
        what = f"no permission for {path}"
        return LineError(
            NO_PERMISSION,
            what,
            "Run the line server as its own user, who must be in the group that owns /dev/dahdi",
        )
    return LineError(REFUSED, f"cannot open {path}: {os.strerror(number)}", "See the kernel log (dmesg)")


def no_card() -> NoCardError:
    """Modules are there, spans are not."""
    remedy = "Plug one in, it is taken by itself; one that is in: check its seat and its driver (lspci, lsusb, dmesg)"
    return NoCardError(NO_CARD, "no telephony card was found", remedy)


def cannot_speak(channel: int) -> LineError:
    """The channel is configured for a signalling that is not ours."""
    what = f"channel {channel} is configured for a signalling this version does not speak"
    return LineError(NO_CHANNEL, what, "Give it another in system.conf (fxsks, fxsls, fxoks, fxols, bchan, dchan, cas)")


def other_signalling(channel: int, found: str, wanted: str) -> LineError:
    """The channel is set up for something else than it is to be used for."""
    what = f"channel {channel} is set up as {found}, not as {wanted}"
    return LineError(OTHER_SIGNALLING, what, f"Write {wanted}={channel} in system.conf and run dahdi_cfg, or use the channel for {found}")


def not_sendable(where: str, what: str, allowed: str) -> LineError:
    """Something that this line cannot carry was to be sent."""
    return LineError(NOT_SENDABLE, f"{where} cannot send {what}", f"Allowed is {allowed}")


def cannot_take_channel(channel: int, number: int) -> LineError:
    """DAHDI_SPECIFY was refused with that errno."""
    if number in (errno.ENXIO, errno.EINVAL):
        what = f"channel {channel} does not exist or is not configured"
        return LineError(NO_CHANNEL, what, "Check its number and its line in system.conf, then run dahdi_cfg")
    if number == errno.EBUSY:
        what = f"channel {channel} is held by another program"
        return LineError(CHANNEL_IN_USE, what, "Stop the other program (fuser -v /dev/dahdi/channel shows it)")
    return request_refused(f"channel {channel}", "DAHDI_SPECIFY", number)


def foreign_descriptor(fd: int, wanted: int, actual: int) -> LineError:
    """A descriptor handed over for one channel is another's (`actual`), or no channel's (0)."""
    owner = f"channel {actual}" if actual else "no channel"
    what = f"the stored descriptor {fd} belongs to {owner}, not to channel {wanted}"
    return LineError(FOREIGN_DESCRIPTOR, what, "Restart the line server's unit; calls on that channel are lost")


def request_refused(where: str, request: str, number: int) -> LineError:
    """An ioctl on an open channel or the control device failed."""
    if number == errno.ENODEV:
        return LineError(
            CHANNEL_GONE,
            f"{where} is gone: the card was removed",
            "Plug the card in again and restart the line server",
        )
    if number == errno.EBUSY and request == "DAHDI_HOOK":
        return LineError(
            HOOK_BUSY,
            f"{where} is still changing its hook state",
            "Wait for its HOOKCOMPLETE event, or half a second",
        )
    if number in (errno.ENOTTY, errno.ENOSYS) and request != "DAHDI_SPECIFY":
        what = f"{where} cannot do {request}: its card has no such thing"
        return LineError(NOT_ON_THIS_PORT, what, "Switch it off for this line, or use a card that has it")
    if number == errno.ENODATA:
        return LineError(REFUSED, f"{where} has no tone zone", "Name a loadzone in system.conf and run dahdi_cfg")
    return LineError(
        REFUSED,
        f"{request} on {where} failed: {os.strerror(number)}",
        "See the kernel log (dmesg) and the channel's signalling",
    )
