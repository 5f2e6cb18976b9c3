"""Is the machine fit: Python and libraries, the compiled core, folders, disk, clock, prompts? Reads only."""

import ctypes
import ctypes.util
import importlib.metadata
import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from appliance.control.messages import Grade
from appliance.doctor.finding import Finding, Text, failed, fault, warning, well
from appliance.ivr.prompts.catalogue import PromptError
from appliance.ivr.prompts.library import PromptLibrary
from appliance.store import reserve
from appliance.system import health
from drivers import settings
from drivers.clock import Clock

DRIVERS = Path(settings.__file__).parent
PYTHON_LEAST = (3, 11)
SET_UP = Text("再次执行 make demo，它会安装和编译所需的一切", "run make demo again; it installs and builds what is needed")
COMPILED = ("media/_media", "dahdi/_dahdi")
CLOCK_UNSYNCHRONISED = 5  # Source: adjtimex(2), TIME_ERROR
TOLD_ONE_BY_ONE = 3
TIMEX_BYTES = 256  # struct timex is 208 bytes; all zero asks and changes nothing


def examine_python() -> Finding:
    """The interpreter and every library the project asks for, by what is installed."""
    about = Text("Python 和库", "Python and libraries")
    version = ".".join(map(str, sys.version_info[:3]))
    missing = [name for name in _required() if _installed(name) is None]
    if sys.version_info < PYTHON_LEAST or missing:
        lacks = ", ".join(missing) or "Python >= 3.11"
        return failed(about, "APP-093", Text(f"Python {version}，缺少 {lacks}", f"Python {version}, {lacks} is missing"), SET_UP)
    return well(about, f"Python {version}，库齐全", f"Python {version}, all libraries are there")


def _required() -> list[str]:
    lines = importlib.metadata.requires("careline") or []
    return [found[0] for line in lines if "extra ==" not in line and (found := re.match(r"[\w.-]+", line))]


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def examine_core(folder: Path = DRIVERS) -> Finding:
    """The C parts and the library they stand on."""
    about = Text("C 模块", "C parts")
    missing = [part for part in COMPILED if not list(folder.glob(f"{part}*.so"))]
    if ctypes.util.find_library("spandsp") is None:
        missing.append("libspandsp2")
    if missing:
        said = ", ".join(missing)
        return failed(about, "APP-094", Text(f"缺少 {said}", f"{said} is missing"), SET_UP)
    return well(about, "已编译", "built")


def examine_folder(about: Text, folder: Path) -> Finding:
    """A folder that must be there and ours to write."""
    if not folder.is_dir():
        remedy = Text("启动程序时会建立它", "starting the box makes it")
        return warning(about, "APP-095", Text(f"没有 {folder}", f"there is no {folder}"), remedy)
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        return _read_only(about, folder)
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK, effective_ids=True):
        remedy = Text("以 root 或 careline 组的成员再试", "try as root or as a member of the group careline")
        return failed(about, "APP-096", Text(f"不能写入 {folder}", f"{folder} cannot be written"), remedy)
    return well(about, str(folder), str(folder))


def _read_only(about: Text, folder: Path) -> Finding:
    """The kernel does that to a disk with errors, unless somebody mounted it so."""
    seen = Text(f"{folder} 所在的文件系统是只读的", f"the file system of {folder} is read-only")
    remedy = Text(
        f"多半是磁盘出错：请看 dmesg，检查或更换磁盘；若只是挂载成只读：mount -o remount,rw $(findmnt -n -o TARGET -T {folder})",
        f"most likely its disk has errors: see dmesg, check or replace it; if it was only mounted so: "
        f"mount -o remount,rw $(findmnt -n -o TARGET -T {folder})",
    )
    return failed(about, "APP-103", seen, remedy)


def examine_reserve(store: Path) -> list[Finding]:
    """Whether the store could still be written if the disk were full; nothing before there is a store."""
    about = Text("预留空间", "reserve")
    held = reserve.held_bytes(reserve.path_of(store))
    said = f"{held / 1e6:.1f} MB / {reserve.RESERVE_BYTES / 1e6:.1f} MB"
    if not store.exists() or not os.access(store.parent, os.X_OK, effective_ids=True):
        return []
    if held >= reserve.RESERVE_BYTES:
        return [well(about, said, said)]
    seen = Text(f"磁盘已满，数据库正在使用预留空间（{said}）", f"the disk is full, the store lives on its reserve ({said} left)")
    remedy = Text(
        "请马上移走旧录音；来电照常接听，但不能录音，预留用完后记录暂存在内存和线路程序中",
        "move old recordings away now; calls are answered but not recorded; when it is used up records wait in memory and the line server",
    )
    return [failed(about, "STO-006", seen, remedy)]


def examine_disk(folder: Path) -> Finding:
    """How full the disk of the recordings is."""
    about = Text("磁盘", "disk")
    check, free, total = health.disk(folder if folder.exists() else Path("/"))
    said = Text(f"剩余 {free / 1e9:.1f} GB，共 {total / 1e9:.1f} GB（{folder}）", check.detail)
    if check.grade is Grade.OK:
        return Finding(about=about, grade=Grade.OK, detail=said)
    remedy = Text("请把旧录音移走；磁盘满后录音会停止", check.remedy)
    return Finding(about=about, grade=check.grade, code=check.code, detail=said, remedy=remedy)


def examine_clock(clock: Clock, folder: Path = DRIVERS) -> Finding:
    """Whether the time can be right (not before our own files were made) and is kept right."""
    about = Text("时钟", "clock")
    now = clock.now()
    made = max(datetime.fromtimestamp(path.stat().st_mtime, UTC) for path in folder.glob("*.py"))
    said = now.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
    if now < made:
        seen = Text(f"现在是 {said}，比程序本身还早", f"it says {said}, earlier than the program itself was made")
        remedy = Text("校准时间：timedatectl set-time", "set it: timedatectl set-time")
        return failed(about, "APP-097", seen, remedy)
    if not _synchronised():
        seen = Text(f"{said}，没有与时间服务器同步", f"{said}, not synchronised with a time server")
        remedy = Text("安装 systemd-timesyncd，指向院内的时间服务器", "install systemd-timesyncd with the hospital's time server")
        return warning(about, "APP-098", seen, remedy)
    return well(about, f"{said}，已同步", f"{said}, synchronised")


def _synchronised() -> bool:
    state: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX_BYTES))
    return state != CLOCK_UNSYNCHRONISED and state >= 0


def examine_prompts(root: Path | None = None) -> list[Finding]:
    """Every prompt file, whole and as the manifest says."""
    about = Text("提示音", "prompts")
    try:
        library = PromptLibrary(root) if root else PromptLibrary()
    except PromptError as error:
        return [fault(about, error)]
    faults = library.faults()
    if not faults:
        count = len(library.ids("zh")) + len(library.ids("en"))
        return [well(about, f"{count} 个文件，完好", f"{count} files, all whole")]
    found = [fault(about, error) for error in faults[:TOLD_ONE_BY_ONE]]
    if more := len(faults[TOLD_ONE_BY_ONE:]):
        seen = Text(f"另有 {more} 个文件损坏", f"{more} more files are bad")
        found.append(failed(about, "APP-099", seen, Text("make prompts", "make prompts")))
    return found
