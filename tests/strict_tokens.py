"""A token service as hard as they come: a refresh token works once, and who shows a spent one loses the link."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from ringlight.http.flow import Request, Response
from ringlight.secrets import Secret

LIFETIME = 14_400.0


class StrictTokens:
    """The rules, without a network.

    Attributes:
        fair: The former refresh token works until something of the new pair has been used, so that an answer may
            get lost on its way; otherwise it is dead with the answer.
        refreshes: How often a pair was given.
        now: The service's clock, in seconds since the epoch.
        mark: What every token begins with.
        lost: Somebody has shown a spent token, so everything is revoked.
    """

    def __init__(self, *, fair: bool = False, now: float = 1_795_250_000.0, mark: str = "") -> None:
        self.fair = fair
        self.now = now
        self.mark = mark
        self.refreshes = 0
        self.lost = False
        self._number = 1
        self._pending: int | None = None  # the pair before, which still works in fairness
        self._guard = threading.Lock()

    def token(self, kind: str, number: int) -> Secret:
        return Secret(f"{self.mark}{kind}-{number}")

    def revoke(self) -> None:
        """The account's owner removes the app."""
        self.lost = True

    def answer(self, request: Request) -> Response:
        form = {
            name: value.reveal() if isinstance(value, Secret) else value for name, value in (request.form or {}).items()
        }
        return self.refresh(form.get("refresh_token", ""))

    def refresh(self, shown: str) -> Response:
        with self._guard:
            good = {self._number} | ({self._pending} if self._pending else set())
            number = next((one for one in good if shown == self.token("refresh", one).reveal()), None)
            if number is None or self.lost:
                self.lost = True
                return self._said(400, {"error": "invalid_grant"})
            self.refreshes += 1
            self._pending = number if self.fair else None
            self._number += 1
            pair = {"access_token": self.token("access", self._number).reveal()}
            pair |= {"refresh_token": self.token("refresh", self._number).reveal()}
            return self._said(200, pair | {"expires_in": LIFETIME, "token_type": "Bearer"})

    def exchange(self, code: str) -> Response:
        """Give the first pair for the code `good-code`."""
        if code != "good-code":
            return self._said(400, {"error": "invalid_grant"})
        pair = {"access_token": self.token("access", 1).reveal(), "refresh_token": self.token("refresh", 1).reveal()}
        return self._said(200, pair | {"expires_in": LIFETIME, "token_type": "Bearer"})

    def works(self, access: str) -> bool:
        """Whether a call with this token succeeds; with the newest one that ends the fairness."""
        with self._guard:
            if not self.lost and access == self.token("access", self._number).reveal():
                self._pending = None
                return True
            return False

    def _said(self, status: int, body: object) -> Response:
        headers = {"Content-Type": "application/json", "Date": formatdate(self.now, usegmt=True)}
        return Response(status, headers, json.dumps(body).encode())


@contextmanager
def on_the_network(tokens: StrictTokens) -> Iterator[str]:
    """Put it behind a real socket; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            tokens.now = time.time()  # whoever asks lives by the real clock
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            code = form.get("code")
            answer = tokens.exchange(code[0]) if code else tokens.refresh(form["refresh_token"][0])
            self.send_response_only(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
