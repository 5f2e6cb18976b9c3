"""What the line server keeps for a call: it reads back, an older one too, and it always goes in."""

from datetime import UTC, datetime

import msgspec

from appliance.call import tag as tags
from appliance.call.core import TAG_LIMIT_BYTES, fitting
from appliance.call.tag import CallTag, Step
from appliance.events import PromptPlayed

T0 = datetime(2026, 3, 8, 2, 0, tzinfo=UTC)


def told(seq: int, prompts: int) -> PromptPlayed:
    return PromptPlayed(call_id="c", seq=seq, at=T0, prompts=("syllable_of_a_text",) * prompts, end="finished")


def test_a_tag_reads_back() -> None:
    tag = CallTag(
        call_id="c", place="card/ask", stack=("card",), vars={"fee": 305, "card": "6500"}, steps=(Step("work", ["known", {"fee": 305}]),)
    )
    assert tags.decode(tags.encode(tag)) == tag


def test_a_tag_from_before_there_were_variables() -> None:
    old = msgspec.msgpack.encode({"type": "call-1", "call_id": "c", "place": "main_menu", "steps": [["say", "finished"]]})
    read = tags.decode(old)
    assert isinstance(read, CallTag)
    assert (read.place, read.vars, read.visit, read.edition) == ("main_menu", {}, 0, 0)


def test_what_would_not_go_in_leaves_the_oldest_events_behind() -> None:
    small = CallTag(call_id="c", unstored=tuple(told(seq, 1) for seq in range(100)))
    assert fitting(small)[0] == small
    large, encoded = fitting(CallTag(call_id="c", unstored=tuple(told(seq, 60) for seq in range(100))))
    assert len(encoded) <= TAG_LIMIT_BYTES
    assert large.unstored[-1].seq == 99
    assert len(large.unstored) > 20
    assert tags.decode(encoded) == large
