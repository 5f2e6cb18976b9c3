"""`make prompts`: renders what texts.toml asks for and the manifest does not have yet, and removes what is no longer asked for.

    python -m appliance.ivr.prompts.render            render what changed
    python -m appliance.ivr.prompts.render --check    only say what would be rendered; exit status 1 if anything would be
    python -m appliance.ivr.prompts.render --all      render everything again

Writes zh/*.wav, en/*.wav and manifest.json beside this file. One thread. The speech tools are loaded only when there is speech to render.
"""

import argparse
import functools
import hashlib
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from appliance.ivr.prompts import wav
from appliance.ivr.prompts.catalogue import (
    HERE,
    LANGS,
    Entry,
    Job,
    Manifest,
    PromptError,
    Rendering,
    Texts,
    Voice,
    jobs,
    read_manifest,
    read_texts,
    write_manifest,
)

if TYPE_CHECKING:
    from appliance.ivr.prompts.synth import Synthesizer

_IN_ROW = 8
_SAVE_EVERY = 25  # files between two writings of the manifest, so that a broken run is taken up where it stopped


class _Studio:
    """Makes the A-law samples of a job. The tools are loaded when the first job needs them.

    Raises: PromptError APP-065 when they are not installed, or as `synth` does.
    """

    def __init__(self, texts: Texts) -> None:
        self._texts = texts

    def samples(self, jobs: Sequence[Job]) -> list[bytes]:
        """Of one job, or of several that are spoken in a row."""
        try:
            from appliance.ivr.prompts import level

            tone = jobs[0].tone
            return [level.tone_clip(*msgspec.structs.astuple(tone))] if tone else self._speech(jobs)
        except ImportError as error:
            raise PromptError(
                "APP-065",
                f"{jobs[0].lang}/{jobs[0].id} cannot be rendered here: {error}",
                "Run `make prompts`, or install the dependency group: pip install 'careline[prompts]'.",
            ) from error

    def _speech(self, jobs: Sequence[Job]) -> list[bytes]:
        from appliance.ivr.prompts import level, synth

        voice = Voice(jobs[0].voice, jobs[0].speed)
        if jobs[0].in_row:
            spoken = [[cut] for cut in self._voice.row([job.spoken for job in jobs], voice)]
        else:
            spoken = [self._voice.sentences(jobs[0].spoken, voice)]
        return [level.speech_clip(sentences, synth.RATE_HZ) for sentences in spoken]

    @functools.cached_property
    def _voice(self) -> "Synthesizer":
        from appliance.ivr.prompts.synth import Synthesizer

        return Synthesizer(self._texts.readings)


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 all is rendered, 1 something is not, with the reason on standard error."""
    options = _options(arguments)
    try:
        return _check(options.root) if options.check else _render(options.root, everything=options.all)
    except PromptError as error:
        print(error, file=sys.stderr)
        return 1


def stale(root: Path, wanted: Iterable[Job]) -> list[Job]:
    """The jobs whose file is missing, differs from the manifest, or was made from another recipe."""
    known = _known(root)
    return [job for job in wanted if not _fresh(root, job, known.get(job.id))]


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="render", description="Render Careline's prompts.")
    parser.add_argument("--check", action="store_true", help="only say what would be rendered")
    parser.add_argument("--all", action="store_true", help="render everything again")
    parser.add_argument("--root", type=Path, default=HERE, help="folder of texts.toml, manifest.json, zh/ and en/")
    return parser.parse_args(arguments)


def _check(root: Path) -> int:
    wanted = list(jobs(read_texts(root / "texts.toml")))
    old, orphans = stale(root, wanted), _orphans(root, wanted)
    for job in old:
        print(f"to render: {job.lang}/{job.id}: {job.text}")
    for path in orphans:
        print(f"to remove: {path.relative_to(root)}")
    return 1 if old or orphans else 0


def _render(root: Path, *, everything: bool) -> int:
    texts = read_texts(root / "texts.toml")
    wanted = list(jobs(texts))
    todo = wanted if everything else stale(root, wanted)
    if todo:
        _render_jobs(root, wanted, todo, _Studio(texts))
    for path in _orphans(root, wanted):
        path.unlink()
    _save(root, wanted, _known(root))
    print(f"prompts: {len(todo)} rendered, {len(wanted)} in all")
    return 0


def _render_jobs(root: Path, wanted: list[Job], todo: list[Job], studio: _Studio) -> None:
    known = _known(root)
    done = saved = 0
    for row in rows(todo):
        for job, alaw in zip(row, studio.samples(row), strict=True):
            known[job.id] = _with(known.get(job.id, Entry(job.id)), job, _write(root, job, alaw))
            done += 1
            print(f"{done}/{len(todo)} {job.lang}/{job.id}: {job.text}", flush=True)
        if done - saved >= _SAVE_EVERY or done == len(todo):
            _save(root, wanted, known)
            saved = done


def rows(todo: list[Job]) -> list[list[Job]]:
    """Those spoken in a row, some of one voice and speed together; every other one by itself."""
    found: list[list[Job]] = []
    alike: dict[tuple[str, float], list[Job]] = {}
    for job in todo:
        row = alike.get((job.voice, job.speed), []) if job.in_row else []
        if not row or len(row) == _IN_ROW:
            row = []
            found.append(row)
        row.append(job)
        if job.in_row:
            alike[job.voice, job.speed] = row
    return found


def _write(root: Path, job: Job, alaw: bytes) -> Rendering:
    content = wav.wrap(alaw)
    path = root / job.lang / f"{job.id}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return Rendering(job.text, job.voice, job.recipe_sha256, hashlib.sha256(content).hexdigest(), len(alaw) * 1000 // wav.RATE_HZ)


def _with(entry: Entry, job: Job, rendering: Rendering) -> Entry:
    return Entry(entry.id, zh=rendering, en=entry.en) if job.lang == "zh" else Entry(entry.id, zh=entry.zh, en=rendering)


def _known(root: Path) -> dict[str, Entry]:
    path = root / "manifest.json"
    return read_manifest(path).by_id() if path.exists() else {}


def _fresh(root: Path, job: Job, entry: Entry | None) -> bool:
    rendering = entry.rendering(job.lang) if entry else None
    path = root / job.lang / f"{job.id}.wav"
    if rendering is None or rendering.recipe_sha256 != job.recipe_sha256 or not path.exists():
        return False
    return hashlib.sha256(path.read_bytes()).hexdigest() == rendering.file_sha256


def _orphans(root: Path, wanted: list[Job]) -> list[Path]:
    asked = {(job.lang, job.id) for job in wanted}
    return [path for lang in LANGS for path in sorted((root / lang).glob("*.wav")) if (lang, path.stem) not in asked]


def _save(root: Path, wanted: list[Job], known: dict[str, Entry]) -> None:
    """The manifest in the order of texts.toml, without what texts.toml no longer asks for."""
    asked = {(job.id, job.lang) for job in wanted}
    entries = []
    for prompt_id in dict.fromkeys(job.id for job in wanted):
        entry = known.get(prompt_id)
        if entry is not None:
            zh, en = ((entry.rendering(lang) if (prompt_id, lang) in asked else None) for lang in LANGS)
            entries.append(Entry(prompt_id, zh=zh, en=en))
    write_manifest(root / "manifest.json", Manifest(tuple(entries)))


if __name__ == "__main__":
    sys.exit(main())
