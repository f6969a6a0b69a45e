"""A store that was written before object lock and encryption: as much of S3 as a start asks for."""

import contextlib
import http.server
import threading
from collections.abc import Iterator

_HEADERS = {"x-amz-bucket-object-lock-enabled": "bucket with lock", "x-amz-server-side-encryption": "object encrypted"}


class OldStore(http.server.BaseHTTPRequestHandler):
    """It writes down what is put. `refusal` answers a PUT that it does not know; `takes` names those that it does."""

    protocol_version = "HTTP/1.1"
    asked: list[str]
    refusal: int
    code: str
    takes: frozenset[str]

    def do_HEAD(self) -> None:
        self._answer(404)

    def do_GET(self) -> None:
        if "?encryption" in self.path:
            self._answer(404, "ServerSideEncryptionConfigurationNotFoundError")
        else:
            self._answer(501, "NotImplemented")

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.asked.append(self._wish())
        self._answer(200) if self.asked[-1] in self.takes else self._refuse()

    def do_DELETE(self) -> None:
        self._refuse() if self.code == "AccessDenied" else self._answer(204)

    def _wish(self) -> str:
        if "?encryption" in self.path:
            return "rule"
        of = next((words for name, words in _HEADERS.items() if self.headers.get(name)), None)
        return of or ("object" if self.path.count("/") > 1 else "bucket")

    def _refuse(self) -> None:
        self._answer(self.refusal, self.code)

    def _answer(self, status: int, code: str = "") -> None:
        body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode() if code else b""
        self.send_response(status)
        self.send_header("content-type", "application/xml")
        self.send_header("etag", '"0"')
        if status != 204:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if self.command != "HEAD" else b"")

    def log_message(self, *_: object) -> None:
        """Nothing on the test's output."""


@contextlib.contextmanager
def old_store(
    refusal: int = 501, code: str = "NotImplemented", takes: frozenset[str] = frozenset({"bucket", "object", "rule"})
) -> Iterator[tuple[str, list[str]]]:
    """Such a store's URL, and what it was asked to take."""
    asked: list[str] = []
    handler = type("Handler", (OldStore,), {"asked": asked, "refusal": refusal, "code": code, "takes": takes})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://key:secret@127.0.0.1:{server.server_port}/bucket", asked
        server.shutdown()
        thread.join()
