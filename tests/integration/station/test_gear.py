"""A whole agent with a card reader on a pseudo-terminal and a receipt printer in the network, both simulated."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from station.printers import simulator as printers
from station.readers import simulator as readers
from tests.integration.station.desk import Station
from tests.integration.station.fake_capture import Capture, Running

if os.name == "nt":  # pragma: no cover -- the simulated reader needs a pseudo-terminal
    pytest.skip("Windows has no pseudo-terminal for the simulated card reader", allow_module_level=True)


class Desk(Station):
    """With gear: a reader whose cable can be pulled, a printer whose paper can end."""

    def __init__(self, directory: Path, url: str) -> None:
        super().__init__(directory, url)
        self.reader = readers.SimulatedReader()
        self.printer = printers.SimulatedPrinter()
        self.line = directory.parent / "reader"
        self.line.symlink_to(self.reader.path)

    def plug_in_again(self) -> None:
        """Another pseudo-terminal takes the old one's name."""
        self.reader = readers.SimulatedReader()
        part = self.line.with_name("reader.part")
        part.symlink_to(self.reader.path)
        part.replace(self.line)

    def swipe(self, kind: Any) -> None:
        """Lay a card down; the one before it is lifted."""
        self.reader.lift()
        self.reader.lay(kind)

    def show_picture(self, content: str) -> dict[str, Any]:
        """Send a screenshot of a code."""
        modules = np.asarray(cv2.QRCodeEncoder.create().encode(content), np.uint8)
        page = np.kron(np.pad(modules, 4, constant_values=255), np.ones((6, 6))).astype(np.uint8)
        door = json.loads((self.directory / "door.json").read_text())
        headers = {"authorization": f"Bearer {door['token']}"}
        sent = bytes(cv2.imencode(".png", page)[1])
        answer = self.client.post(f"{door['url']}/v1/checkins/picture", content=sent, headers=headers)
        told: dict[str, Any] = answer.raise_for_status().json()
        return told

    def slips(self) -> list[str]:
        """The numbers on the slips that came out whole."""
        return [slip.qr for slip in self.printer.printed if slip.whole]

    def until_slips(self, *numbers: str) -> None:
        """Wait until exactly these have come out, in this order, and the agent knows it."""
        try:
            self.wait_for(lambda _state: self.slips() == list(numbers) and self._kept() == [])
        except AssertionError:
            raise AssertionError(self.printer.printed) from None

    def _kept(self) -> list[Any]:
        kept: list[Any] = json.loads((self.directory / "slips.json").read_text())
        return kept

    def trouble(self, device: str, code: str | None) -> None:
        """Wait until a device says this of itself."""
        self.wait_for(lambda state: {one["device"]: one["code"] for one in state["devices"]}[device] == code)

    def end(self) -> None:
        """End everything that was started."""
        self.client.close()
        if self.process is not None and self.process.poll() is None:
            self.kill()
        self.reader.close()
        self.printer.close()


@pytest.fixture
def desk(server: Running, tmp_path: Path) -> Iterator[Desk]:
    """Four students with cards, enrolled with reader and printer named on the command line."""
    server.capture.identity_mode = "id_card"
    server.capture.payloads = {place: number for place, (number, _) in enumerate(readers.INVENTED.values())}
    desk = Desk(tmp_path / "station", server.capture.url)
    try:
        desk.enrol("virtual", "--reader", f"serial:{desk.line}", "--printer", desk.printer.address)
        desk.start()
        yield desk
    finally:
        desk.end()


def _queue(*numbers: str) -> Callable[[dict[str, Any]], bool]:
    return lambda state: state["queue"] == list(numbers)


def test_a_card_is_a_check_in_and_a_check_in_a_slip(capture: Capture, desk: Desk) -> None:
    """Swipe → 拍摄号 → slip; paper out, told, printed once when it is back, also over a restart; reprint by button."""
    desk.swipe("resident")
    desk.wait_for(_queue("A-0001"))
    desk.until_slips("A-0001")
    desk.printer.sheets = 0
    desk.swipe("permanent_2023")
    desk.wait_for(_queue("A-0001", "A-0002"))
    desk.trouble("printer", "printer-paper-out")
    desk.kill()
    desk.start()
    desk.trouble("printer", "printer-paper-out")
    assert desk.slips() == ["A-0001"]
    desk.printer.sheets = 100
    desk.until_slips("A-0001", "A-0002")
    desk.trouble("printer", None)
    assert desk.post("/v1/slips", {"ticket": "A-0001"})["ticket"] == "A-0001"
    desk.until_slips("A-0001", "A-0002", "A-0001")
    assert desk.show_picture("scan-9")["ticket"] == "A-0003"
    desk.until_slips("A-0001", "A-0002", "A-0001", "A-0003")
    figures = desk.figures().replace(" ", "")
    assert 'device="printer",fault="paper_out"' in figures
    desk.drained()
    assert sorted(row["ticket"] for row in capture.checkins.values()) == ["A-0001", "A-0002", "A-0003"]
    assert not any(number in (desk.directory / "station.log").read_text() for number, _ in readers.INVENTED.values())


def test_a_reader_that_hangs_or_is_pulled_comes_back(desk: Desk) -> None:
    """Silence, a wrong answer and a pulled cable are told and end nothing; what is laid down next is checked in."""
    desk.reader.fault("silent", 1)
    desk.trouble("card_reader", "reader-silent")
    desk.trouble("card_reader", None)
    desk.reader.fault("lengths", 1)
    desk.swipe("hk_macao_taiwan")
    desk.trouble("card_reader", "reader-garbled")
    desk.swipe("hk_macao_taiwan")
    desk.wait_for(_queue("A-0001"))
    desk.reader.close()
    desk.trouble("card_reader", "reader-unplugged")
    desk.plug_in_again()
    desk.trouble("card_reader", None)
    desk.swipe("permanent_2017")
    desk.wait_for(_queue("A-0001", "A-0002"))
    figures = desk.figures()
    for fault in ("silent", "garbled", "unplugged"):
        assert f'device="card_reader",fault="{fault}"' in figures
