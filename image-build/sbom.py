#!/usr/bin/env python3
"""The bill of materials of an image: CycloneDX 1.5, build/image/sbom.json. Usage: sbom.py OUT VERSION

From packages.tsv (Debian packages with the hashes of their files, as apt has checked them), python.json and webui/package-lock.json.
Debian's packages know their licences in /usr/share/doc/*/copyright of the image.
"""

import base64
import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[1]


def component(name: str, version: str, purl: str, algorithm: str, digest: str) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        "hashes": [{"alg": algorithm, "content": digest}],
    }


def debian(out: Path) -> Iterator[dict[str, Any]]:
    for line in (out / "packages.tsv").read_text().splitlines():
        name, version, architecture, digest = line.split("\t")
        purl = f"pkg:deb/debian/{name}@{version}?arch={architecture}&distro=debian-12"
        yield component(name, version, purl, "SHA-256", digest)


def python(out: Path) -> Iterator[dict[str, Any]]:
    for each in json.loads((out / "python.json").read_text()):
        yield component(each["name"], each["version"], each["purl"], "SHA-256", each["sha256"])


def web() -> Iterator[dict[str, Any]]:
    """The npm packages that setup/web-assets takes files of."""
    lock = json.loads((CHECKOUT / "webui" / "package-lock.json").read_text())
    asked = {f"node_modules/{name}" for name in lock["packages"][""].get("dependencies", {})}
    for path in sorted(asked & set(lock["packages"])):
        package, name = lock["packages"][path], path.removeprefix("node_modules/")
        digest = base64.b64decode(package["integrity"].removeprefix("sha512-")).hex()
        purl = f"pkg:npm/{name.replace('@', '%40')}@{package['version']}"
        yield component(name, package["version"], purl, "SHA-512", digest)


def main() -> None:
    out, version = Path(sys.argv[1]), sys.argv[2]
    made = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), UTC).isoformat().replace("+00:00", "Z")
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"timestamp": made, "component": {"type": "operating-system", "name": "careline", "version": version}},
        "components": [*debian(out), *python(out), *web()],
    }
    (out / "sbom.json").write_text(json.dumps(bill, indent=1) + "\n")


if __name__ == "__main__":
    main()
