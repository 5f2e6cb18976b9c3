"""What `careline lines` says, in both languages. Pure."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from appliance.control.messages import LiveSnapshot
from appliance.store.models import Alarm, LineAction
from drivers.protocol import ChannelState, LineTest, LineTestPhase, SpanState

Texts = Mapping[str, Mapping[str, str]]

WORDS: Texts = {
    "span": {"zh": "中继 {number} {name}：{channels} 条线路，{state}", "en": "Span {number} {name}: {channels} channels, {state}"},
    "ok": {"zh": "正常", "en": "in order"},
    "alarm": {"zh": "告警 {alarms}（{since} 起）", "en": "alarm {alarms} since {since}"},
    "link": {"zh": "D 通道{state}", "en": "D-channel {state}"},
    "up": {"zh": "正常", "en": "up"},
    "down": {"zh": "中断", "en": "down"},
    "span_errors": {
        "zh": "误码：双极性 {bpv}，CRC-4 {crc}，E 比特 {ebit}，帧 {frame}（{since} 起）",
        "en": "errors: bipolar {bpv}, CRC-4 {crc}, E bit {ebit}, frame {frame} since {since}",
    },
    "channel": {
        "zh": "{number:>5}  {group:<10} {signalling:<6} {state:<12} 通话 {calls}，故障 {failures}，上次原因 {cause}",
        "en": "{number:>5}  {group:<10} {signalling:<6} {state:<12} calls {calls}, failures {failures}, last cause {cause}",
    },
    "free": {"zh": "空闲", "en": "free"},
    "in_alarm": {"zh": "告警", "en": "alarm"},
    "testing": {"zh": "测试中", "en": "in test"},
    "in_use": {"zh": "占用", "en": "in use"},
    "blocked_person": {"zh": "已停用", "en": "blocked"},
    "blocked_failures": {"zh": "因故障停用", "en": "failed"},
    "far_blocked": {"zh": "对端停用", "en": "far blocked"},
    "done": {"zh": "已完成：{what} {target}", "en": "Done: {what} {target}"},
    "block": {"zh": "停用", "en": "block"},
    "unblock": {"zh": "恢复", "en": "unblock"},
    "reset": {"zh": "计数清零", "en": "reset counters of"},
    "running": {"zh": "测试进行中", "en": "testing"},
    "passed": {"zh": "通过", "en": "passed"},
    "failed": {"zh": "未通过", "en": "failed"},
    "stopped": {"zh": "已停止", "en": "stopped"},
    "away": {"zh": "线路程序没有连接，以下可能是旧的", "en": "The line server is away; this may be old"},
    "answered": {"zh": "有人摘机", "en": "somebody picked up"},
    "not_answered": {"zh": "无人摘机", "en": "nobody picked up"},
    "dial_tone": {"zh": "听到拨号音", "en": "dial tone heard"},
    "no_dial_tone": {"zh": "没有拨号音", "en": "no dial tone"},
    "busy_tone": {"zh": "听到忙音", "en": "busy tone heard"},
    "congestion_tone": {"zh": "听到拥塞音", "en": "congestion tone heard"},
    "battery_dropped": {"zh": "交换机断开了线路", "en": "the exchange dropped the line"},
    "alarm_came": {"zh": "线路告警", "en": "the line went into alarm"},
    "measured": {"zh": "测量完成", "en": "measured"},
    "tone_back": {"zh": "发出的音已返回", "en": "the tone came back"},
    "no_tone_back": {"zh": "发出的音没有返回", "en": "the tone did not come back"},
    "looped": {"zh": "环回结束", "en": "the loopback is over"},
    "heard": {"zh": "听到了说话声", "en": "a voice was heard"},
    "nothing_heard": {"zh": "没有听到声音", "en": "nothing was heard"},
    "no_pattern": {"zh": "没有收到测试码", "en": "the pattern did not come back"},
    "bit_errors": {"zh": "有误码", "en": "there were bit errors"},
    "no_bit_errors": {"zh": "没有误码", "en": "no bit error"},
    "history_alarms": {"zh": "告警：", "en": "Alarms:"},
    "history_actions": {"zh": "操作：", "en": "Actions:"},
    "lasts": {"zh": "至今", "en": "lasts"},
    "after": {"zh": "用时", "en": "after"},
    "level": {"zh": "电平", "en": "level"},
    "peak": {"zh": "峰值", "en": "peak"},
    "loss": {"zh": "衰减", "en": "loss"},
    "loudest": {"zh": "最大电平", "en": "loudest"},
    "bits": {"zh": "比特", "en": "bits"},
    "errors": {"zh": "误码", "en": "errors"},
    "error_rate": {"zh": "误码率", "en": "error rate"},
    "sync_losses": {"zh": "失步", "en": "losses of sync"},
    "learnt": {"zh": "已学会本线路的信号音并保存", "en": "the tones of the line's switch are learnt and kept"},
    "no_tones": {"zh": "没有听到信号音", "en": "no tones heard"},
    "not_dialled": {"zh": "号码无法拨出", "en": "the number could not be dialled"},
    "not_kept": {"zh": "信号音无法保存，见日志", "en": "the tones could not be written; see the log"},
    "dial": {"zh": "拨号音", "en": "dial tone"},
    "ringback": {"zh": "回铃音", "en": "ringback"},
    "ringback_on": {"zh": "响", "en": "on"},
    "ringback_off": {"zh": "停", "en": "off"},
    "busy": {"zh": "忙音", "en": "busy tone"},
    "busy_on": {"zh": "响", "en": "on"},
    "busy_off": {"zh": "停", "en": "off"},
    "congestion": {"zh": "拥塞音", "en": "congestion tone"},
    "congestion_on": {"zh": "响", "en": "on"},
    "congestion_off": {"zh": "停", "en": "off"},
}


def say(key: str, lang: str, /, **values: object) -> str:
    """The text, or the key itself when it is newer than the texts."""
    text = WORDS[key][lang] if key in WORDS else key
    return text.format(**values) if values else text


def status(live: LiveSnapshot, lang: str) -> str:
    """Spans with alarms and errors, then every channel."""
    lines = [] if live.health.lines_connected else [say("away", lang)]
    for span in live.spans:
        lines += _span(span, lang)
        lines += [_channel(channel, lang) for channel in live.channels if channel.span == span.number]
    return "\n".join(lines)


def outcome(test: LineTest, lang: str) -> str:
    """One line of how a test stands."""
    reason = say("alarm_came" if test.reason == "alarm" else test.reason, lang) if test.reason and test.reason != "stopped" else ""
    figures = ", ".join(f"{say(figure.name, lang)} {figure.value:g} {figure.unit}".strip() for figure in test.figures)
    told = [part for part in (reason, figures) if part]
    return say(test.phase.value, lang) + (": " + ", ".join(told) if told else "")


def told_history(alarms: Iterable[Alarm], actions: Iterable[LineAction], lang: str) -> str:
    """Newest first, alarms before actions."""
    told = [say("history_alarms", lang)]
    for alarm in alarms:
        until = _at(alarm.ended_at) if alarm.ended_at else say("lasts", lang)
        told.append(f"  {_at(alarm.began_at)} – {until}  {alarm.subject} {alarm.number}: {alarm.alarm}")
    told.append(say("history_actions", lang))
    for action in actions:
        told.append(f"  {_at(action.at)}  {action.by or '-'}: {action.action} {action.subject}  {action.detail}".rstrip())
    return "\n".join(told)


def is_over(test: LineTest) -> bool:
    return test.phase is not LineTestPhase.RUNNING


def _span(span: SpanState, lang: str) -> list[str]:
    state = say("ok", lang)
    if span.alarms:
        state = say("alarm", lang, alarms=" ".join(span.alarms), since=_at(span.alarm_since))
    lines = [say("span", lang, number=span.number, name=span.description or span.name, channels=span.channels, state=state)]
    if span.link_up is not None:
        lines.append("  " + say("link", lang, state=say("up" if span.link_up else "down", lang)))
    if (errors := span.errors) is not None:
        counted = {"bpv": errors.bipolar_violations, "crc": errors.crc4_errors, "ebit": errors.e_bit_errors, "frame": errors.frame_errors}
        lines.append("  " + say("span_errors", lang, since=_at(errors.since), **counted))
    return lines


def _channel(channel: ChannelState, lang: str) -> str:
    return say(
        "channel",
        lang,
        number=channel.number,
        group=channel.group,
        signalling=channel.signalling,
        state=_state(channel, lang),
        calls=channel.calls,
        failures=channel.failures,
        cause=channel.last_cause or "-",
    )


def _state(channel: ChannelState, lang: str) -> str:
    tried = (
        ("testing", bool(channel.test)),
        ("in_alarm", bool(channel.alarms)),
        ("in_use", channel.leg is not None),
        (f"blocked_{channel.blocked_by.value}", channel.blocked),
        ("far_blocked", channel.far_blocked),
    )
    return say(next((key for key, holds in tried if holds), "free"), lang)


def _at(at: datetime | None) -> str:
    return "-" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
