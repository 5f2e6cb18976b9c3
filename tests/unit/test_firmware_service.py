"""Cards through the box service: what the real program answers, files added and refused, without any card and without root."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.config import Config
from appliance.system.box import Box
from appliance.system.cards import actions
from appliance.system.cards.messages import AddFirmware, AskCards, CardsFound, CardsLoaded, FirmwareAdded, LoadCards, RemoveFirmware
from appliance.system.client import SystemClient
from appliance.system.errors import BoxError
from appliance.system.server import SystemServer
from drivers.clock import RealClock
from drivers.settings import Paths
from tests.astribank import files

LIMIT_S = 60


def served(folder: Path, client: Callable[[SystemClient], None]) -> None:
    config = folder / "careline.toml"
    config.write_text(f'[paths]\nrun_dir = "{folder}/run"\ndata_dir = "{folder}/data"\n')
    box = Box(Config(paths=Paths(run_dir=f"{folder}/run", data_dir=f"{folder}/data")), config, RealClock())

    def speak() -> None:
        with SystemClient(folder / "system.sock", "test") as asked:
            client(asked)

    async def run() -> None:
        server = SystemServer(folder / "system.sock", box)
        await server.start()
        try:
            await asyncio.wait_for(asyncio.to_thread(speak), LIMIT_S)
        finally:
            await server.close()

    asyncio.run(run())


def test_files_are_added_told_and_removed(tmp_path: Path) -> None:
    source = tmp_path / "upload"
    source.write_bytes(files.fx2_program())

    def client(asked: SystemClient) -> None:
        added = asked.ask(AddFirmware(path=str(source), name="USB_FW.hex", by="chen"), FirmwareAdded).file
        assert (added.name, added.version, added.by) == ("USB_FW.hex", "7701", "chen")
        told = asked.ask(AskCards(by="chen"), CardsFound).told
        assert told.files == (added,)
        assert "FPGA_1161.201.hex" in told.names
        asked.do(RemoveFirmware(name="USB_FW.hex", by="chen"))
        assert asked.ask(AskCards(by="chen"), CardsFound).told.files == ()

    served(tmp_path, client)


def test_a_damaged_file_comes_back_with_the_programs_own_code(tmp_path: Path) -> None:
    source = tmp_path / "USB_FW.hex"
    source.write_bytes(files.fx2_program()[:-40])

    def client(asked: SystemClient) -> None:
        with pytest.raises(BoxError, match=r"CRD-002: USB_FW\.hex"):
            asked.do(AddFirmware(path=str(source), by="chen"))
        with pytest.raises(BoxError, match="CRD-003"):
            asked.do(AddFirmware(path="--by", name="--name", by="-h"))
        with pytest.raises(BoxError, match="CRD-016"):
            asked.do(LoadCards(port="99-9"))
        assert asked.ask(AskCards(), CardsFound).told.files == ()

    served(tmp_path, client)


def test_nothing_to_load_is_well(tmp_path: Path) -> None:
    def client(asked: SystemClient) -> None:
        assert asked.ask(LoadCards(by="chen"), CardsLoaded).loaded == ()

    served(tmp_path, client)


def test_a_program_that_is_not_there_or_mute_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def client(asked: SystemClient) -> None:
        for program in (("/nonexistent",), ("/bin/true",)):
            monkeypatch.setattr(actions, "PROGRAM", program)
            with pytest.raises(BoxError, match="SYS-150"):
                asked.do(AskCards())
        monkeypatch.setattr(actions, "PROGRAM", ("/bin/sleep", "60"))
        monkeypatch.setattr(actions, "ASK_LIMIT_S", 0.2)
        monkeypatch.setattr(actions, "SIGN_EVERY_S", 0.1)
        monkeypatch.setattr(actions, "_command", lambda box, arguments: [*actions.PROGRAM])
        with pytest.raises(BoxError, match="SYS-151"):
            asked.do(AskCards())

    served(tmp_path, client)
