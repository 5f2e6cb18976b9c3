"""The suite's own asserts speak as those of a test module do."""

import pytest

pytest.register_assert_rewrite("tests.contract.card_suite")
