"""A broker on loopback that answers what it is told to, whatever it is asked, and keeps what it was asked."""

from __future__ import annotations

import socket
import struct
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from brokerlink.outbound import Answer

# A text is a fault of the wire; whatever comes when nothing is lined up is reset too.
_FAULTS: Final = {
    "oversized": Answer(200, {}, b"x" * 70_000),
    "encoding": Answer(200, {"content-encoding": "gzip"}, b"no gzip"),
}


class BrokerServer:
    """Answers each request with the next answer that is lined up. `heard` are the methods and texts of requests."""

    def __init__(self) -> None:
        self._answers: deque[Answer | str] = deque()
        self.heard: deque[tuple[str, str]] = deque()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://localhost:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def tell(self, *answers: Answer | str) -> None:
        """Line up answers, in the place of those that are left; a text is `reset`, `oversized` or `encoding`."""
        self._answers.clear()
        self._answers.extend(answers)

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answers, heard = self._answers, self.heard

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                heard.append((self.command, f"{self.path} {dict(self.headers.items())} {body.decode()}"))
                answer = answers.popleft() if answers else "reset"
                if answer == "reset":
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.connection.close()
                    self.close_connection = True
                    return
                told = answer if isinstance(answer, Answer) else _FAULTS[answer]
                self.send_response(told.status)
                for name, value in told.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(told.body)))
                self.end_headers()
                self.wfile.write(told.body)

            do_GET = do_POST  # noqa: N815 - the same

            def log_message(self, *_: Any) -> None:
                pass

        return Handler
