"""What receivers are told of an alarm, in their language: mails, text messages, one line for the panel. Pure."""

from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from appliance.health.looks import Key
from appliance.store.alarm_rules import BY_NAME, Severity

Language = Literal["zh", "en"]
Event = Literal["began", "ended", "escalated", "test"]
SMS_MOST = 134  # characters of two UCS-2 parts. Source: 3GPP TS 23.040, 9.2.3.24.1
SEVERITY: dict[Severity, dict[Language, str]] = {
    Severity.NOTICE: {"zh": "提示", "en": "notice"},
    Severity.WARNING: {"zh": "警告", "en": "warning"},
    Severity.CRITICAL: {"zh": "严重", "en": "critical"},
}
EVENT: dict[Event, dict[Language, str]] = {
    "began": {"zh": "告警", "en": "ALARM"},
    "ended": {"zh": "恢复", "en": "over"},
    "escalated": {"zh": "无人确认", "en": "NOT ACKNOWLEDGED"},
    "test": {"zh": "测试", "en": "test"},
}
SUBJECTS: dict[str, dict[Language, str]] = {"span": {"zh": "中继", "en": "span"}, "channel": {"zh": "线路", "en": "channel"}}
TRY: dict[Language, str] = {"zh": "这是一条测试消息，无需处理", "en": "This is a test; nothing need be done"}


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm as it is told. `number`: in the store, 0 for a test or while the store does not work."""

    number: int
    event: Event
    rule: str = ""
    severity: Severity = Severity.NOTICE
    key: Key = Key("box", 0, "")
    detail: str = ""
    at: datetime


def title(story: Story, language: Language) -> str:
    """ "ALARM (critical): A span is in alarm, span 1"."""
    if story.event == "test":
        return f"{EVENT['test'][language]}: {TRY[language]}"
    rule = BY_NAME.get(story.rule)
    said = getattr(rule, language) if rule else story.rule
    return f"{EVENT[story.event][language]} ({SEVERITY[story.severity][language]}): {said}{_where(story.key, language)}"


def _where(key: Key, language: Language) -> str:
    return f", {SUBJECTS[key.subject][language]} {key.number}" if key.subject in SUBJECTS else ""


def mail(story: Story, language: Language, box: str, zone: ZoneInfo) -> str:
    """Subject, empty line, body."""
    rule = BY_NAME.get(story.rule)
    when = story.at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
    parts = [f"[{box}] {title(story, language)}", "", title(story, language), story.detail, when]
    if rule and story.event != "ended":
        parts.append(rule.do_zh if language == "zh" else rule.do_en)
    return "\n".join([*parts[:2], *(part for part in parts[2:] if part), *([f"#{story.number}"] if story.number else [])])


def sms(story: Story, language: Language, box: str) -> str:
    """Short enough for two parts."""
    said = f"{box} {title(story, language)} {story.detail}".strip()
    return said if len(said) <= SMS_MOST else said[: SMS_MOST - 1] + "…"
