"""What a new box makes for itself, by the real openssl."""

import ssl
import stat
import subprocess
from pathlib import Path

import pytest

from appliance.system.errors import BoxError
from appliance.system.firstboot import DONE, prepare


def test_a_new_box_has_a_key_that_only_the_pages_may_read_and_a_certificate_of_it(tmp_path: Path) -> None:
    prepare(tmp_path, "careline", group=None)
    key, certificate = tmp_path / "tls" / "web.key", tmp_path / "tls" / "web.crt"
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    assert stat.S_IMODE(key.stat().st_mode) == 0o640
    assert (tmp_path / DONE).exists()
    told = subprocess.run(
        ["openssl", "x509", "-in", certificate, "-noout", "-ext", "subjectAltName"], capture_output=True, text=True, check=True
    ).stdout
    assert "DNS:careline.local" in told


def test_a_first_boot_that_was_cut_goes_on_and_keeps_the_certificate_there_is(tmp_path: Path) -> None:
    prepare(tmp_path, "careline", group=None)
    first = (tmp_path / "tls" / "web.crt").read_bytes()
    (tmp_path / DONE).unlink()
    prepare(tmp_path, "careline", group=None)
    assert (tmp_path / "tls" / "web.crt").read_bytes() == first
    (tmp_path / "tls" / "web.crt").unlink()  # the key alone: the power went in between
    prepare(tmp_path, "careline", group=None)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / "tls" / "web.crt", tmp_path / "tls" / "web.key")


def test_no_openssl_is_told_with_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BoxError, match=r"SYS-130.*Install the package openssl"):
        prepare(tmp_path / "system", "careline", group=None)
