"""Section `[network]` of careline.toml: whether Careline manages this machine's network at all, and what it writes and calls for it.

The network's settings themselves are not there: they are changed from web and console, see settings_file.py.
"""

from pathlib import Path
from typing import Annotated

import msgspec

from drivers.settings import Paths


class NetworkConfig(msgspec.Struct, frozen=True, kw_only=True):
    """manage: off, Careline shows the network and touches nothing (a machine that others look after); on in the box's image.

    confirm_s: a change that nobody confirms for so long is taken back. probe_ms: so long a cable is listened to for hosts that have an
    address already (RFC 5227 would have 3 to 6 s; a person waits, and cables are short). resolv_conf: where name servers are written
    ("": resolv.conf in run_dir, to which the image's /etc/resolv.conf points). time_sources: the file of chrony's servers
    ("": ntp/network.sources in data_dir/system).
    """

    manage: bool = False
    confirm_s: Annotated[int, msgspec.Meta(ge=1, le=600)] = 60
    probe_ms: Annotated[int, msgspec.Meta(ge=10, le=10_000)] = 900
    resolv_conf: str = ""
    time_sources: str = ""
    nft: str = "nft"
    dhcp_client: str = "udhcpc"
    chronyc: str = "chronyc"


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """Where things are, worked out."""

    kept: Path
    trying: Path
    history: Path
    leases: Path
    resolv_conf: Path
    time_sources: Path


def places(paths: Paths, config: NetworkConfig) -> Places:
    lasting = Path(paths.data_dir) / "system"
    run = Path(paths.run_dir)
    return Places(
        kept=lasting / "network.toml",
        trying=lasting / "network" / "trying.toml",
        history=lasting / "network" / "history",
        leases=lasting / "network" / "leases",
        resolv_conf=Path(config.resolv_conf or run / "resolv.conf"),
        time_sources=Path(config.time_sources or lasting / "ntp" / "network.sources"),
    )
