"""`careline import`: a file of the hospital's into the store, tried first. Its rows are saved beside a call agent that runs."""

import sys
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path

import click

from appliance import config as configuration
from appliance.calendar import Calendar
from appliance.cli.doctor import terminal_language
from appliance.cli.options import config_option
from appliance.hospital.errors import HospitalError
from appliance.hospital.imports.kinds import KINDS
from appliance.hospital.imports.reading import FILE_BYTES_MOST
from appliance.hospital.imports.row import FileRefused
from appliance.hospital.imports.subjects import Setting
from appliance.hospital.imports.trial import Trial, compare, read_file, save
from appliance.hospital.registry.field_fault import Language
from appliance.hospital.registry.telephone import normaliser
from appliance.store.database import FAULTS, fault_of, open_store
from appliance.store.models import database
from appliance.store.place import place_of
from appliance.store.transaction import read_transaction, write_transaction

COUNTS = {
    "en": "{rows} rows: {new} new, {changed} changed, {unchanged} as they are, {absent} others in the store stay; {fault_count} faults.",
    "zh": "共 {rows} 行：新增 {new}，修改 {changed}，相同 {unchanged}，其他已有的 {absent} 条保持不变；错误 {fault_count} 个。",
}
FAULT = {"en": "  line {line}, {column}: {text}", "zh": "  第 {line} 行，{column}：{text}"}
CHANGE = {"en": "  line {line}, {key}: {fields}", "zh": "  第 {line} 行，{key}：{fields}"}
ENDS = {
    "en": {"saved": "Saved.", "tried": "Nothing is saved yet: --apply saves it.", "faults": "Nothing was saved: mend these lines first."},
    "zh": {"saved": "已保存。", "tried": "还没有保存；加上 --apply 才会保存。", "faults": "没有保存任何内容：请先改正这些行。"},
}


@click.command("import")
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--apply", "apply_it", is_flag=True, help="Save it; without, it is only tried.")
@config_option
def import_(kind: str, file: Path, apply_it: bool, config: Path) -> None:
    """Import FILE (CSV or XLSX; the first line names the columns). It is tried first: what is wrong is told by line, and then nothing is
    saved. Exit status 1 if something is wrong."""
    trial = _import(kind, _content(file), apply_it, configuration.load(config))
    language = terminal_language()
    if isinstance(trial, FileRefused):
        raise HospitalError("HOS-020", f"{file}: {trial.text(language)}", "Mend the file; nothing was saved")
    _tell(trial, language)
    sys.exit(bool(trial.fault_count))


def _content(file: Path) -> bytes:
    """A little more than what is allowed, so that what is too large is known to be."""
    with file.open("rb") as opened:
        return opened.read(FILE_BYTES_MOST + 1)


def _import(kind: str, content: bytes, apply_it: bool, config: configuration.Config) -> Trial | FileRefused:
    zone, four_eyes = Calendar(config.hospital.calendar).zone, config.hospital.four_eyes
    setting = Setting(now=datetime.now(UTC), zone=zone, by=getuser(), normalise=normaliser(config.lines), four_eyes=four_eyes)
    read = read_file(kind, content, setting)
    if isinstance(read, FileRefused):
        return read
    place = place_of(config.paths)
    opened = open_store(place)
    try:
        with write_transaction(database) if apply_it else read_transaction(database):
            return save(read, setting) if apply_it else compare(read)
    except FAULTS as error:
        raise fault_of(place, error) from error
    finally:
        opened.close()


def _tell(trial: Trial, language: Language) -> None:
    for found in trial.faults:
        click.echo(FAULT[language].format(line=found.line, column=found.column or "-", text=found.text(language)))
    for change in trial.changes:
        fields = "; ".join(f"{name}: {before!r} → {after!r}" for name, (before, after) in change.fields.items())
        click.echo(CHANGE[language].format(line=change.line, key=change.key, fields=fields))
    counts = {name: getattr(trial, name) for name in ("rows", "new", "changed", "unchanged", "absent", "fault_count")}
    click.echo(COUNTS[language].format(**counts))
    click.echo(ENDS[language]["saved" if trial.saved else "faults" if trial.fault_count else "tried"])
