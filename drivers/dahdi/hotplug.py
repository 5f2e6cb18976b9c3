"""Cards coming and going, told by the kernel's uevents: an async source of changes to spans and devices.

Used from the line server's event loop. Needs no right but an own netlink socket; in a private network namespace of an own user
namespace the kernel sends none.
"""

import re
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Literal

import msgspec
from pyroute2.netlink.uevent import AsyncUeventSocket

KERNEL_GROUP = 1
"""Multicast group of the kernel's own messages (udev's are group 2)."""
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


class Hotplug:
    """Iterate with `async for change in hotplug` inside `async with Hotplug() as hotplug`."""

    def __init__(self) -> None:
        self._socket = AsyncUeventSocket()

    async def __aenter__(self) -> "Hotplug":
        await self._socket.bind(groups=KERNEL_GROUP)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._socket.close()

    async def __aiter__(self) -> AsyncIterator[HotplugChange]:
        while True:
            async for message in self._socket.get():
                change = change_of(message)
                if change is not None:
                    yield change
