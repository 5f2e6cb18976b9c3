"""Is there a card, and may we use it? Reads /sys, /proc/dahdi and /dev/dahdi below `root`; opens no device, changes nothing."""

import os
import re
from pathlib import Path

from appliance.doctor.finding import Finding, Text, failed, warning, well

ABOUT = Text("电话卡", "telephone card")
CONFIGURED = re.compile(r"^\s+\d+ \S+ (?:FX|E&M|EM|Clear|HDLC|CAS|SF|MTP)", re.MULTILINE)  # Source: dahdi-base.c, sigstr()
ALARM = re.compile(r"\b(RED|YELLOW|BLUE|LOOP|RECOVERING)\b")


def examine_card(card: str, root: Path) -> Finding:
    """The first thing wrong on the way from the kernel module to a configured channel."""
    if card == "virtual":
        return well(ABOUT, "软件模拟的电话卡", "the card in software")
    return _module(root) or _device(root) or _spans(root)


def _module(root: Path) -> Finding | None:
    if (root / "sys/module/dahdi").is_dir():
        return None
    remedy = Text(
        '执行 apt-get install dahdi dahdi-dkms linux-headers-amd64，再执行 modprobe dahdi；没有电话卡时请设置 card = "virtual"',
        'apt-get install dahdi dahdi-dkms linux-headers-amd64, then modprobe dahdi; without a card set card = "virtual"',
    )
    return failed(ABOUT, "APP-080", Text("内核没有加载 dahdi 模块", "the kernel module dahdi is not loaded"), remedy)


def _device(root: Path) -> Finding | None:
    device = root / "dev/dahdi/channel"
    if not device.exists():
        seen = Text(f"模块已加载，但没有 {device}", f"the module is loaded, but there is no {device}")
        return failed(ABOUT, "APP-081", seen, Text("执行 udevadm trigger，或重新加载模块", "udevadm trigger, or load the module again"))
    if os.access(device, os.R_OK | os.W_OK, effective_ids=True):
        return None
    seen = Text(f"没有读写 {device} 的权限", f"no permission to read and write {device}")
    remedy = Text("把用户加入 telephony 组并重新登录，或以 root 运行", "add the user to the group telephony and log in again, or be root")
    return failed(ABOUT, "APP-082", seen, remedy)


def _spans(root: Path) -> Finding:
    texts = [path.read_text(errors="replace") for path in sorted((root / "proc/dahdi").glob("[0-9]*"))]
    if not texts:
        remedy = Text(
            "用 lspci 或 lsusb 查看电话卡，并加载它的驱动模块（如 wctdm24xxp）",
            "look for it with lspci or lsusb and load its module (such as wctdm24xxp)",
        )
        return failed(ABOUT, "APP-083", Text("驱动没有找到任何电话卡", "the driver has found no card"), remedy)
    if not any(map(CONFIGURED.search, texts)):
        seen = Text(f"找到 {len(texts)} 个 span，但没有配置通道", f"{len(texts)} spans found, but no channel is configured")
        remedy = Text(
            "systemctl start careline-cards 会写入配置，并说明为何没有成功",
            "systemctl start careline-cards configures them and says why it could not",
        )
        return failed(ABOUT, "APP-084", seen, remedy)
    return _alarms(texts)


def _alarms(texts: list[str]) -> Finding:
    alarmed = [found[1] for text in texts if (found := ALARM.search(text.split("\n", 1)[0]))]
    if not alarmed:
        return well(ABOUT, f"{len(texts)} 个 span，无告警", f"{len(texts)} spans, no alarm")
    seen = Text(
        f"{len(texts)} 个 span 中有 {len(alarmed)} 个告警（{'、'.join(alarmed)}）",
        f"{len(alarmed)} of {len(texts)} spans in alarm ({', '.join(alarmed)})",
    )
    return warning(ABOUT, "APP-085", seen, Text("检查线路、接头和对端设备", "check the cable, the plug and the far end"))
