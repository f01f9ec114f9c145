"""A web server of somebody else: it has the files of the rooms' client, as an npm package puts them there."""

import contextlib
import socketserver
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler

from ringlight.web import PAGE


@contextlib.contextmanager
def another_program(*, lets_read: bool = True) -> Iterator[int]:
    """Serve; yield the port. There is nothing of our server's, and no WebSocket.

    Args:
        lets_read: Whether pages of other origins may read its answers.
    """

    class Files(SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(PAGE.parent))  # type: ignore[arg-type]

        def translate_path(self, path: str) -> str:
            return super().translate_path(path.replace("/rooms-page/", "/rooms/"))

        def end_headers(self) -> None:
            if lets_read:
                self.send_header("Access-Control-Allow-Origin", "*")
            super().end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's word
            pass

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Files) as program:
        threading.Thread(target=program.serve_forever, args=(0.05,), daemon=True).start()
        yield int(program.server_address[1])
        program.shutdown()
