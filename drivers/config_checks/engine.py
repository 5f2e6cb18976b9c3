"""Whether the media core is large enough for the lines, and knows the tones of the country. Reads libtonezone only."""

from collections.abc import Iterator

from drivers.config_checks.box import Box
from drivers.errors import ConfigError, DoubtfulConfigError, MediaError
from drivers.media import Tone, zone_tone


def ports_for_channels(box: Box) -> Iterator[ConfigError]:
    """Leave max_ports out (0): as many as can be. Every channel of a group has a port, which is also its place in a conference."""
    ports, channels = box.lines.engine.max_ports, len(box.grouped())
    where = box.at("engine.max_ports", ports)
    if 0 < ports < channels:
        yield ConfigError("CFG-047", f"{where}: the groups have {channels} channels, each needs one", f"Set 0, or {channels} and more")
    elif box.lines.card == "virtual" and 0 < ports < 2 * channels:
        said = f"{channels} channels and the far ends of their calls, which the card in software has in the same core, need more"
        yield DoubtfulConfigError("CFG-047", f"{where}: {said}", f"Set 0, or {2 * channels} and more")


def recordings_for_channels(box: Box) -> Iterator[ConfigError]:
    """Raise max_recordings, or leave it out; a call beyond it is not recorded."""
    recordings, channels = box.lines.engine.max_recordings, len(box.grouped())
    if recordings < channels:
        where = box.at("engine.max_recordings", recordings)
        said = f"calls on all {channels} channels at once could not all be recorded"
        yield DoubtfulConfigError("CFG-047", f"{where}: {said}", f"Set {channels} and more, or leave it out")


def tones_of_country(box: Box) -> Iterator[ConfigError]:
    """Write the country's two letters, as "cn": sets would have no dial tone, and no tone of a line would be known."""
    country = box.lines.country
    if not _has_tones(country):
        said = "no country whose tones are known"
        yield ConfigError("CFG-084", f"{box.at('country', country)}: {said}", 'Write two letters, as "cn", "hk", "tw", "uk", "us"')


def _has_tones(country: str) -> bool:
    try:
        return country.isascii() and bool(zone_tone(country, Tone.DIAL))
    except MediaError:
        return False
