"""What is found on real cards, from what the kernel tells of them. Pure parts."""

from drivers.dahdi.records import Alarm, ChannelParams, Law, SpanRecord
from drivers.dahdi.setting_up import found_of
from drivers.io import Signalling

FXS, FXO, CLEAR, CAS = 1 << 13, 1 << 12, 1 << 7, 1 << 15
HDLC_FCS = 1 << 9 | 1 << 8 | CLEAR
FXO_PORT = 1 << 0 | 1 << 2 | FXS | CLEAR  # as wctdm has it: loop and kewl start, and bare
E1_SLOT = HDLC_FCS | CAS


def span(kind: str, channels: int) -> SpanRecord:
    return SpanRecord(
        number=1, name="X/0", description="Card", alarms=Alarm.RED, channels_configured=channels, channels_total=channels, spans_total=1,
        span_type=kind, manufacturer="", device_type="", location="", sync_source=0, irq_misses=0, bipolar_violations=0, crc4_errors=0,
        e_bit_errors=0, frame_errors=0,
    )  # fmt: skip


def channel(number: int, sigtype: int, capabilities: int) -> ChannelParams:
    return ChannelParams(
        number=number, span=1, timeslot=number, sigtype=sigtype, name=f"X/0/{number}", law=Law.ALAW, rx_offhook=False, rx_bits=-1,
        tx_bits=-1, alarms=Alarm(0), capabilities=capabilities,
    )  # fmt: skip


def test_port_of_an_analog_card_is_offered_its_loop_signalling_alone() -> None:
    found = found_of(span("FXO", 2), (channel(1, 1 << 2 | FXS, FXO_PORT), channel(2, 0, FXO_PORT)))
    assert not found.digital
    assert found.alarms == ("red",)
    assert [(port.can, port.now) for port in found.ports] == [(("fxsls", "fxsks"), "fxsks"), (("fxsls", "fxsks"), "")]


def test_timeslots_of_an_e1_can_be_bearer_link_or_bits() -> None:
    found = found_of(span("E1", 2), (channel(1, 0, E1_SLOT), channel(2, HDLC_FCS, E1_SLOT)))
    assert found.digital
    assert {Signalling(word) for word in found.ports[0].can} == {Signalling.BCHAN, Signalling.DCHAN, Signalling.CAS}
    assert found.ports[1].now == "dchan"


def test_dynamic_span_is_what_it_is_used_for() -> None:
    anything = FXO_PORT | FXO | E1_SLOT
    assert found_of(span("", 1), (channel(1, CLEAR, anything),)).digital
    assert not found_of(span("", 1), (channel(1, 1 << 2 | FXS, anything),)).digital


def test_port_that_tells_no_capability_keeps_what_it_has() -> None:
    assert found_of(span("FXO", 1), (channel(1, 1 << 2 | FXS, 0),)).ports[0].can == ("fxsks",)
