"""What a new box makes for itself before its services start: the key and the self-signed certificate of its web pages.

Program of careline-firstboot.service (`python -m appliance.system.firstboot FOLDER`), as root, once; repeated after a power cut, it goes on
where it was. Writes below FOLDER, the box's folder for root's settings, alone.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from appliance.system.errors import BoxError
from drivers.errors import CarelineError

OPENSSL_LIMIT_S = 120.0
VALID_DAYS = 3650  # nobody renews the certificate of a box in a rack; health tells before it is over
DONE = "firstboot.done"
WEB_GROUP = "careline-web"


def make_web_certificate(folder: Path, name: str, group: str | None = WEB_GROUP) -> None:
    """A new key (P-256) and a certificate for `name`, as web.key and web.crt in `folder`; `group` may read the key.

    Raises: BoxError SYS-130, SYS-131.
    """
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    key, certificate = folder / "web.key", folder / "web.crt"
    fresh_key, fresh = folder / "web.key.new", folder / "web.crt.new"
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    names = ("-subj", f"/O=Careline/CN={name}", "-addext", f"subjectAltName=DNS:{name},DNS:{name}.local,DNS:localhost,IP:127.0.0.1")
    use = ("-addext", "extendedKeyUsage=serverAuth", "-addext", "basicConstraints=critical,CA:FALSE")
    _openssl("req", "-x509", *curve, "-sha256", "-days", str(VALID_DAYS), *names, *use, "-keyout", str(fresh_key), "-out", str(fresh))
    _give(folder, 0o750, group)
    _give(fresh_key, 0o640, group)
    _give(fresh, 0o644, group)
    fresh_key.replace(key)
    fresh.replace(certificate)  # last: where it is, the key is too


def _openssl(*arguments: str) -> None:
    # What it makes is closed to all but its owner from the first moment.
    command = ["openssl", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=OPENSSL_LIMIT_S, check=False, umask=0o077)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BoxError("SYS-130", f"openssl could not be run: {error}", "Install the package openssl") from error
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise BoxError("SYS-131", f"openssl made no certificate: {said}", "Check that the data partition has room")


def _give(path: Path, mode: int, group: str | None) -> None:
    if group is not None:
        shutil.chown(path, "root", group)
    path.chmod(mode)


def prepare(folder: Path, name: str, group: str | None = WEB_GROUP) -> None:
    """All that a first boot makes, and the mark that it is done. Raises: BoxError."""
    if not (folder / "tls" / "web.crt").exists():
        make_web_certificate(folder / "tls", name, group)
    with (folder / DONE).open("w") as mark:
        os.fsync(mark.fileno())
    os.sync()


def main() -> int:
    """0, or 1 with the reason on stderr."""
    parser = argparse.ArgumentParser(prog="careline-firstboot", description="What a new box makes for itself.")
    parser.add_argument("folder", type=Path, nargs="?", default=Path("/var/lib/careline/system"))
    options = parser.parse_args()
    try:
        prepare(options.folder, os.uname().nodename)
    except CarelineError as error:
        print(f"careline-firstboot: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
