"""A real Chromium, driven over its own debugging protocol: enough to press keys and to see what comes of it."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

from cli.stack.parts import rabbitmq

#: Longer than anything takes on a machine with much else to do.
_PATIENCE_S = 120.0
#: What the project asks of every Chromium that it starts: no window, no network of its own.
_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--mute-audio"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps"),
    *("--disable-extensions", "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-port=0"),
)
_NAMES = ("chromium", "chromium-browser", "google-chrome", "chromium-headless-shell")
_NUMBERS = {"Backspace": 8, "Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "PageUp": 33, "PageDown": 34, "ArrowDown": 40}
_NUMBERS |= {f"F{number}": 111 + number for number in range(1, 13)}


def picture_of(page: "Page", name: str) -> None:
    """Keep what is to be seen where `GRADPHOTO_PICTURES` says, for whoever looks at it; by default nowhere."""
    if folder := os.environ.get("GRADPHOTO_PICTURES"):
        page.picture(Path(folder) / f"{name}.png")


def program() -> str:
    """`GRADPHOTO_CHROMIUM`, the one on PATH, or as root on Debian the system's package, installed now."""
    found = os.environ.get("GRADPHOTO_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None and rabbitmq.may_install():
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for line in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", "chromium"]):
            subprocess.run(["apt-get", *line], env=environment, check=True, capture_output=True)
        found = shutil.which("chromium")
    if found is None:
        raise AssertionError("no Chromium: install chromium, or set GRADPHOTO_CHROMIUM to its program")
    return found


@contextmanager
def opened(width: int = 1280, height: int = 800, *more: str) -> Iterator["Page"]:
    """A Chromium of its own with one page, and with more options; ended, by its own pid, afterwards."""
    with tempfile.TemporaryDirectory(prefix="gradphoto-chromium-", ignore_cleanup_errors=True) as folder:
        line = [program(), *_OPTIONS, f"--window-size={width},{height}", f"--user-data-dir={folder}"]
        line += [*more, "about:blank"]
        process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with connect(_address(Path(folder), process), max_size=None, proxy=None, ping_interval=None) as socket:
                page = Page(socket)
                page.resize(width, height)
                yield page
        finally:
            process.terminate()
            process.wait(timeout=60)


def _address(folder: Path, process: subprocess.Popen[bytes]) -> str:
    file = folder / "DevToolsActivePort"
    deadline = time.monotonic() + _PATIENCE_S
    while not (file.exists() and file.read_text().count("\n")):
        assert process.poll() is None, "Chromium ended"
        assert time.monotonic() < deadline, "Chromium does not answer"
        time.sleep(0.02)
    port = file.read_text().split()[0]
    with httpx.Client(trust_env=False, timeout=_PATIENCE_S) as client:
        pages = client.get(f"http://127.0.0.1:{port}/json/list").json()
    return str(next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page"))


class Page:
    """One page; every address that it asks for, and every error in it, is remembered."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._last = 0
        self.addresses: list[str] = []
        self.faults: list[str] = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def resize(self, width: int, height: int) -> None:
        """Give the page another size."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)

    def open(self, url: str) -> None:
        """Go to an address."""
        self.call("Page.navigate", url=url)

    def press(self, key: str, at: float | None = None) -> None:
        """Press and let go one key, now, or as if it had been at that time (seconds since 1970)."""
        # The number of a printable key would be that of another one (a full stop is 46, and so is Delete).
        number = _NUMBERS.get(key, 0)
        text = "\r" if key == "Enter" else key if len(key) == 1 else ""
        told = {"key": key, "code": "Space" if key == " " else key if number else "", "windowsVirtualKeyCode": number}
        told |= {} if at is None else {"timestamp": at}
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **told)
        self.call("Input.dispatchKeyEvent", type="keyUp", **told)

    def type(self, text: str) -> None:
        """Type key by key."""
        for key in text:
            self.press(key)

    def scan(self, text: str) -> None:
        """Type as a scanner does, by the keys' own times: however slow this machine is."""
        self._type_at([*text, "Enter"], 0.008)

    def write(self, text: str) -> None:
        """Type as a person does, by the keys' own times, and press Enter."""
        self._type_at([*text, "Enter"], 0.2)

    def _type_at(self, keys: list[str], gap_s: float) -> None:
        time.sleep(0.2 + len(keys) * gap_s)  # what was pressed before lies before
        begun = time.time() - len(keys) * gap_s
        for place, key in enumerate(keys):
            self.press(key, begun + place * gap_s)

    def tell(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        return answer["result"].get("value")

    def until(self, expression: str, timeout_s: float = _PATIENCE_S) -> None:
        """Wait until a JavaScript expression is true of the page."""
        deadline = time.monotonic() + timeout_s
        while not self.tell(f"!!({expression})"):
            assert time.monotonic() < deadline, f"{expression}\n{self.text()}\n{self.faults}"
            time.sleep(0.03)

    def text(self) -> str:
        """What is to be read on the page."""
        return str(self.tell("document.body.innerText"))

    def picture(self, path: Path) -> None:
        """Save what is to be seen, as PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol; what happens meanwhile is noted."""
        self._last += 1
        self._socket.send(json.dumps({"id": self._last, "method": method, "params": parameters}))
        while True:
            told = json.loads(self._socket.recv(timeout=_PATIENCE_S))
            if told.get("id") == self._last:
                assert "error" not in told, told
                result: dict[str, Any] = told["result"]
                return result
            self._note(told)

    def _note(self, told: dict[str, Any]) -> None:
        match told.get("method"):
            case "Network.requestWillBeSent":
                self.addresses.append(told["params"]["request"]["url"])
            case "Runtime.exceptionThrown":
                self.faults.append(json.dumps(told["params"]["exceptionDetails"])[:800])
            case "Log.entryAdded" if told["params"]["entry"]["source"] in ("security", "javascript"):
                self.faults.append(told["params"]["entry"]["text"])
