"""Text messages in the store: planned, handed over once, settled by answer and report; parts that come in, in any order and twice."""

from datetime import datetime, time, timedelta

import pytest

from appliance.peripherals import inbox, outbox, wishes
from appliance.peripherals.config import SmsConfig
from appliance.peripherals.inbox import Kept
from appliance.peripherals.pace import Held, held, is_quiet
from appliance.store.outgoing import OutgoingMessage, enqueue
from appliance.store.peripheral_tables import SmsPart, SmsReceived, SmsReceivedPart
from drivers.modem.faults import Refusal
from drivers.modem.pdu import StatusReport
from tests.sms_network import Submitted, address, chinese_pdu, deliver_pdu, report_pdu
from tests.unit.hospital_rig import NOW, store

__all__ = ["store"]

CONFIG = SmsConfig(device="/dev/ttyUSB0", attempts=3, parts_most=3)
US = address("8613800138000")
LONG = "您预约的内科门诊改期，请留意。" * 6


def ask(text: str = "好", to: str = "13800138000", *, urgent: bool = False, at: datetime = NOW) -> OutgoingMessage:
    key = f"{to} {text} {urgent}"
    enqueue("sms", to, text, key, at, urgent=urgent)
    return OutgoingMessage.get(OutgoingMessage.once_key == key)


def next_part(*, only_urgent: bool = False, now: datetime = NOW) -> SmsPart:
    part = outbox.next_part(CONFIG, now, only_urgent=only_urgent)
    assert part is not None
    return part


def hand_over() -> SmsPart:
    part = next_part()
    outbox.hand_over(part, CONFIG, NOW)
    return part


def nothing(*, only_urgent: bool = False, now: datetime = NOW) -> bool:
    return outbox.next_part(CONFIG, now, only_urgent=only_urgent) is None


def state(message: OutgoingMessage) -> str:
    return str(OutgoingMessage.get_by_id(message.id).state)


def reported(reference: int, status: int = 0, number: str = "+8613800138000", taken_at: datetime = NOW) -> bool:
    return outbox.report(StatusReport(reference, number, status, taken_at, NOW), NOW)


@pytest.mark.usefixtures("store")
def test_what_is_urgent_goes_first_and_faxes_do_not() -> None:
    enqueue("fax", "62345678", "好", "a fax", NOW)
    ask("一")
    ask("二", urgent=True)
    assert [next_part().message.text, next_part(only_urgent=True).message.text] == ["二", "二"]
    outbox.hand_over(next_part(), CONFIG, NOW)
    assert next_part().message.text == "一"
    assert nothing(only_urgent=True)


@pytest.mark.usefixtures("store")
def test_a_long_text_goes_part_by_part_and_is_delivered_with_the_last() -> None:
    message = ask(LONG)
    for number, expected in ((1, "waiting"), (2, "sent")):
        part = hand_over()
        assert (part.number, part.count) == (number, 2)
        outbox.went(part, 10 + number, NOW)
        assert state(message) == expected
    assert nothing()
    assert reported(11)
    assert state(message) == "sent"
    assert reported(12)
    assert state(message) == "delivered"
    assert reported(12)


@pytest.mark.usefixtures("store")
def test_what_was_handed_over_when_the_program_died_is_unclear() -> None:
    message = ask()
    hand_over()
    assert nothing()
    assert outbox.break_off() == 1
    assert (state(message), nothing(), outbox.break_off()) == ("unclear", True, 0)


@pytest.mark.usefixtures("store")
def test_a_report_tells_that_what_was_unclear_has_gone() -> None:
    message = ask(LONG)
    hand_over()
    outbox.break_off()
    assert not reported(7, number="+8613900000000")
    assert reported(7)
    assert state(message) == "waiting"
    assert not reported(9)
    outbox.went(hand_over(), 8, NOW)
    assert reported(8)
    assert state(message) == "delivered"


@pytest.mark.parametrize(("others", "taken_after"), [(1, timedelta(0)), (0, timedelta(minutes=11))])
@pytest.mark.usefixtures("store")
def test_a_report_that_may_be_of_another_leaves_what_is_unclear(others: int, taken_after: timedelta) -> None:
    messages = [ask(str(number)) for number in range(1 + others)]
    for _ in messages:
        hand_over()
    outbox.break_off()
    assert not reported(7, taken_at=NOW + taken_after)
    assert {state(message) for message in messages} == {"unclear"}


@pytest.mark.usefixtures("store")
def test_references_that_begin_anew_are_told_apart_by_when_they_were_taken() -> None:
    first, second = ask("一"), ask("二")
    outbox.went(hand_over(), 5, NOW)
    outbox.went(hand_over(), 5, NOW + timedelta(hours=1))
    assert reported(5, taken_at=NOW + timedelta(hours=1))
    assert (state(first), state(second)) == ("sent", "delivered")


@pytest.mark.parametrize(("status", "expected"), [(0x20, "sent"), (0x41, "failed"), (0, "delivered")])
@pytest.mark.usefixtures("store")
def test_reports(status: int, expected: str) -> None:
    message = ask()
    outbox.went(hand_over(), 1, NOW)
    assert reported(1, status)
    assert state(message) == expected


@pytest.mark.usefixtures("store")
def test_a_refusal_for_now_is_tried_so_many_times() -> None:
    message, now = ask(), NOW
    for _ in range(3):
        part = next_part(now=now)
        outbox.hand_over(part, CONFIG, NOW)
        outbox.refused(part, Refusal("CMS", 38), CONFIG, now)
        assert nothing(now=now)
        now += timedelta(hours=1)
    assert state(message) == "failed"
    assert nothing(now=now)


@pytest.mark.parametrize(("code", "expected"), [(1, "failed"), (310, "waiting"), (332, "unclear"), (38, "waiting")])
@pytest.mark.usefixtures("store")
def test_what_refusals_mean(code: int, expected: str) -> None:
    message = ask()
    part = hand_over()
    outbox.refused(part, Refusal("CMS", code), CONFIG, NOW)
    assert (state(message), part.attempts) == (expected, 0 if code == 310 else 1)


@pytest.mark.parametrize(("text", "to", "code"), [("好", "abc", "SMS-020"), ("好", "", "SMS-020"), ("长" * 300, "13800138000", "SMS-021")])
@pytest.mark.usefixtures("store")
def test_what_cannot_go_is_settled_and_holds_nobody_up(text: str, to: str, code: str) -> None:
    message = ask(text, to)
    ask("二")
    assert next_part().message.text == "二"
    row = OutgoingMessage.get_by_id(message.id)
    assert (row.state, row.error[:7]) == ("failed", code)


@pytest.mark.usefixtures("store")
def test_an_old_message_is_not_sent_any_more() -> None:
    message = ask(at=NOW - timedelta(hours=49))
    assert nothing()
    assert state(message) == "failed"


@pytest.mark.usefixtures("store")
def test_counted_for_the_limits() -> None:
    for text, ago_s in (("一", 10), ("二", 300), ("三", 90_000)):
        ask(text)
        outbox.went(hand_over(), None, NOW - timedelta(seconds=ago_s))
    assert outbox.counts(NOW, NOW - timedelta(hours=2)) == (1, 2)
    assert outbox.waiting() == {"sent": 3}


@pytest.mark.usefixtures("store")
def test_sent_again_by_a_person_goes_whole_only_where_it_failed() -> None:
    message = ask(LONG)
    outbox.went(hand_over(), 1, NOW)
    outbox.doubt(hand_over(), "SMS-023")
    assert not wishes.send_again(message.id + 1, NOW)
    assert wishes.send_again(message.id, NOW)
    assert next_part().number == 2
    assert not wishes.leave(message.id, "chen")


@pytest.mark.parametrize(
    ("at", "hours", "quiet"),
    [
        ("12:00", ("21:30", "07:30"), False),
        ("22:00", ("21:30", "07:30"), True),
        ("07:29", ("21:30", "07:30"), True),
        ("13:00", ("12:00", "14:00"), True),
    ],
)
def test_quiet_hours(at: str, hours: tuple[str, str], quiet: bool) -> None:
    assert is_quiet((time.fromisoformat(hours[0]), time.fromisoformat(hours[1])), time.fromisoformat(at)) is quiet
    assert not is_quiet(None, time.fromisoformat(at))


@pytest.mark.parametrize(("minute", "today", "expected"), [(0, 0, Held.NO), (10, 10, Held.MINUTE), (0, 500, Held.DAY)])
def test_limits(minute: int, today: int, expected: Held) -> None:
    assert held(SmsConfig(), NOW, minute, today) is expected
    quiet = SmsConfig(quiet="00:00-00:00")
    assert held(quiet, NOW, minute, today) is (Held.QUIET if expected is Held.NO else expected)


def texts() -> list[tuple[str, int, int]]:
    return [(row.text, row.have, row.count) for row in SmsReceived.select().order_by(SmsReceived.id)]


@pytest.mark.usefixtures("store")
def test_parts_in_any_order_and_twice() -> None:
    parts = [chinese_pdu(US, text, (9, 3, number)) for number, text in enumerate("甲乙丙", 1)]
    for place, told in ((2, Kept.MESSAGE), (0, Kept.MESSAGE), (2, Kept.DOUBLE)):
        assert inbox.keep(parts[place], NOW) is told
    assert texts() == [("甲…丙", 2, 3)]
    inbox.keep(parts[1], NOW)
    assert texts() == [("甲乙丙", 3, 3)]


@pytest.mark.usefixtures("store")
def test_messages_of_others_and_of_the_same_reference_are_kept_apart() -> None:
    other = address("8613900139000")
    for pdu in (
        chinese_pdu(US, "甲", (9, 2, 1)),
        chinese_pdu(other, "子", (9, 2, 1)),
        chinese_pdu(US, "丙", (9, 2, 1), second=5),
        chinese_pdu(US, "乙", (9, 2, 2)),
        chinese_pdu(US, "丁", (9, 2, 2), second=5),
        chinese_pdu(other, "丑", (9, 2, 2)),
    ):
        assert inbox.keep(pdu, NOW) is Kept.MESSAGE
    assert texts() == [("甲乙", 2, 2), ("子丑", 2, 2), ("丙丁", 2, 2)]


@pytest.mark.usefixtures("store")
def test_a_part_that_never_comes_does_not_wait_for_another_message() -> None:
    inbox.keep(chinese_pdu(US, "甲", (9, 2, 1)), NOW)
    inbox.keep(chinese_pdu(US, "乙", (9, 2, 2), second=9), NOW + timedelta(hours=25))
    assert texts() == [("甲…", 1, 2), ("…乙", 1, 2)]


@pytest.mark.usefixtures("store")
def test_a_letter_that_the_sender_cut_is_whole_again() -> None:
    octets = "😀".encode("utf-16-be")
    for number, half in enumerate((octets[:2], octets[2:]), 1):
        data = bytes((5, 0, 3, 9, 2, number)) + half
        inbox.keep(deliver_pdu(US, 8, len(data), data, has_header=True), NOW)
    assert texts() == [("😀", 2, 2)]


@pytest.mark.parametrize("pdu", ["", "zz", "00", "0001", "07917283010010F5040BC8", "FF" * 200])
@pytest.mark.usefixtures("store")
def test_what_nobody_can_read_is_kept(pdu: str) -> None:
    assert inbox.keep(pdu, NOW) is Kept.UNREAD
    assert inbox.keep(pdu, NOW) is Kept.DOUBLE
    assert SmsReceivedPart.get().error.startswith("SMS-026")


@pytest.mark.usefixtures("store")
def test_a_report_of_nobody_is_kept_and_one_of_ours_counts_once() -> None:
    message = ask()
    outbox.went(hand_over(), 3, NOW)
    ours = report_pdu(Submitted(3, 0x31, US, 8, 0, b""))
    assert [inbox.keep(ours, NOW), inbox.keep(ours, NOW)] == [Kept.REPORT, Kept.DOUBLE]
    assert state(message) == "delivered"
    assert inbox.keep(report_pdu(Submitted(4, 0x31, US, 8, 0, b"")), NOW) is Kept.UNREAD
