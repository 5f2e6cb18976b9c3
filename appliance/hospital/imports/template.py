"""An empty file of a kind, to be filled in with a spreadsheet. Pure."""

import csv
import io

from appliance.hospital.imports.kinds import KINDS
from appliance.hospital.registry.field_fault import Language


def template(kind: str, language: Language) -> bytes:
    """CSV with the titles alone; the mark at its head tells spreadsheets that it is UTF-8."""
    text = io.StringIO(newline="")
    csv.writer(text).writerow(titles[language == "en"] for titles in KINDS[kind].columns.values())
    return text.getvalue().encode("utf-8-sig")
