"""The control device: what spans and channels there are, and span maintenance. Built on device.Descriptor.

Every call returns at once; any one thread at a time. Raises: LineError, see faults.py.
"""

import errno
from collections.abc import Iterator
from typing import Any

from drivers.dahdi import faults
from drivers.dahdi._dahdi import ffi
from drivers.dahdi.device import KNOWN_ALARMS, Descriptor, channel_params, open_device, text_of
from drivers.dahdi.records import DEVICE_DIR, Alarm, ChannelParams, SpanRecord

MAX_SPANS = 128
MAX_CHANNELS = 1024


class Control(Descriptor):
    """The control device: what spans and channels there are. A context manager."""

    def __init__(self, device_dir: str = DEVICE_DIR) -> None:
        super().__init__(open_device(f"{device_dir}/ctl"), "the control device")

    def __enter__(self) -> "Control":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def version(self) -> str:
        """Version of the kernel modules."""
        record = ffi.new("struct dahdi_versioninfo *")
        self.request("DAHDI_GETVERSION", record)
        return text_of(record.version)

    def span(self, number: int) -> SpanRecord | None:
        """One span, None when there is none of that number."""
        record = ffi.new("struct dahdi_spaninfo *")
        record.spanno = number
        return _span_record(record) if self._has(f"span {number}", "DAHDI_SPANSTAT", record) else None

    def spans(self) -> tuple[SpanRecord, ...]:
        """Every span, by number (numbers may have gaps after a card was pulled)."""
        found: list[SpanRecord] = []
        for number in range(1, MAX_SPANS + 1):
            record = self.span(number)
            if record is not None:
                found.append(record)
                if len(found) == record.spans_total:
                    break
        return tuple(found)

    def require_spans(self) -> tuple[SpanRecord, ...]:
        """Every span. Raises: NoCardError LIN-103 when there is none."""
        found = self.spans()
        if not found:
            raise faults.no_card()
        return found

    def channel(self, number: int) -> ChannelParams | None:
        """One channel, open or not; None when there is none of that number."""
        record = ffi.new("struct dahdi_params *")
        record.channo = number
        return channel_params(record) if self._has(f"channel {number}", "DAHDI_GET_PARAMS", record) else None

    def channels(self) -> Iterator[ChannelParams]:
        """Every channel of every span, configured or not, by number."""
        left = sum(span.channels_total for span in self.spans())
        for number in range(1, MAX_CHANNELS + 1):
            if left <= 0:
                return
            params = self.channel(number)
            if params is not None and params.span > 0:
                left -= 1
                yield params

    def start_span(self, number: int) -> None:
        """Start a span that was shut down (maintenance)."""
        self.set_int("DAHDI_STARTUP", number)

    def shut_down_span(self, number: int) -> None:
        """Take a span out of service (maintenance); its channels go into alarm."""
        self.set_int("DAHDI_SHUTDOWN", number)

    def destroy_dynamic_span(self, driver: str, address: str) -> None:
        """Remove a dynamic span made by dahdi_cfg."""
        record = ffi.new("struct dahdi_dynamic_span *", {"driver": driver.encode(), "addr": address.encode()})
        self.request("DAHDI_DYNAMIC_DESTROY", record)

    def _has(self, what: str, request: str, record: Any) -> bool:
        """Ask about one of many; False when there is none of that number. Raises: LineError when the kernel refuses otherwise."""
        failed = self.errno_of(request, record)
        if failed and failed not in (errno.EINVAL, errno.ENODEV, errno.ENXIO):
            raise faults.request_refused(what, request, failed)
        return not failed


def _span_record(record: Any) -> SpanRecord:
    return SpanRecord(
        number=record.spanno,
        name=text_of(record.name),
        description=text_of(record.desc),
        alarms=Alarm(record.alarms & KNOWN_ALARMS),
        channels_configured=record.numchans,
        channels_total=record.totalchans,
        spans_total=record.totalspans,
        span_type=text_of(record.spantype),
        manufacturer=text_of(record.manufacturer),
        device_type=text_of(record.devicetype),
        location=text_of(record.location),
        sync_source=record.syncsrc,
        irq_misses=record.irqmisses,
        bipolar_violations=record.bpvcount,
        crc4_errors=record.crc4count,
        e_bit_errors=record.ebitcount,
        frame_errors=record.fascount,
    )
