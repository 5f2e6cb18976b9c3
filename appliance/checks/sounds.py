"""Clips the opening hours need, and the music on hold. Reads those files."""

from collections.abc import Iterator
from pathlib import Path

from appliance.config import LANGUAGES, Config
from appliance.ivr.hours import opening_hours
from appliance.ivr.prompts import wav
from appliance.ivr.prompts.catalogue import PromptError
from appliance.ivr.prompts.library import PromptLibrary
from appliance.music import DEFAULT, MusicShelf
from drivers.errors import ConfigError, DoubtfulConfigError


def clips_of_hours(config: Config, prompts: PromptLibrary) -> Iterator[ConfigError]:
    """Have the clips made: callers who ask for the hours would hear nothing."""
    for lang in LANGUAGES:
        for clip in dict.fromkeys(opening_hours(config.hospital.calendar, lang)):
            if clip not in prompts.ids(lang):
                yield ConfigError("CFG-055", f"hospital.calendar.week needs the clip {clip!r} in language {lang}", "Run `make prompts`")


def music(config: Config) -> Iterator[ConfigError]:
    """Choose other music on the page Music, or upload it again: who is on hold hears the box's own, or nothing."""
    shelf = MusicShelf(Path(config.paths.data_dir) / "music")
    for path in dict.fromkeys((shelf.path(shelf.chosen()), DEFAULT)):
        try:
            wav.unwrap(path)
        except PromptError as error:
            what = f"music on hold {path.stem!r}: {error.what}"
            yield DoubtfulConfigError("CFG-068", what, "Choose other music on its page, or upload it again; for the default, install again")
