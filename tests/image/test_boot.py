"""The image boots by BIOS and UEFI into a box that answers calls; what it takes, and what it shows to others."""

import re
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.image.box import Box, first_start
from tests.image.vm import IMAGE, Machine

ANSWER_LIMIT_S = 600.0  # 60 wanted on a quiet machine
LISTED = {80, 443}
FIGURES = "MemTotal MemFree MemAvailable Unevictable Shmem SUnreclaim KernelStack PageTables Percpu VmallocUsed AnonPages"
OF_EACH = (
    """/^(Pss_Anon|Locked|Rss):/ { k[$1] = $2 } END { if (k["Rss:"]) print k["Pss_Anon:"], k["Locked:"], k["Rss:"], substr(of, 1, 90) }"""
)
EACH = f'for each in /proc/[0-9]*; do awk -v of="$(tr "\\0" " " <$each/cmdline)" \'{OF_EACH}\' $each/smaps_rollup; done 2>/dev/null'
WEIGHTS = (
    f"grep -E '^({FIGURES.replace(' ', '|')}):' /proc/meminfo; cat /proc/sys/vm/min_free_kbytes; {EACH} | sort -rn; "
    "df -k -t tmpfs -t devtmpfs; lsmod | sort -rnk 2 | head -n 12"
)
"""What takes it: of the kernel, then each process (own, locked, resident, in kB), files in memory, the largest modules."""
EXPOSURE_MOST = {"careline-lines": 1.0, "careline-system": 4.3}


def test_image_is_small(record_property: Callable[[str, object], None]) -> None:
    on_disk_mb = IMAGE.stat().st_blocks * 512 / 1e6
    record_property("on_disk_mb", round(on_disk_mb))
    assert on_disk_mb <= 500
    assert (IMAGE.parent / "sbom.json").exists()
    assert (IMAGE.parent / "SHA256SUMS").exists()


@pytest.mark.parametrize("uefi", [False, True], ids=["bios", "uefi"])
def test_from_power_on_to_the_first_answered_call(
    uefi: bool, tmp_path: Path, lab_disk: Path, record_property: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Configured once, switched off as it should be, and on again: the clock runs from there."""
    with Machine(tmp_path, uefi=uefi, extra=Box.EXTRA, disks={"lab": lab_disk}) as machine:
        first = first_start(machine)
        first.run("systemctl --no-block poweroff")
        machine.wait_off()
        machine.power_on()
        box = Box(machine)
        box.begin("first_call")
        box.told(ANSWER_LIMIT_S, answered=True)
        took_s = time.monotonic() - machine.started_s
        box.told(ANSWER_LIMIT_S, heard=True)
        box.settle()
        assert machine.console.find(rb"slot A", 1)
        with capsys.disabled():
            firmware = "UEFI" if uefi else "BIOS"
            print(f"\n{firmware}: power on to the first answered call {took_s:.0f} s, load {Path('/proc/loadavg').read_text().split()[0]}")
        record_property("first_answered_call_s", round(took_s, 1))


def test_all_services_run_within_their_memory(
    box: Box, record_property: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]
) -> None:
    assert box.run("systemctl --failed --plain --no-legend") == ""
    used_mb = int(box.run("free -m").splitlines()[1].split()[2])
    with capsys.disabled():
        print(f"\nmemory in use, idle: {used_mb} MB\n{box.run(WEIGHTS)}")
    record_property("memory_used_mb", used_mb)
    assert used_mb <= 250


def test_the_data_partition_has_grown_and_the_slot_is_read_only(box: Box) -> None:
    assert int(box.run("df -m --output=size /var").split()[1]) > 2000
    assert "ro," in box.run("findmnt -n -o OPTIONS /")
    assert box.shell.status("touch /usr/x")[0] != 0


def test_the_slot_is_marked_good_and_the_box_keeps_its_identity(box: Box) -> None:
    box.run(
        "for each in $(seq 60); do systemctl is-active --quiet careline-good && break; sleep 2; done; systemctl is-active careline-good"
    )
    listed = dict(line.split("=", 1) for line in box.run("grub-editenv /efi/grub/grubenv list").splitlines())
    assert (listed["A_OK"], listed["A_TRY"], listed["A_GOOD"]) == ("1", "0", "1")
    assert listed["machine_id"] == box.run("cat /etc/machine-id")


def test_others_see_the_listed_ports_alone(box: Box) -> None:
    """What listens on other than loopback; and from outside, that both answer."""
    listening = box.run("ss -H -tuln | awk '{ print $1, $5 }'")
    open_ports = {int(line.rpartition(":")[2]) for line in listening.splitlines() if not re.search(r" (127\.|\[::1\])", line)}
    assert open_ports - {68} <= LISTED, listening
    with socket.create_connection(("127.0.0.1", box.machine.port(443)), 60) as plain:
        context = ssl._create_unverified_context()  # its own certificate, made at first boot
        with context.wrap_socket(plain, server_hostname="careline") as tls:
            assert tls.version() in ("TLSv1.2", "TLSv1.3")


def test_browsers_without_https_are_sent_to_it(box: Box) -> None:
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    request = urllib.request.Request(f"http://127.0.0.1:{box.machine.port(80)}/calls", headers={"Host": "box.example"})
    with pytest.raises(urllib.error.HTTPError) as told:
        urllib.request.build_opener(Stay).open(request, timeout=120)
    told.value.close()
    assert (told.value.code, told.value.headers["Location"]) == (308, "https://box.example/calls")


def test_rights_of_our_services_are_narrow(box: Box) -> None:
    judged = box.run("systemd-analyze security --no-pager | awk '/^careline-/ { print $1, $2 }'", 600)
    found = {line.split()[0].removesuffix(".service"): float(line.split()[1]) for line in judged.splitlines()}
    assert "careline-lines" in found
    assert {name: score for name, score in found.items() if score > EXPOSURE_MOST.get(name, 2.5)} == {}


def test_the_watchdog_runs(box: Box) -> None:
    assert box.run("cat /sys/class/watchdog/watchdog0/state") == "active"
    assert box.run("cat /sys/class/watchdog/watchdog0/timeout") == "20"


def test_nothing_in_it_builds_programs_or_fetches_packages(box: Box) -> None:
    assert box.run("command -v gcc cc make apt apt-get pip dpkg-deb-x || true") == ""
    assert box.run("ls /etc/apt 2>/dev/null || true") == ""
