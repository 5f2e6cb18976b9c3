"""What the box watches of itself, as data: one row per rule, with its threshold and times, which may be changed on the page Alarms. Pure.

How each is found out is in appliance/health/looks.py.
"""

from enum import StrEnum
from typing import Annotated, Literal

import msgspec

Seconds = Annotated[int, msgspec.Meta(ge=0, le=86_400)]
Minutes = Annotated[int, msgspec.Meta(ge=0, le=10_080)]


class Severity(StrEnum):
    """In rising order: look at it sometime, look at it today, callers are concerned."""

    NOTICE = "notice"
    WARNING = "warning"
    CRITICAL = "critical"


SEVERITIES = tuple(Severity)


class Threshold(msgspec.Struct, frozen=True):
    """`over`: an alarm when the value is over it; else when it is under it."""

    value: float
    unit: str
    least: float
    most: float
    over: bool = True

    def is_passed(self, value: float, limit: float) -> bool:
        return value > limit if self.over else value < limit


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """`hold_on_s`: it must last so long before it is an alarm; `hold_off_s`: be gone for so long before the alarm ends, so that nothing
    flaps. `escalate_min`: nobody acknowledged it for so long: others are told (0: never)."""

    name: str
    severity: Severity
    zh: str
    en: str
    do_zh: str
    do_en: str
    threshold: Threshold | None = None
    hold_on_s: int = 3
    hold_off_s: int = 10
    escalate_min: int = 30


class RuleSetting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of a rule was changed; what is None is as in the table."""

    on: bool = True
    severity: Severity | None = None
    threshold: float | None = None
    hold_on_s: Seconds | None = None
    hold_off_s: Seconds | None = None
    escalate_min: Minutes | None = None


class RuleNow(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as it holds now."""

    rule: Rule
    on: bool
    severity: Severity
    limit: float
    hold_on_s: int
    hold_off_s: int
    escalate_min: int


def now(rule: Rule, setting: RuleSetting) -> RuleNow:
    def chosen(changed: int | None, otherwise: int) -> int:
        return otherwise if changed is None else changed

    limit = rule.threshold.value if rule.threshold else 0.0
    return RuleNow(
        rule=rule,
        on=setting.on,
        severity=setting.severity or rule.severity,
        limit=limit if setting.threshold is None else setting.threshold,
        hold_on_s=chosen(setting.hold_on_s, rule.hold_on_s),
        hold_off_s=chosen(setting.hold_off_s, rule.hold_off_s),
        escalate_min=chosen(setting.escalate_min, rule.escalate_min),
    )


def _rule(
    name: str,
    severity: Literal["notice", "warning", "critical"],
    said: tuple[str, str],
    do: tuple[str, str],
    threshold: Threshold | None = None,
    **times: int,
) -> Rule:
    return Rule(name=name, severity=Severity(severity), zh=said[0], en=said[1], do_zh=do[0], do_en=do[1], threshold=threshold, **times)


_SEE_LOG = ("查看该服务的日志", "See the log of that service")
_CABLE = ("检查线缆和对端设备", "Check the cable and the far end")
_ROOM = ("移走旧录音或更换更大的磁盘", "Move old recordings away, or fit a larger disk")

RULES: tuple[Rule, ...] = (
    _rule("span_down", "critical", ("中继告警", "A span is in alarm"), _CABLE),
    _rule("link_down", "critical", ("D 信道中断", "A D-channel is down"), _CABLE, hold_on_s=5),
    _rule("channel_alarm", "warning", ("线路告警", "A line is in alarm"), _CABLE, hold_on_s=5),
    _rule(
        "channel_blocked",
        "warning",
        ("线路因连续故障被停用", "A line is blocked after failures in a row"),
        ("在“线路”页面测试后恢复使用", "Test it on the page Lines and unblock it"),
    ),
    _rule("line_server_down", "critical", ("线路服务没有应答", "The line server does not answer"), _SEE_LOG),
    _rule(
        "no_lines",
        "critical",
        ("没有可用的线路：没有语音卡，或语音卡未设置", "There is no line: no telephony card, or none that is set up"),
        (
            "插入语音卡（自动启用），或在“线路设置”里设置",
            "Plug one in (it is taken by itself), or set it up on the page Set up the lines",
        ),
        hold_on_s=5,
    ),
    _rule("call_agent_down", "critical", ("呼叫服务没有应答", "The call agent does not answer"), _SEE_LOG),
    _rule("web_down", "warning", ("网页服务没有应答", "The web pages do not answer"), _SEE_LOG),
    _rule(
        "store_failing",
        "critical",
        ("数据库不能写入", "The database cannot be written"),
        ("腾出磁盘空间；查看日志", "Free disk space; see the log"),
    ),
    _rule(
        "disk_low",
        "warning",
        ("磁盘空间不足", "The disk fills up"),
        _ROOM,
        Threshold(15, "%", 1, 90, over=False),
        hold_on_s=5,
        hold_off_s=60,
    ),
    _rule("disk_full", "critical", ("磁盘将满", "The disk is nearly full"), _ROOM, Threshold(3, "%", 1, 50, over=False), hold_off_s=60),
    _rule(
        "memory_low",
        "warning",
        ("内存不足", "Memory is short"),
        ("重启服务；减少其他负载", "Restart services; take other load away"),
        Threshold(8, "%", 1, 50, over=False),
        hold_on_s=8,
        hold_off_s=60,
    ),
    _rule(
        "temperature_high",
        "warning",
        ("温度过高", "It is too hot"),
        ("检查风扇和机房空调", "Check the fan and the air conditioning"),
        Threshold(80, "°C", 30, 120),
        hold_on_s=8,
        hold_off_s=60,
    ),
    _rule(
        "ticks_late",
        "warning",
        ("音频处理延迟", "Sound is late"),
        ("检查本机其他负载和磁盘速度", "Look for other load on this machine or a slow disk"),
        Threshold(3, "ms", 0.5, 100),
        hold_on_s=5,
        hold_off_s=60,
    ),
    _rule(
        "clock_unsynchronised",
        "notice",
        ("时钟未同步", "The clock is not synchronised"),
        ("检查时间服务器和网络", "Check the time server and the network"),
        hold_on_s=600,
        hold_off_s=30,
        escalate_min=0,
    ),
    _rule(
        "clock_stepped",
        "warning",
        ("时钟跳变", "The clock was stepped"),
        ("检查时间服务器和主板电池", "Check the time server and the board's battery"),
        Threshold(5, "s", 1, 3600),
        hold_on_s=0,
        hold_off_s=0,
        escalate_min=0,
    ),
    _rule(
        "certificate_expiring",
        "warning",
        ("证书即将到期", "A certificate expires soon"),
        ("更换证书", "Renew the certificate"),
        Threshold(14, "d", 1, 365, over=False),
        hold_off_s=60,
        escalate_min=1440,
    ),
    _rule(
        "backup_old",
        "warning",
        ("备份过旧", "The last backup is old"),
        ("查看“备份”页面", "See the page Backup"),
        Threshold(50, "h", 1, 2000),
        hold_off_s=30,
        escalate_min=1440,
    ),
    _rule(
        "ups_on_battery",
        "critical",
        ("市电中断，正用电池供电", "Mains power failed, the box runs on battery"),
        ("恢复供电", "Restore the mains power"),
        hold_off_s=5,
        escalate_min=5,
    ),
    _rule(
        "ups_low",
        "critical",
        ("电池将尽，即将关机", "The battery is nearly empty, the box shuts down"),
        ("恢复供电", "Restore the mains power"),
        hold_on_s=0,
        hold_off_s=5,
        escalate_min=5,
    ),
    _rule(
        "ups_fault",
        "warning",
        ("UPS 没有应答或电池需更换", "The UPS does not answer, or wants a new battery"),
        ("检查 UPS 及其连线", "Check the UPS and its cable"),
        hold_on_s=8,
    ),
    _rule(
        "self_call_failed",
        "critical",
        ("自检呼叫失败", "The box's call to itself was not answered"),
        ("立即试拨；查看日志", "Call the box now; see the log"),
        hold_on_s=0,
        hold_off_s=0,
        escalate_min=10,
    ),
    _rule(
        "self_call_slow",
        "warning",
        ("自检呼叫应答过慢", "The box's call to itself was answered late"),
        ("检查本机负载", "Look for load on this machine"),
        Threshold(5, "s", 1, 30),
        hold_on_s=0,
        hold_off_s=0,
    ),
    _rule(
        "callers_waiting",
        "warning",
        ("来电振铃无人接", "Callers ring and are not answered"),
        ("查看看板和线路", "Look at the dashboard and the lines"),
        Threshold(10, "", 1, 1000),
        hold_on_s=5,
        hold_off_s=15,
    ),
    _rule(
        "dead_letters",
        "warning",
        ("有无人处理的工作项", "Work items that nobody takes"),
        ("在工作台页面处理", "See to them, or send them again"),
        hold_off_s=5,
        escalate_min=120,
    ),
    _rule(
        "update_waiting",
        "notice",
        ("有更新等待安装", "An update waits to be installed"),
        ("查看“更新”页面", "See the page Updates"),
        hold_off_s=5,
        escalate_min=0,
    ),
    _rule("update_failed", "warning", ("更新失败", "An update failed"), ("查看“更新”页面", "See the page Updates"), hold_off_s=5),
    _rule(
        "contact_in", "critical", ("外部告警触点动作", "An alarm contact is closed"), ("查看所接设备", "See the device that is wired to it")
    ),
    _rule(
        "sender_failing",
        "warning",
        ("告警发送失败", "Alarms cannot be sent"),
        ("检查接收设置并试发", "Check the receivers' settings and try one"),
        hold_off_s=5,
    ),
    _rule(
        "modem_fault",
        "warning",
        ("短信模块有故障", "The text message modem does not work"),
        ("查看“短信”页面：模块、SIM 卡和信号", "See the page Text messages: modem, SIM and signal"),
        hold_on_s=5,
        hold_off_s=15,
    ),
    _rule(
        "switch_records_fault",
        "warning",
        ("收不到交换机话单", "Call records of a switch do not come in"),
        ("查看“交换机话单”页面；检查线缆和交换机的设置", "See the page Switch records; check the cable and the switch's settings"),
        hold_on_s=5,
        hold_off_s=15,
    ),
    _rule(
        "message_link_fault",
        "warning",
        ("交换机留言链路（SMDI）中断", "The message desk link of a switch (SMDI) is down"),
        ("检查线缆和交换机的设置；查看日志", "Check the cable and the switch's settings; see the log"),
        hold_on_s=5,
        hold_off_s=15,
    ),
    _rule(
        "card_fault",
        "warning",
        ("语音卡不能使用", "A telephony card cannot be used"),
        ("查看“板卡”页面", "See the page Cards"),
        hold_off_s=0,
        escalate_min=120,
    ),
    _rule(
        "check_failed",
        "warning",
        ("系统检查未通过", "A check of the box failed"),
        ("查看“系统状况”页面", "See the page System health"),
        hold_on_s=5,
        hold_off_s=15,
    ),
)
BY_NAME = {rule.name: rule for rule in RULES}
