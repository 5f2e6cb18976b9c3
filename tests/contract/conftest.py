"""The suites' own asserts speak as those of a test module do."""

import pytest

for suite in ("card_suite", "e1_bench", "link_suite", "bits_suite", "span_suite"):
    pytest.register_assert_rewrite(f"tests.contract.{suite}")
