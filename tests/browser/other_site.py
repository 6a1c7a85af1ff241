"""Another web site: small pages on a name that is not ours."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import override


class OtherSite:
    """Pages at `url`; the name makes it another site than `127.0.0.1`, whatever the port."""

    def __init__(self, port: int) -> None:
        self.url = f"http://localhost:{port}"
        self.pages: dict[str, str] = {}

    def show(self, path: str, body: str) -> str:
        """Put a page there; give its URL."""
        self.pages[path] = f'<!doctype html><link rel="icon" href="data:,"><title>Other site</title>{body}'
        return self.url + path


@contextmanager
def serve_other_site() -> Iterator[OtherSite]:
    """Serve another site until this is left."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler({})) as server:
        site = OtherSite(server.server_port)
        server.RequestHandlerClass = _handler(site.pages)
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()


def _handler(pages: Mapping[str, str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = pages.get(self.path)
            body = (page or "Not found").encode()
            self.send_response(200 if page else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler
