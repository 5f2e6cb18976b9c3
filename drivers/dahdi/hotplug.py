"""Cards coming and going, told by the kernel's uevents: an async source of changes to spans and devices.

Used from the line server's event loop. Needs no right but an own netlink socket; in a private network namespace of an own user
namespace the kernel sends none.
"""

import asyncio
import errno
import re
import socket
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Literal

import msgspec

UEVENTS = 15
"""Source: linux/netlink.h, NETLINK_KOBJECT_UEVENT."""
KERNEL, KERNEL_GROUP = 0, 1
"""Address and multicast group of the kernel's own messages (udev's are group 2)."""
MESSAGE_BYTES = 1 << 16
SUBSYSTEMS = {"dahdi_spans": "span", "dahdi_devices": "device"}
ACTIONS = {"add": "added", "remove": "removed", "online": "online", "offline": "offline"}


class HotplugChange(msgspec.Struct, frozen=True):
    """One change. `span` is the span's number, 0 for a device; `name` the span's or device's name."""

    what: Literal["span", "device"]
    change: Literal["added", "removed", "online", "offline"]
    span: int
    name: str


def change_of(message: Mapping[str, object]) -> HotplugChange | None:
    """A uevent as a change, None when it is about something else. Source: dahdi-sysfs.c, span_uevent, device_uevent."""
    what = SUBSYSTEMS.get(str(message.get("SUBSYSTEM", "")))
    change = ACTIONS.get(str(message.get("ACTION", "")))
    if what is None or change is None:
        return None
    path = str(message.get("DEVPATH", ""))
    # The kernel has already taken the number from a span that goes (SPAN_NUM=0), its path still has it.
    numbered = re.search(r"/span-(\d+)$", path)
    name = str(message.get("SPAN_NAME") or message.get("DAHDI_DEVICE_HWID") or path)
    span = int(numbered[1]) if numbered else 0
    return msgspec.convert({"what": what, "change": change, "span": span, "name": name}, HotplugChange)


def fields_of(message: bytes) -> dict[str, str]:
    """A uevent's words: "add@/devices/…", then NAME=text, each with a 0 at its end. Source: lib/kobject_uevent.c, kobject_uevent_env."""
    words = message.decode(errors="replace").split("\0")[1:]
    return {name: text for name, found, text in (word.partition("=") for word in words) if found}


class Hotplug:
    """Iterate with `async for change in hotplug` inside `async with Hotplug() as hotplug`."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, UEVENTS)

    async def __aenter__(self) -> "Hotplug":
        self._socket.bind((0, KERNEL_GROUP))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._socket.close()

    async def __aiter__(self) -> AsyncIterator[HotplugChange]:
        while True:
            change = change_of(fields_of(await self._received()))
            if change is not None:
                yield change

    async def _received(self) -> bytes:
        """Of the kernel; empty for another's, and where some were lost, since there were too many at once. Source: netlink(7), ENOBUFS."""
        try:
            message, (sender, _) = await asyncio.get_running_loop().sock_recvfrom(self._socket, MESSAGE_BYTES)
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            return b""
        return message if sender == KERNEL else b""
