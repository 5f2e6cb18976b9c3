"""The box's own voice, as `careline doctor` sees it: whether it can speak, whether it runs, what waits, and how much memory it takes."""

import re
from pathlib import Path

from appliance.doctor.finding import Finding, Text, failed, warning, well
from appliance.store.database import connect
from appliance.store.errors import StoreError
from appliance.store.place import StorePlace
from appliance.store.voice_tables import SpokenText
from appliance.voice.engine import missing
from appliance.voice.lock import holder_of

ABOUT = Text("语音合成", "own voice")


def examine_voice(data_dir: Path, store: StorePlace, proc: Path = Path("/proc")) -> Finding:
    """A box need not have one: without, texts are read by phrases and syllables."""
    lacking = missing()
    if lacking:
        return well(
            ABOUT,
            f"没有安装（缺少 {lacking}）；医院填写的文字用词库和音节朗读",
            f"not installed ({lacking} is missing); texts of the hospital are read by phrases and syllables",
        )
    counts = _counts(store)
    waits, wrong = counts.get("wanted", 0) + counts.get("no_voice", 0), counts.get("failed", 0)
    pid = holder_of(data_dir)
    if pid is None:
        return _idle(waits)
    said = Text(
        f"进程 {pid}，内存 {_memory_mb(proc, pid)} MB，已合成 {counts.get('made', 0)} 段，等待 {waits} 段",
        f"process {pid}, {_memory_mb(proc, pid)} MB of memory, {counts.get('made', 0)} texts spoken, {waits} waiting",
    )
    if wrong:
        seen = Text(f"{said['zh']}；{wrong} 段失败", f"{said['en']}; {wrong} could not be spoken")
        return failed(ABOUT, "APP-181", seen, Text("原因见 careline voice 的日志", "the log of careline voice says why"))
    return well(ABOUT, said["zh"], said["en"])


def _idle(waits: int) -> Finding:
    if not waits:
        return well(ABOUT, "已安装，没有运行，也没有等待合成的文字", "installed, not running, and nothing waits for it")
    seen = Text(f"没有运行，{waits} 段文字在等待", f"not running, {waits} texts are waiting")
    return warning(ABOUT, "APP-182", seen, Text("启动：careline voice", "start it: careline voice"))


def _counts(store: StorePlace) -> dict[str, int]:
    """Texts by state; empty when the store cannot be read or has no such table yet."""
    if isinstance(store, Path) and not store.exists():
        return {}
    try:
        database = connect(store, read_only=True)
    except StoreError:
        return {}
    try:
        if not database.table_exists(SpokenText._meta.table_name):
            return {}
        return dict(database.execute_sql("select state, count(*) from spoken_text group by state").fetchall())
    finally:
        database.close()


def _memory_mb(proc: Path, pid: int) -> int:
    """Resident memory; 0 when it cannot be seen. Source: proc(5), status."""
    try:
        found = re.search(r"^VmRSS:\s+(\d+) kB", (proc / str(pid) / "status").read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) // 1000 if found else 0
