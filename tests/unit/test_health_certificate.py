"""The end of a certificate as the library of the ciphers reads it too, and what is no certificate."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from appliance.health.certificate import end_of
from appliance.system.firstboot import make_web_certificate
from tests.unit.health_peers import certificate


@pytest.mark.parametrize("days", [1, 30, 3650, 40_000])  # from 2050 on the year has four digits
def test_the_end_is_the_librarys(tmp_path: Path, days: float) -> None:
    pem = certificate(tmp_path, days).read_bytes()
    assert end_of(pem) == x509.load_pem_x509_certificate(pem).not_valid_after_utc


def test_the_boxs_own(tmp_path: Path) -> None:
    make_web_certificate(tmp_path, "careline", None)
    left = end_of((tmp_path / "web.crt").read_bytes()) - datetime.now(UTC)
    assert timedelta(days=3649) < left <= timedelta(days=3650)


@pytest.mark.parametrize("text", [b"", b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----", b"-----BEGIN PRIVATE KEY-----"])
def test_no_certificate(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # of whichever part of it
        end_of(text)


def test_damaged_ones_raise_nothing_else(tmp_path: Path) -> None:
    pem, chance = certificate(tmp_path).read_bytes(), random.Random(1)
    for _ in range(500):
        broken = bytearray(pem)
        broken[chance.randrange(len(broken))] = chance.randrange(256)
        del broken[chance.randrange(200, len(broken)) : chance.randrange(200, len(broken))]
        try:
            assert end_of(bytes(broken)).tzinfo is UTC
        except ValueError:
            continue
