"""What the doctor says: one finding a thing looked at, in Chinese and English. Pure."""

from typing import Literal

import msgspec

from appliance.control.messages import Grade
from drivers.errors import CarelineError

Lang = Literal["zh", "en"]
MARKS = {Grade.OK: "✓", Grade.WARNING: "!", Grade.FAILED: "✗"}


class Text(msgspec.Struct, frozen=True):
    """The same sentence for both readers."""

    zh: str
    en: str

    def __getitem__(self, lang: Lang) -> str:
        return self.zh if lang == "zh" else self.en


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing: well (`Grade.OK`, no code, no remedy) or not. `about` names the thing, `detail` what was seen."""

    about: Text
    grade: Grade
    detail: Text
    code: str = ""
    remedy: Text = Text("", "")


def well(about: Text, zh: str, en: str) -> Finding:
    """Nothing to do."""
    return Finding(about=about, grade=Grade.OK, detail=Text(zh, en))


def warning(about: Text, code: str, detail: Text, remedy: Text) -> Finding:
    """Works, but will not for ever."""
    return Finding(about=about, grade=Grade.WARNING, code=code, detail=detail, remedy=remedy)


def failed(about: Text, code: str, detail: Text, remedy: Text) -> Finding:
    """Does not work."""
    return Finding(about=about, grade=Grade.FAILED, code=code, detail=detail, remedy=remedy)


def fault(about: Text, error: CarelineError, grade: Grade = Grade.FAILED) -> Finding:
    """An error of the box, whose words are English only."""
    said = Text(error.what, error.what)
    return Finding(about=about, grade=grade, code=error.code, detail=said, remedy=Text(error.remedy, error.remedy))


def lines_of(finding: Finding, lang: Lang) -> list[str]:
    """The finding as a person reads it: one line, and what to do on another."""
    code = f" [{finding.code}]" if finding.code else ""
    said = [f"{MARKS[finding.grade]} {finding.about[lang]}: {finding.detail[lang]}{code}"]
    if finding.remedy[lang]:
        said.append(f"    → {finding.remedy[lang]}")
    return said


def verdict(findings: list[Finding]) -> Text:
    """The last line."""
    bad = sum(finding.grade is Grade.FAILED for finding in findings)
    doubtful = sum(finding.grade is Grade.WARNING for finding in findings)
    if bad or doubtful:
        return Text(f"{bad} 处故障，{doubtful} 处需要留意。", f"{bad} failed, {doubtful} to look at.")
    return Text("一切正常。", "All is well.")
