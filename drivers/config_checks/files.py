"""Sound files that `[lines]` names: there, readable, and of the format the media core plays. Reads those files."""

from collections.abc import Iterator
from pathlib import Path

from drivers.config_checks.box import Box
from drivers.errors import ConfigError, DoubtfulConfigError, MediaError

FORMAT = "Name a WAV file: mono, 8000 Hz, A-law, mu-law or 16-bit PCM, by its whole path, readable by the line server's user"


def prompts(box: Box) -> Iterator[ConfigError]:
    """Put the file there or correct its name: callers would be answered with silence."""
    yield from _clip(box, "unattended_prompt", box.lines.unattended_prompt, ConfigError)


def announcements(box: Box) -> Iterator[ConfigError]:
    """The same for what a headset hears before its call."""
    for at, port in enumerate(box.lines.sets.ports):
        yield from _clip(box, f"sets.ports[{at}].announcement", port.announcement, ConfigError)


def spoken_by_telephones(box: Box) -> Iterator[ConfigError]:
    """The same for what telephones of the card in software say; no caller of the box suffers."""
    if box.lines.card != "virtual":
        return
    for at, telephone in enumerate(box.lines.virtual.telephones):
        yield from _clip(box, f"virtual.telephones[{at}].say", telephone.say, DoubtfulConfigError)
    for at, port in enumerate(box.lines.virtual.sets):
        yield from _clip(box, f"virtual.sets[{at}].say", port.say, DoubtfulConfigError)


def _clip(box: Box, key: str, path: str, grade: type[ConfigError]) -> Iterator[ConfigError]:
    if not path:
        return
    try:
        box.open_clip(path)
    except (MediaError, ValueError) as error:  # ValueError: no path at all
        yield grade("CFG-048", f"{box.at(key, path)}: {error.what if isinstance(error, MediaError) else error}", FORMAT)
        return
    if not Path(path).is_absolute():
        said = "it is found only where the line server is started in this folder"
        yield DoubtfulConfigError("CFG-048", f"{box.at(key, path)}: {said}", f'Write "{Path(path).absolute()}"')
