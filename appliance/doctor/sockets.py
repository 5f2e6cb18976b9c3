"""Are the processes there, once each, and does the web page's port belong to ours? Connects and hangs up at once, says nothing."""

import errno
import os
import socket
import stat
from pathlib import Path

from appliance.doctor.finding import Finding, Text, failed, warning, well
from drivers.private_socket import peer_ids

CONNECT_S = 2.0
OURS = ("drivers.server", "appliance.main", "webui")
LISTENING = "0A"  # Source: include/net/tcp_states.h, TCP_LISTEN


def examine_socket(about: Text, path: Path, unit: str, root: Path = Path("/")) -> Finding:
    """The socket of one process: there, answered, and closed to strangers."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        pid = _who_answers(path)
    except OSError as error:
        return _socket_fault(about, path, unit, error)
    if mode & stat.S_IRWXO:
        seen = Text(f"{path} 对所有人开放（{mode:04o}）", f"{path} is open to everybody ({mode:04o})")
        return failed(about, "APP-089", seen, Text(f"chmod 0660 {path}", f"chmod 0660 {path}"))
    return well(about, f"应答正常，进程 {pid}（{_name(root, pid)}）", f"answers, process {pid} ({_name(root, pid)})")


def _socket_fault(about: Text, path: Path, unit: str, error: OSError) -> Finding:
    if isinstance(error, FileNotFoundError):
        seen = Text(f"没有运行（没有 {path}）", f"does not run (there is no {path})")
        return warning(about, "APP-086", seen, Text(f"systemctl restart {unit}", f"systemctl restart {unit}"))
    if isinstance(error, PermissionError):
        seen = Text(f"没有权限连接 {path}", f"no permission to connect to {path}")
        remedy = Text("以 root 身份，或作为 careline 组的成员再试", "try as root or as a member of the group careline")
        return failed(about, "APP-088", seen, remedy)
    seen = Text(f"{path} 无人应答（{error}）：进程已经死了", f"nobody answers at {path} ({error}): the process died")
    remedy = Text(f"systemctl restart {unit}；原因见 journalctl -u {unit}", f"systemctl restart {unit}; journalctl -u {unit} tells why")
    return failed(about, "APP-087", seen, remedy)


def _who_answers(path: Path) -> int:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(CONNECT_S)
        sock.connect(str(path))
        return peer_ids(sock)[0]


def examine_port(host: str, port: int, root: Path = Path("/")) -> Finding:
    """Whether the web pages have their port, or could have it."""
    about = Text("网页端口", "web port")
    try:
        _try_port(host, port)
    except OSError as error:
        return _port_fault(about, host, port, error, root)
    return well(about, f"{port} 空闲（网页没有运行）", f"{port} is free (the web pages do not run)")


def _port_fault(about: Text, host: str, port: int, error: OSError, root: Path) -> Finding:
    if error.errno != errno.EADDRINUSE:
        seen = Text(f"不能使用 {host}:{port}（{error.strerror}）", f"cannot use {host}:{port} ({error.strerror})")
        remedy = Text("在 [web] 中改 host 或 port（1024 以下需要特权）", "change host or port in [web] (below 1024 needs privileges)")
        return failed(about, "APP-091", seen, remedy)
    pid = port_owner(port, root)
    if pid is not None and "webui" in " ".join(_command(root, pid)):
        return well(about, f"{port}，由进程 {pid} 服务", f"{port}, served by process {pid}")
    who = f"{_name(root, pid)} ({pid})" if pid else "?"
    seen = Text(f"{port} 被另一个程序占用：{who}", f"{port} is taken by another program: {who}")
    remedy = Text("停止那个程序，或在 [web] 中换一个 port", "stop that program, or choose another port in [web]")
    return failed(about, "APP-090", seen, remedy)


def _try_port(host: str, port: int) -> None:
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    with socket.socket(family, kind) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)


def port_owner(port: int, root: Path = Path("/")) -> int | None:
    """The process that listens on a TCP port, as far as we may see. Source: proc(5), /proc/net/tcp."""
    inodes = {
        f"socket:[{row[9]}]"
        for table in ("tcp", "tcp6")
        for row in _rows(root / "proc/net" / table)
        if row[3] == LISTENING and int(row[1].rpartition(":")[2], 16) == port
    }
    return next((pid for pid in _pids(root) if inodes & _open_sockets(root, pid)), None)


def _rows(table: Path) -> list[list[str]]:
    return [line.split() for line in table.read_text().splitlines()[1:]] if table.exists() else []


def _open_sockets(root: Path, pid: int) -> set[str]:
    found = set()
    try:
        for fd in (root / "proc" / str(pid) / "fd").iterdir():
            found.add(os.readlink(fd))
    except OSError:  # gone meanwhile, or not ours to see
        return found
    return found


def examine_instances(config: Path, root: Path = Path("/")) -> list[Finding]:
    """Two processes of one kind with the same configuration fight for the lines."""
    about = Text("重复运行", "second instance")
    running = {module: _instances(root, module, config) for module in OURS}
    found = [_too_many(about, module, pids) for module, pids in running.items() if len(pids) > 1]
    return found or [well(about, "没有", "none")]


def _too_many(about: Text, module: str, pids: list[int]) -> Finding:
    said = ", ".join(map(str, pids))
    seen = Text(f"{module} 同时运行了 {len(pids)} 个：进程 {said}", f"{module} runs {len(pids)} times: processes {said}")
    remedy = Text("只留下由 systemd 启动的那个，结束其余的", "keep the one that systemd started, end the others")
    return failed(about, "APP-092", seen, remedy)


def _instances(root: Path, module: str, config: Path) -> list[int]:
    """Main processes of a module; the workers one of them forked do not count."""
    alike = [pid for pid in _pids(root) if _runs(_command(root, pid), module, config)]
    return [pid for pid in alike if _parent(root, pid) not in alike]


def _runs(command: list[str], module: str, config: Path) -> bool:
    return f"-m {module} " in " ".join(command) and str(config) in command


def _pids(root: Path) -> list[int]:
    return sorted(int(entry.name) for entry in (root / "proc").iterdir() if entry.name.isdecimal())


def _command(root: Path, pid: int) -> list[str]:
    try:
        return (root / "proc" / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def _parent(root: Path, pid: int) -> int:
    try:
        return int((root / "proc" / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError, ValueError):
        return 0


def _name(root: Path, pid: int | None) -> str:
    command = _command(root, pid) if pid else []
    return " ".join(Path(word).name for word in command[:3]).strip() or "?"
