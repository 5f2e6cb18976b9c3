"""One USB device through pyusb: control and bulk transfers, each with a limit and its failure named. One thread.

libusb hears of new devices from udev, or when it starts. Where no udev runs (a rescue system) or its messages do not come (a network
namespace of its own, as our unit has), it would wait for ever for a device that came back; so every opening begins with a fresh libusb.
"""

import contextlib
import errno
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import usb.core
import usb.util
from usb.backend import libusb1

from firmware_shims.errors import NOT_OPENED, TRANSFER, FirmwareError
from firmware_shims.sysfs import UsbDevice

CONTROL_LIMIT_MS = 2000
BULK_LIMIT_MS = 2000
FLUSH_LIMIT_MS = 50
PACKET_BYTES = 512
GONE = frozenset({errno.ENODEV, errno.EPIPE, errno.ESHUTDOWN, errno.ECONNRESET, errno.EPROTO, errno.EIO, None})
"""What the last request to a device that leaves the bus may end with."""

Backend = Callable[[], Any]


_opened: list[Any] = []
"""Every libusb that was opened. Its devices know only its memory: one that went before the last of them would take the process with it."""


def fresh_libusb() -> Any:
    """A libusb that looks at the bus anew. pyusb keeps one for ever, and has no public way to say so."""
    libusb1._lib_object = None
    backend = libusb1.get_backend()
    if backend is None:
        raise FirmwareError(NOT_OPENED, "libusb 1.0 is not installed", "Install the package libusb-1.0-0")
    _opened.append(backend)
    return backend


class UsbLink:
    """An opened device. Raises: FirmwareError CRD-010 when it cannot be opened, CRD-011 for a transfer that failed."""

    def __init__(self, found: UsbDevice, backend: Backend = fresh_libusb) -> None:
        self.where = f"{found.ids} at {found.port}"
        self._claimed: list[int] = []
        try:
            device = usb.core.find(backend=backend(), custom_match=lambda each: (each.bus, each.address) == (found.bus, found.address))
        except usb.core.USBError as error:
            raise self._not_opened(str(error)) from error
        if device is None:
            raise self._not_opened("it is not on the bus any more")
        self._device = device

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Harmless for a device that is gone."""
        for interface in self._claimed:
            with contextlib.suppress(usb.core.USBError):
                usb.util.release_interface(self._device, interface)
        self._claimed.clear()
        with contextlib.suppress(usb.core.USBError):
            usb.util.dispose_resources(self._device)

    def control_out(self, request: int, value: int, content: bytes, last: bool = False) -> None:
        """A vendor's request to the device. `last`: the device may leave instead of answering."""
        try:
            sent = self._device.ctrl_transfer(0x40, request, value, 0, content, CONTROL_LIMIT_MS)
        except usb.core.USBError as error:
            if last and error.errno in GONE:
                return
            raise self._failed(f"request {request:02X} at {value:04X}", error) from error
        if sent != len(content):
            raise FirmwareError(TRANSFER, f"{self.where}: it took {sent} of {len(content)} bytes at {value:04X}", _PLUG)

    def claim(self, interface: int) -> "UsbPipe":
        """Both directions of an interface, emptied of what was left in them."""
        try:
            described = self._device.get_active_configuration()[(interface, 0)]
            usb.util.claim_interface(self._device, interface)
        except (usb.core.USBError, KeyError) as error:
            raise self._not_opened(f"interface {interface}: {error}") from error
        self._claimed.append(interface)
        ends = {bool(end.bEndpointAddress & 0x80): end for end in described}
        if len(ends) != 2 or len(list(described)) != 2:
            raise self._not_opened(f"interface {interface} has not one end for each direction")
        pipe = UsbPipe(self, ends[False].bEndpointAddress, ends[True].bEndpointAddress)
        pipe.empty()
        return pipe

    def _not_opened(self, why: str) -> FirmwareError:
        return FirmwareError(NOT_OPENED, f"cannot open the USB device {self.where}: {why}", "Is it plugged in, and is this root?")

    def _failed(self, what: str, error: usb.core.USBError) -> FirmwareError:
        return FirmwareError(TRANSFER, f"{self.where}: {what}: {error.strerror or error}", _PLUG)


class UsbPipe:
    """Both directions of one interface of a link."""

    def __init__(self, link: UsbLink, out_end: int, in_end: int) -> None:
        self._link, self._out, self._in = link, out_end, in_end

    def send(self, content: bytes, limit_ms: int = BULK_LIMIT_MS) -> None:
        try:
            sent = self._link._device.write(self._out, content, limit_ms)
        except usb.core.USBError as error:
            raise self._link._failed("sending", error) from error
        if sent != len(content):
            raise FirmwareError(TRANSFER, f"{self._link.where}: it took {sent} of {len(content)} bytes", _PLUG)

    def receive(self, limit_ms: int = BULK_LIMIT_MS) -> bytes:
        """The next packet."""
        try:
            return bytes(self._link._device.read(self._in, PACKET_BYTES, limit_ms))
        except usb.core.USBError as error:
            raise self._link._failed("no answer", error) from error

    def empty(self) -> None:
        """What an earlier program left unread would be taken for an answer."""
        for end in (self._out, self._in):
            with contextlib.suppress(usb.core.USBError):
                self._link._device.clear_halt(end)
        with contextlib.suppress(FirmwareError):
            self.receive(FLUSH_LIMIT_MS)


_PLUG = "Unplug the card for ten seconds and plug it in again; try another cable and port"
