"""A program into the RAM of a Cypress FX2, as its boot loader takes it. Source: EZ-USB FX2 Technical Reference Manual, 3.8 and 5.5.

The bytes and their order are those of Debian's fxload; tests/lab/scenarios/astribank.py compares them.
"""

from collections.abc import Iterable, Iterator

from firmware_shims.intel_hex import Record
from firmware_shims.usb_link import UsbLink

LOAD_RAM = 0xA0
PROCESSOR = 0xE600
STOP, RUN = b"\x01", b"\x00"
RUN_BYTES_MOST = 1023


def runs(records: Iterable[Record]) -> Iterator[tuple[int, bytes]]:
    """Records that follow one another, joined to as much as one request carries."""
    at, content = 0, b""
    for record in records:
        if content and (record.address != at + len(content) or len(content) + len(record.data) > RUN_BYTES_MOST):
            yield at, content
            content = b""
        if not content:
            at = record.address
        content += record.data
    if content:
        yield at, content


def load(link: UsbLink, records: Iterable[Record]) -> None:
    """Stop the processor, write, let it run; the device leaves the bus then. Raises: FirmwareError CRD-011."""
    link.control_out(LOAD_RAM, PROCESSOR, STOP)
    for address, content in runs(records):
        link.control_out(LOAD_RAM, address, content)
    link.control_out(LOAD_RAM, PROCESSOR, RUN, last=True)
