"""Somebody on the telephone says who they are: enough must be right, and nothing wrong."""

import pytest

from appliance.hospital.registry import identity_check
from tests.unit.hospital_rig import BEIJING, patient, store

pytestmark = pytest.mark.usefixtures("store")
__all__ = ["store"]


@pytest.mark.parametrize(
    ("answers", "passed"),
    [
        ({"birth_date": "1949-12-31", "id_number_end": "002x"}, True),
        ({"birth_date": "19491231", "phone": "010 8888 6666"}, True),
        ({"id_number_end": "002*", "phone": "13800138000", "name": "李 娜"}, True),
        ({"name": "李娜", "birth_date": "1949-12-31"}, False),
        ({"birth_date": "1949-12-31", "id_number_end": "002X", "phone": "13900000000"}, False),
        ({"birth_date": "1949-12-31", "id_number_end": "X"}, False),
        ({"birth_date": "1949-12-30", "id_number_end": "002X"}, False),
        ({}, False),
    ],
)
def test_answers(answers: dict[str, str], passed: bool) -> None:
    row = patient("李娜", id_number="11010519491231002X", phones="13800138000 88886666")
    assert identity_check.facts_of(row) == identity_check.FACTS
    assert identity_check.verify(row, answers, BEIJING).passed is passed


def test_what_is_not_known_is_never_right() -> None:
    row = patient("李娜")
    assert identity_check.facts_of(row) == ("name",)
    verified = identity_check.verify(row, {"birth_date": "1949-12-31", "id_number_end": "0000", "phone": "88886666"}, BEIJING)
    assert (verified.right, len(verified.wrong)) == ((), 3)
