"""`python -m station.cameras.tethered.worker gphoto2|drawn FOLDER`: drives one camera over one connection.

It ends when the connection does, and is ended when a call does not return; the agent starts another.
"""

import argparse
import os
import queue
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

from station.cameras import jpeg
from station.cameras.tethered import bodies, wire

_POLL_S = 0.02
#: So often the agent hears from us when nothing happens.
_ALIVE_EVERY_S = 0.2
_STATUS_EVERY_S = 20.0
#: So long the camera may take to be let go of once the agent is gone: a call that does not return must not hold it.
_FAREWELL_S = 1.0


class Worker:
    """Serves requests as they come and listens to the camera in between."""

    def __init__(self, body: bodies.Body, out: BinaryIO) -> None:
        self._body, self._out = body, out
        self._requests: queue.SimpleQueue[wire.Message | None] = queue.SimpleQueue()
        self._status_due = self._alive_due = 0.0
        #: When it was looked for events last: what is told of by then was taken before.
        self._looked_ns = 0

    def hear(self, source: BinaryIO) -> None:
        """Read requests until the agent is gone, and end with it. On a thread of its own."""
        while (message := wire.read(source)) is not None:
            self._requests.put(message)
        self._requests.put(None)
        time.sleep(_FAREWELL_S)
        os._exit(1)

    def run(self) -> int:
        """Until the agent is gone (0) or the connection is (1)."""
        try:
            self._open()
            while self._turn():
                pass
        except bodies.LibraryError as error:
            self._fault(error)
            return 1
        self._body.close()
        return 0

    def _open(self) -> None:
        # Listed first: what is photographed from here on comes as an event, so that nothing falls in between.
        identity = self._body.open()
        self._looked_ns = time.monotonic_ns()
        card = self._body.card()
        self._say("open", asdict(identity), wire.listing(card))

    def _turn(self) -> bool:
        self._tell_status()
        self._look(_POLL_S)
        while not self._requests.empty():
            request = self._requests.get()
            if request is None:
                return False
            self._serve(request)
        if time.monotonic() >= self._alive_due:
            self._tell_alive()
        return True

    def _look(self, wait_s: float) -> None:
        began_ns = time.monotonic_ns()
        for event in self._body.events(wait_s):
            if isinstance(event, bodies.Added):
                times = {"told_ns": time.monotonic_ns(), "looked_ns": self._looked_ns}
                self._say("added", {**asdict(event.entry), **times})
            else:
                self._say("fault", {"fault": "full", "detail": "event", "holder": "", "step": "events"})
        self._looked_ns = began_ns

    def _tell_alive(self) -> None:
        self._alive_due = time.monotonic() + _ALIVE_EVERY_S
        self._say("alive", {"looked_ns": self._looked_ns})

    def _serve(self, request: wire.Message) -> None:
        try:
            match request.says:
                case "trigger":
                    # Whatever becomes of it: what was taken before is told of before.
                    self._look(0.0)
                    self._tell_alive()
                    self._body.trigger()
                    self._say("triggered")
                case "fetch":
                    self._fetch(wire.entry(request.fields))
                case "preview":
                    self._say("preview", payload=self._body.preview())
        except bodies.LibraryError as error:
            if error.fault not in bodies.PASSING:
                raise
            self._fault(error, request.says)

    def _fetch(self, entry: bodies.Entry) -> None:
        content = self._body.fetch(entry)
        settled = len(content) == entry.size and jpeg.ends_there(content)
        now = entry if settled else self._body.look(entry)
        self._say("file", {**asdict(entry), "now": asdict(now)}, content)

    def _tell_status(self) -> None:
        if time.monotonic() < self._status_due:
            return
        self._status_due = time.monotonic() + _STATUS_EVERY_S
        try:
            status = self._body.status()
        except bodies.LibraryError as error:
            if error.fault != "unsupported":
                raise
            return  # this body does not tell how it is
        self._say("status", asdict(status))

    def _fault(self, error: bodies.LibraryError, step: str = "") -> None:
        self._say("fault", {"fault": error.fault, "detail": str(error), "holder": error.holder, "step": step})

    def _say(self, says: str, fields: dict[str, object] | None = None, payload: bytes = b"") -> None:
        self._out.write(wire.Message(says, fields or {}, payload).encoded())
        self._out.flush()


def body_for(kind: str, folder: Path, port: str | None) -> bodies.Body:
    """The camera to drive, with the folder's script of faults before it if there is one."""
    from station.cameras.tethered import faulty

    if kind == "gphoto2":
        from station.cameras.tethered import gphoto  # loads libgphoto2, or the virtual camera if VCAMERADIR says so

        return faulty.scripted(gphoto.GphotoBody(port), folder)
    from station.cameras.tethered import drawn

    return faulty.FaultyBody(drawn.DrawnBody(folder), folder)


def main() -> int:
    """Drive the camera that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m station.cameras.tethered.worker")
    parser.add_argument("kind", choices=("gphoto2", "drawn"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port")
    arguments = parser.parse_args()
    # What a C library prints must not get between the messages.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    worker = Worker(body_for(arguments.kind, arguments.folder, arguments.port), out)
    threading.Thread(target=worker.hear, args=(sys.stdin.buffer,), daemon=True).start()
    try:
        return worker.run()
    except BrokenPipeError:
        return 0  # the agent is gone


if __name__ == "__main__":
    # Not sys.exit: a thread still reads standard input, and nothing here needs tidying up.
    os._exit(main())
