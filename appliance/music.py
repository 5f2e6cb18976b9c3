"""Music on hold: WAV files in data_dir/music, and which of them is played. The call agent reads, the web writes. Any thread.

A file here is what the media core plays: mono, 8 kHz, A-law. Without a choice, or when the chosen file is gone, it is the music that comes
with the box (`music_default.wav`, composed by `python -m appliance.music_maker`).
"""

from pathlib import Path

DEFAULT = Path(__file__).with_name("music_default.wav")
CHOICE = "chosen"
SUFFIX = ".wav"


class MusicShelf:
    """`folder` need not be there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def current(self) -> Path:
        """What who is on hold hears."""
        chosen = self.path(self.chosen())
        return chosen if chosen.is_file() else DEFAULT

    def chosen(self) -> str:
        """Name of the chosen file, empty for the default."""
        try:
            return (self.folder / CHOICE).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return ""

    def names(self) -> tuple[str, ...]:
        """Of all that were uploaded, in order."""
        return tuple(sorted(path.stem for path in self.folder.glob(f"*{SUFFIX}")))

    def path(self, name: str) -> Path:
        """Where the file of that name is, or the default for an empty one; a name is one part of a path."""
        return self.folder / f"{Path(name).name}{SUFFIX}" if name else DEFAULT

    def choose(self, name: str) -> None:
        """Raises: OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        fresh = self.folder / f"{CHOICE}.new"
        fresh.write_text(name, "utf-8")
        fresh.replace(self.folder / CHOICE)
