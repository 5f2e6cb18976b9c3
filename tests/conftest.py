"""What every test shares. Fixtures of one suite live in that suite's own conftest.

Property tests look at the same examples in every run; `--hypothesis-profile=default` lets them search for new ones.
"""

from hypothesis import settings

settings.register_profile("repeatable", settings.get_profile("default"), derandomize=True)
settings.load_profile("repeatable")
