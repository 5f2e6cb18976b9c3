"""Places for backups: another machine by SFTP (a real sshd on loopback), a disk that is plugged in (a real file system behind a loop
device), and what a setting of them may be.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from appliance.system.backup import answering, making_jobs, settings, targets
from appliance.system.backup import messages as asked
from appliance.system.backup.messages import BackupSettings, Target, TargetKind
from appliance.system.backup.sftp import host_key_of, public_key
from appliance.system.errors import BoxError
from tests.unit.backup_rig import SmallBox, silent

LIMIT_S = 20.0
SSHD = "/usr/sbin/sshd"


@pytest.fixture
def box(tmp_path: Path) -> SmallBox:
    made = SmallBox(tmp_path / "box")
    made.fill()
    return made


# --- SFTP ---------------------------------------------------------------------------------------------------------------


class Machine:
    """One with an sshd of its own on loopback; whoever runs the test may log in with the box's key."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder, self.port = folder, _free_port()
        self.keys = folder / "authorized_keys"
        self._new_key()
        self._running: subprocess.Popen[bytes] | None = None

    def _new_key(self) -> None:
        for path in self.folder.glob("host*"):
            path.unlink()
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / "host")], check=True, timeout=LIMIT_S)

    def start(self) -> None:
        options = {
            "Port": self.port,
            "ListenAddress": "127.0.0.1",
            "HostKey": self.folder / "host",
            "AuthorizedKeysFile": self.keys,
            "PidFile": "none",
            "StrictModes": "no",
            "UsePAM": "no",
            "PasswordAuthentication": "no",
            "Subsystem": "sftp internal-sftp",
        }
        file = self.folder / "sshd_config"
        file.write_text("".join(f"{name} {value}\n" for name, value in options.items()))
        Path("/run/sshd").mkdir(exist_ok=True)
        self._running = subprocess.Popen([SSHD, "-D", "-e", "-f", str(file)], stderr=subprocess.DEVNULL)
        _until(lambda: _listens(self.port))

    def stop(self) -> None:
        if self._running is not None:
            self._running.terminate()
            self._running.wait(LIMIT_S)
            self._running = None

    def is_another_now(self) -> None:
        self.stop()
        self._new_key()
        self.start()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path / "machine")
    made.start()
    yield made
    made.stop()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def _until(holds: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def of_machine(machine: Machine) -> Target:
    key, _ = host_key_of("127.0.0.1", machine.port)
    path = str(machine.folder / "backups" / "here")
    user = subprocess.run(["id", "-un"], check=True, capture_output=True, text=True, timeout=LIMIT_S).stdout.strip()
    return Target(name="disk", kind=TargetKind.SFTP, host="127.0.0.1", port=machine.port, user=user, path=path, host_key=key)


def test_by_sftp_it_is_made_checked_and_thinned(box: SmallBox, machine: Machine) -> None:
    (box.data / "music" / "long.wav").write_bytes(os.urandom(3 << 20))
    box.target = of_machine(machine)
    box.set_up(keep_by_hand=1)
    machine.keys.write_text(public_key(box.places.ssh_key) + "\n")
    names = []
    for _ in range(2):
        names.append(making_jobs.by_hand(box.box, "disk", "ann", None, None).result(60).name)
        box.clock._ns += 10**9
    found = answering.backups(box.box, asked.AskBackups(target="disk"), silent)
    assert [each.name for each in found.backups] == names[-1:]
    assert found.free is None
    assert answering.check(box.box, asked.VerifyBackup(target="disk", name=names[-1]), silent)
    assert (machine.folder / "backups" / "here" / names[-1]).stat().st_size > 3 << 20


def test_the_fingerprint_is_the_one_ssh_keygen_shows(machine: Machine) -> None:
    _, fingerprint = host_key_of("127.0.0.1", machine.port)
    shown = subprocess.run(["ssh-keygen", "-lf", str(machine.folder / "host.pub")], check=True, capture_output=True, timeout=LIMIT_S)
    assert fingerprint in shown.stdout.decode()


def test_another_host_key_is_refused(box: SmallBox, machine: Machine) -> None:
    box.target = of_machine(machine)
    box.set_up()
    machine.keys.write_text(public_key(box.places.ssh_key) + "\n")
    assert answering.probe(box.box, asked.ProbeTarget(target="disk"), silent).free is None
    machine.is_another_now()
    with pytest.raises(BoxError, match="SYS-120"):
        answering.probe(box.box, asked.ProbeTarget(target="disk"), silent)


def test_who_does_not_know_us_refuses_and_who_is_away_is_told(box: SmallBox, machine: Machine) -> None:
    box.target = of_machine(machine)
    box.set_up()
    public_key(box.places.ssh_key)
    with pytest.raises(BoxError, match="SYS-121"):
        answering.probe(box.box, asked.ProbeTarget(target="disk"), silent)
    machine.stop()
    with pytest.raises(BoxError, match="SYS-104"):
        making_jobs.by_hand(box.box, "disk", "ann", None, None).result(60)


# --- a disk -------------------------------------------------------------------------------------------------------------

LSBLK = """#!/bin/sh
echo '{{"blockdevices": [
 {{"path": "/dev/vda", "type": "disk", "size": 100, "hotplug": false, "mountpoints": [null], "children": [
   {{"path": "/dev/vda1", "fstype": "ext4", "size": 90, "mountpoints": ["/"]}}]}},
 {{"path": "/dev/sdb", "type": "disk", "size": 100, "hotplug": true, "tran": "usb", "mountpoints": [null], "children": [
   {{"path": "/dev/sdb1", "fstype": "ext4", "size": 90, "mountpoints": ["/boot"]}}]}},
 {{"path": "{device}", "type": "disk", "label": "KEEP", "uuid": "1-2", "fstype": "ext4", "size": 9, "hotplug": true, "mountpoints": [null],
  "children": [{{"path": "{device}p1", "label": "KEEP", "uuid": "1-2", "fstype": "ext4", "size": 9, "mountpoints": [null]}}]}}
]}}'
"""


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A file system behind a loop device, which lsblk shows as a disk that can be pulled."""
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(16 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-L", "KEEP", str(image)], check=True, timeout=LIMIT_S)
    found = subprocess.run(["losetup", "--find", "--show", str(image)], check=True, capture_output=True, text=True, timeout=LIMIT_S)
    device = found.stdout.strip()
    program = tmp_path / "bin" / "lsblk"
    program.parent.mkdir()
    program.write_text(LSBLK.format(device=device))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    yield device
    subprocess.run(["losetup", "--detach", device], check=True, timeout=LIMIT_S)


def test_a_disk_is_mounted_for_as_long_as_it_takes(box: SmallBox, disk: str) -> None:
    box.target = Target(name="disk", kind=TargetKind.USB, label="KEEP")
    box.set_up()
    name = making_jobs.by_hand(box.box, "disk", "ann", None, None).result(60).name
    assert disk not in Path("/proc/mounts").read_text()
    found = answering.backups(box.box, asked.AskBackups(target="disk"), silent)
    assert [each.name for each in found.backups] == [name]
    assert found.free
    answering.eject(box.box, asked.EjectDisk(device=disk), silent)
    assert not list(box.places.mounts.iterdir())


def test_the_disk_the_box_runs_from_is_none_to_back_up_to(box: SmallBox, disk: str) -> None:
    found = answering.usb_disks(box.box, asked.AskUsbDisks(), silent)
    assert [(each.device, each.label, each.mounted) for each in found.disks] == [(disk, "KEEP", False)]
    box.target = Target(name="disk", kind=TargetKind.USB, label="OTHER")
    box.set_up()
    with pytest.raises(BoxError, match="SYS-126"):
        making_jobs.by_hand(box.box, "disk", "ann", None, None).result(60)


def test_a_full_disk_keeps_what_it_has(box: SmallBox, disk: str) -> None:
    box.target = Target(name="disk", kind=TargetKind.USB)
    box.set_up()
    first = making_jobs.by_hand(box.box, "disk", "ann", None, None).result(60).name
    (box.data / "music" / "long.wav").write_bytes(os.urandom(20 << 20))
    with pytest.raises(BoxError, match="SYS-105"):
        making_jobs.by_hand(box.box, "disk", "ann", None, None).result(60)
    found = answering.backups(box.box, asked.AskBackups(target="disk"), silent)
    assert [each.name for each in found.backups] == [first]


# --- settings -----------------------------------------------------------------------------------------------------------

KEY = "ssh-ed25519 " + "A" * 68
SFTP = Target(name="nas", kind=TargetKind.SFTP, host="192.0.2.1", user="box", host_key=KEY)
SHARE = Target(name="nas", kind=TargetKind.SHARE, source="//nas/backup", file_system="cifs", user="box")


@pytest.mark.parametrize(
    "wrong",
    [
        BackupSettings(at="25:00"),
        BackupSettings(keep_days=-1),
        BackupSettings(nightly=True),
        BackupSettings(nightly_to=("nowhere",)),
        BackupSettings(targets=(SFTP, SFTP)),
        *(
            BackupSettings(targets=(target,))
            for target in (
                Target(name="../x", kind=TargetKind.USB),
                Target(name="a", kind=TargetKind.FOLDER, path="relative"),
                Target(name="a", kind=TargetKind.FOLDER, path="/a/../etc"),
                Target(name="a", kind=TargetKind.USB, path="../../etc"),
                msgspec.structs.replace(SFTP, host="-oProxyCommand=x"),
                msgspec.structs.replace(SFTP, host_key=""),
                msgspec.structs.replace(SFTP, port=0),
                msgspec.structs.replace(SHARE, source="-o suid"),
                msgspec.structs.replace(SHARE, options="rw,suid"),
                msgspec.structs.replace(SHARE, options="credentials=/etc/shadow"),
                msgspec.structs.replace(SHARE, file_system="ext4"),
            )
        ),
    ],
)
def test_what_cannot_be_set_is_refused_by_name(wrong: BackupSettings) -> None:
    with pytest.raises(BoxError, match=r"SYS-101.*Wanted"):
        settings.check(wrong)


def test_passwords_are_in_a_file_of_roots_and_never_told(box: SmallBox) -> None:
    box.target = SHARE
    box.set_up()
    answering.set_password(box.box, asked.SetTargetPassword(target="nas", password="s3cret"), silent)
    assert targets.passwords(box.places) == {"nas": "s3cret"}
    assert box.places.passwords.stat().st_mode & 0o777 == 0o600
    told = answering.told_settings(box.box, asked.AskBackupSettings(), silent)
    assert told.with_password == ("nas",)
    assert "s3cret" not in str(told)
    answering.set_settings(box.box, asked.SetBackupSettings(settings=BackupSettings(), revision=told.revision), silent)
    assert targets.passwords(box.places) == {}


def test_a_damaged_settings_file_names_the_version_before(box: SmallBox) -> None:
    box.set_up()
    box.set_up(keep_days=3)
    box.places.settings.write_text("keep_days = [")
    with pytest.raises(BoxError, match=r"SYS-125.*settings\.000001\.toml"):
        settings.load(box.places.settings)
    shutil.copy(box.places.own / "settings.000001.toml", box.places.settings)
    assert settings.load(box.places.settings).settings.keep_days == 7
