"""The prompts on paper: texts.toml, the text files beside it (what is said) and manifest.json (what was rendered). Touches only these.

Runs in the renderer, in tests, and once at the start of the call agent; no thread of its own.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from drivers.errors import CarelineError

T = TypeVar("T")
Lang = Literal["zh", "en"]
LANGS: tuple[Lang, ...] = ("zh", "en")
HERE = Path(__file__).parent
PHRASE, WORD, SYLLABLE, LETTER = "p_", "w_", "s_", "letter_"  # how the ids of the bank begin, from which free text is put together
TEXT = "t_"  # how the ids of whole texts begin
RESERVED = (PHRASE, WORD, SYLLABLE, LETTER, TEXT)  # and no other prompt's
PINYIN = re.compile(r"\[([a-z]+[1-5])\]")  # a syllable given to the voice as such: [ma1]
RECIPE = 1  # raise it when the renderer changes so much that every file is to be rendered again


class PromptError(CarelineError):
    """A prompt that is unknown, missing, unreadable or cannot be rendered."""


class Voice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A Kokoro voice and how fast it speaks (1.0: as trained)."""

    name: str
    speed: float


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One prompt as written in both languages; `*_say` is what the voice is given where that differs. `speed`: against the voice's own."""

    zh: str | None = None
    en: str | None = None
    zh_say: str | None = None
    en_say: str | None = None
    speed: float = 1.0

    def written(self, lang: Lang) -> str | None:
        return self.zh if lang == "zh" else self.en

    def spoken(self, lang: Lang) -> str | None:
        return (self.zh_say or self.zh) if lang == "zh" else (self.en_say or self.en)


class Tone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sine, levelled in dBm0 (a full-scale A-law sine is +3.14 dBm0, ITU-T G.711)."""

    frequency_hz: int
    level_dbm0: float
    duration_ms: int


class Bank(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What free text is put together from. `syllables`: numbered pinyin to a character that is read so, spoken at `syllable_speed`."""

    phrases: dict[str, Text] = {}
    words: tuple[str, ...] = ()
    letters: dict[str, Text] = {}
    syllables: dict[str, str] = {}
    syllable_speed: float = 1.0

    def texts(self) -> dict[str, Text]:
        """Each by its id. A syllable is given to the voice as pinyin."""
        return {
            **{f"{PHRASE}{key}": text for key, text in self.phrases.items()},
            **{f"{WORD}{word}": Text(en=word) for word in self.words},
            **{f"{LETTER}{key}": text for key, text in self.letters.items()},
            **{f"{SYLLABLE}{read}": Text(zh=char, zh_say=f"[{read}]", speed=self.syllable_speed) for read, char in self.syllables.items()},
        }


class Chapter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text file beside texts.toml."""

    prompts: dict[str, Text] = {}
    readings: dict[str, str] = {}
    bank: Bank = Bank()


class Texts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of texts.toml, with what the chapters beside it add."""

    voices: dict[Lang, Voice]
    readings: dict[str, str]
    tones: dict[str, Tone]
    prompts: dict[str, Text]
    clips: dict[str, Text]
    bank: dict[str, Text] = {}

    def spoken_texts(self) -> dict[str, Text]:
        return {**self.prompts, **self.clips, **self.bank}

    def voice_for(self, text: str) -> Voice:
        return self.voices[language_of(text)]


class Rendering(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file as rendered: what it says, by whom, from which recipe, and what must be on disk."""

    text: str
    voice: str
    recipe_sha256: str
    file_sha256: str
    duration_ms: int


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One prompt in the manifest; None: it does not exist in that language."""

    id: str
    zh: Rendering | None = None
    en: Rendering | None = None

    def rendering(self, lang: Lang) -> Rendering | None:
        return self.zh if lang == "zh" else self.en


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of manifest.json."""

    prompts: tuple[Entry, ...]

    def by_id(self) -> dict[str, Entry]:
        return {entry.id: entry for entry in self.prompts}


class Job(msgspec.Struct, frozen=True):
    """One file that is asked for. `in_row`: spoken in one breath with others, since what is short comes out better so, and sooner."""

    id: str
    lang: Lang
    text: str
    spoken: str
    voice: str
    recipe_sha256: str
    tone: Tone | None = None
    speed: float = 1.0
    in_row: bool = False


def language_of(text: str) -> Lang:
    """The language a text is written in: Mandarin as soon as it has one Han character or one syllable in pinyin."""
    return "zh" if PINYIN.search(text) or any("一" <= char <= "鿿" for char in text) else "en"


def read_texts(path: Path = HERE / "texts.toml") -> Texts:
    """texts.toml and the chapters beside it (every other *.toml). Raises: PromptError APP-060 naming file, key and what is allowed."""
    texts = _read(path, Texts)
    for beside in sorted(set(path.parent.glob("*.toml")) - {path}):
        texts = _with_chapter(texts, _read(beside, Chapter), beside)
    return texts


def _with_chapter(texts: Texts, chapter: Chapter, path: Path) -> Texts:
    """Raises: PromptError APP-060 when an id is there already."""
    added = {**chapter.prompts, **chapter.bank.texts()}
    if twice := sorted(added.keys() & texts.spoken_texts().keys()):
        raise PromptError("APP-060", f"prompt texts {path}: {twice[0]!r} is in another file as well", "Give one of the two another name.")
    return msgspec.structs.replace(
        texts,
        readings={**texts.readings, **chapter.readings},
        prompts={**texts.prompts, **chapter.prompts},
        bank={**texts.bank, **chapter.bank.texts()},
    )


def _read(path: Path, shape: type[T]) -> T:
    try:
        return msgspec.toml.decode(path.read_bytes(), type=shape)
    except OSError as error:
        raise PromptError(
            "APP-060", f"prompt texts {path} cannot be read ({error.strerror})", "Restore the file from the package."
        ) from error
    except msgspec.DecodeError as error:
        raise PromptError(
            "APP-060", f"prompt texts {path} are wrong: {error}", "Correct the file; its head says what each part holds."
        ) from error


def read_manifest(path: Path) -> Manifest:
    """Raises: PromptError APP-061 when it is missing or malformed."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except OSError as error:
        raise PromptError(
            "APP-061", f"prompt manifest {path} cannot be read ({error.strerror})", "Reinstall the package, or run `make prompts`."
        ) from error
    except msgspec.DecodeError as error:
        raise PromptError(
            "APP-061", f"prompt manifest {path} is wrong: {error}", "Reinstall the package, or delete the file and run `make prompts`."
        ) from error


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Written beside and renamed, so that no reader ever sees half of it."""
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
    fresh.replace(path)


def jobs(texts: Texts) -> Iterator[Job]:
    """Every file that should exist, in the order of texts.toml and the chapters."""
    for prompt_id, tone in texts.tones.items():
        for lang in LANGS:
            yield _tone_job(prompt_id, lang, tone)
    for prompt_id, text in texts.spoken_texts().items():
        for lang in LANGS:
            if text.written(lang) and text.spoken(lang):
                yield _spoken_job(texts, prompt_id, lang, text)


def _tone_job(prompt_id: str, lang: Lang, tone: Tone) -> Job:
    said = f"{tone.frequency_hz} Hz, {tone.level_dbm0:g} dBm0, {tone.duration_ms} ms"
    return Job(prompt_id, lang, said, said, "tone", _sha256([RECIPE, said]), tone)


def _spoken_job(texts: Texts, prompt_id: str, lang: Lang, text: Text) -> Job:
    written, spoken = text.written(lang) or "", text.spoken(lang) or ""
    voice = texts.voice_for(spoken)
    speed = voice.speed * text.speed
    readings = sorted((word, read) for word, read in texts.readings.items() if word in spoken)
    in_row = prompt_id in texts.bank
    recipe = _sha256([RECIPE, written, spoken, voice.name, speed, readings, *(["row"] if in_row else [])])
    return Job(prompt_id, lang, written, spoken, voice.name, recipe, speed=speed, in_row=in_row)


def _sha256(value: object) -> str:
    return hashlib.sha256(msgspec.json.encode(value)).hexdigest()
