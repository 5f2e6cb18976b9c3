"""The card's password changed by telephone: in both languages, refused when weak, and whole whatever happens meanwhile."""

from pathlib import Path

import pytest

from appliance.config import Config
from appliance.hospital.registry import card_password
from appliance.hospital.registry.card_password import PasswordCheck
from appliance.ivr.prompts.library import PromptLibrary
from appliance.store.hospital_tables import Card
from tests.scenarios.hotline_rig import PASSWORD, Answers, Hospital, hospital, one_call
from tests.scenarios.test_hotline_services import LANGUAGES, login, said, walk

NEW, OTHER = "808417", "929361"


@pytest.fixture
def here(config: Config) -> Hospital:
    return hospital(config)


def changing(here: Hospital, **more: str) -> Answers:
    """Old one, new one, new one."""
    keys = {"old": f"{PASSWORD}# …", "new": f"{NEW} …", "again": f"{NEW} …"} | more
    places = {"account/old_password": keys["old"], "account/new_password": keys["new"], "account/new_again": keys["again"]}
    return {"main_menu": "3", **login(here.rich), "account/menu": "4 #", **places, "account/after": "#"}


def password_of(number: str) -> str:
    """Which of those it is."""
    hashed = Card.get(Card.number == number).password_hash
    is_it = [word for word in (PASSWORD, NEW, OTHER) if card_password.is_right(PasswordCheck(None, hashed, None), word)]
    return is_it[0] if is_it else "none"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_changed(config: Config, prompts: PromptLibrary, here: Hospital, lang: str) -> None:
    left = walk(config, prompts, lang, changing(here), lambda: (said(), password_of(here.rich)))
    assert ("password_changed" in left.found[0], left.found[1]) == (True, NEW)
    assert_nowhere(config, PASSWORD, NEW)


@pytest.mark.parametrize("weak", ["111111", "345678", "987654"])
def test_weak_ones_are_refused_and_asked_for_again(config: Config, prompts: PromptLibrary, here: Hospital, weak: str) -> None:
    answers = changing(here, new=f"{weak} {NEW}", again=f"{weak} {NEW}")
    left = walk(config, prompts, "zh", answers, lambda: (said().count("password_too_simple"), password_of(here.rich)))
    assert left.found == (1, NEW)


def test_digits_of_the_card_are_weak(config: Config, prompts: PromptLibrary, here: Hospital) -> None:
    answers = {**changing(here, new=here.rich[:6], again=here.rich[:6]), "account/menu": "4"}
    left = walk(config, prompts, "zh", answers, lambda: ("password_too_simple" in said(), password_of(here.rich)))
    assert left.found == (True, PASSWORD)


def test_two_that_differ_change_nothing(config: Config, prompts: PromptLibrary, here: Hospital) -> None:
    left = walk(config, prompts, "zh", changing(here, new=NEW, again=OTHER), lambda: ("passwords_differ" in said(), password_of(here.rich)))
    assert left.found == (True, PASSWORD)
    assert_nowhere(config, PASSWORD, NEW, OTHER)


def test_three_wrong_old_ones_lock_the_card(config: Config, prompts: PromptLibrary, here: Hospital) -> None:
    left = walk(
        config, prompts, "zh", changing(here, old=f"{OTHER}# …"), lambda: (Card.get(Card.number == here.rich).state, password_of(here.rich))
    )
    assert left.found == ("locked", PASSWORD)
    assert "account/card_locked>account/to_person>operator" in left.path


def test_killed_at_every_message_it_is_the_old_one_or_the_new_one(config: Config, prompts: PromptLibrary, here: Hospital) -> None:
    """A caller who keys the same whenever asked ends with the new one."""
    whole = one_call(config, prompts, changing(here), lambda: password_of(here.rich))
    for message in range(1, whole.messages, 2):
        left = one_call(config, prompts, changing(here), lambda: password_of(here.rich), kill_after=message)
        assert (left.wrong, left.found) == ([], NEW), f"killed after message {message}: {left.path}"
        assert_nowhere(config, PASSWORD, NEW)


def test_hung_up_anywhere_it_is_the_old_one_or_the_new_one(config: Config, prompts: PromptLibrary, here: Hospital) -> None:
    whole = one_call(config, prompts, changing(here), lambda: password_of(here.rich))
    places = whole.path.split(">")
    for place in range(places.index("account/old_password"), len(places) + 1):
        left = one_call(config, prompts, changing(here), lambda: password_of(here.rich), hang_up_in=place)
        is_new = "account/changed" in left.path
        assert left.found in ((NEW,) if is_new else (PASSWORD, NEW)), f"hung up at {left.path}"


def assert_nowhere(config: Config, *secrets: str) -> None:
    """In no file of the box."""
    for root in (config.paths.run_dir, config.paths.data_dir):
        for file in (file for file in Path(root).rglob("*") if file.is_file()):
            content = file.read_bytes()
            assert not [secret for secret in secrets if secret.encode() in content], file
