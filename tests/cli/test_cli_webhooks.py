"""`partner dead-letters` and `partner webhook-send`, and the server that takes webhooks once it has a key."""

import contextlib
import json
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx2
import pytest

from conftest import RINGLIGHT
from ringlight.faults import FAULTS
from ringlight.store.database import Database
from ringlight.store.inbox import Claim, Inbox, Put, Settle

pytestmark = pytest.mark.program
KEY = "c2ltLWhtYWMta2V5LWZvci1yaW5nbGlnaHQ="
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Run:
    def command(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(RINGLIGHT), "partner", *args], env={**environment, "RINGLIGHT_PARTNER__HMAC_KEYS": KEY}, cwd=tmp_path,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    return command


def test_what_is_no_address_is_named_as_the_argument_that_it_is(run: Run) -> None:
    sent = run("webhook-send", "my-app.example/ring/webhook")
    assert (sent.returncode, sent.stdout) == (2, "")
    assert "URL" in sent.stderr
    assert "ring_url" not in sent.stderr


def test_dead_letters_are_listed_replayed_and_dropped(run: Run, tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'state' / 'ringlight.db'}")
    inbox = Inbox(database)
    inbox.write([Put(f"r-{number}", "account", "device-EXAMPLE", "button_press", b"{}", 1.0) for number in (1, 2, 3)])
    inbox.write([Claim(number, "w") for number in (1, 2, 3)])
    inbox.write([Settle(number, "w", "dead", 6, problem="HOOK-HANDLER: KeyError") for number in (1, 2, 3)])
    listed, fault = run("dead-letters"), FAULTS["HOOK-HANDLER"]
    assert listed.stdout.splitlines()[0].split() == [
        "1", "button_press", "…XAMPLE", "6", "tries", "HOOK-HANDLER:", "KeyError",
    ]  # fmt: skip
    assert " ".join(listed.stderr.split()) == f"{fault.code}: {fault.title}. {fault.fix}", "once for all three"
    letters = json.loads(run("dead-letters", "list", "--json").stdout)["dead_letters"]
    assert [letter["request_id"] for letter in letters] == ["r-1", "r-2", "r-3"]
    assert run("dead-letters", "replay", "2").stdout == "1 to be handled again\n"
    assert [row.request_id for row in inbox.waiting(limit=9)] == ["r-2"]
    again = run("dead-letters", "drop", "2", "3")
    assert (again.returncode, again.stdout) == (1, "1 dropped\n")
    assert run("dead-letters", "replay").returncode == 2
    database.close()


def test_the_server_takes_webhooks_by_their_signature_alone(
    start: Callable[..., object], run: Run, tmp_path: Path
) -> None:
    """They come to the public name, without a key of the server; every other address stays as it is."""
    database = f"sqlite:///{tmp_path / 'hooks.db'}"  # the demo's own goes with it
    server = start("demo", "--port", "0", RINGLIGHT_PARTNER__HMAC_KEYS=f"old,{KEY}", RINGLIGHT_DATABASE_URL=database)
    url = f"{server.url}ring/webhook"  # type: ignore[attr-defined]
    sent = run("webhook-send", url, "--json")
    assert (sent.returncode, json.loads(sent.stdout)["outcome"]) == (0, "delivered")
    stranger = {"Host": "app.example.org", "Content-Type": "application/json"}
    with httpx2.Client(trust_env=False) as web:
        refused = web.post(url, headers=stranger, content=b"{}")
        assert (refused.status_code, refused.json()["code"]) == (401, "HOOK-UNSIGNED")
        assert web.get(server.url, headers=stranger).status_code == 403  # type: ignore[attr-defined]
    with contextlib.closing(Database(database)) as opened:
        assert Inbox(opened).counts() in ({"done": 1}, {"waiting": 1})


def test_an_address_where_nobody_is_is_a_fault(run: Run) -> None:
    gone = run("webhook-send", "http://127.0.0.1:9/ring/webhook")
    assert (gone.returncode, gone.stdout) == (1, "")
    assert gone.stderr.startswith("NET-UNREACHABLE")


@pytest.fixture
def answering() -> Iterator[Callable[[int, Mapping[str, str]], str]]:
    """A receiver that answers everything with one status and one set of fields; 0 is silence."""
    with contextlib.ExitStack() as end:

        def begin(status: int, fields: Mapping[str, str]) -> str:
            ended = threading.Event()

            class Receiver(BaseHTTPRequestHandler):
                def do_POST(self) -> None:
                    self.rfile.read(int(self.headers["Content-Length"]))
                    if status == 0:
                        ended.wait(60)
                        return
                    self.send_response(status)
                    for name, value in {**fields, "Content-Length": "0"}.items():
                        self.send_header(name, value)
                    self.end_headers()

                def log_message(self, *_: object) -> None:
                    """Say nothing."""

            server = end.enter_context(HTTPServer(("127.0.0.1", 0), Receiver))
            threading.Thread(target=server.serve_forever, daemon=True).start()
            end.callback(server.shutdown)
            end.callback(ended.set)
            return f"http://127.0.0.1:{server.server_port}/hook"

        yield begin


@pytest.mark.parametrize(
    ("status", "fields", "code"),
    [
        (404, {}, "HOOK-LOST"),
        (429, {"Retry-After": "60"}, "HOOK-LOST"),
        (500, {}, "HOOK-FAILING"),
        (503, {"Retry-After": "1"}, "HOOK-FAILING"),
        (301, {"Location": "/elsewhere"}, "HOOK-REDIRECT"),
        (302, {"Location": "/elsewhere"}, "HOOK-REDIRECT"),
        (307, {"Location": "/elsewhere"}, "HOOK-REDIRECT"),
        (304, {}, "HOOK-REDIRECT"),
    ],
)
def test_an_answer_that_ring_would_not_take_is_told_with_its_fault(
    run: Run, answering: Callable[[int, Mapping[str, str]], str], status: int, fields: Mapping[str, str], code: str
) -> None:
    """What Ring makes of it stays on stdout, for those who read it by a program."""
    url = answering(status, fields)
    sent, by_json = run("webhook-send", url), run("webhook-send", url, "--json")
    assert (sent.returncode, by_json.returncode) == (1, 1)
    assert sent.stdout.startswith(f"answered {status} in ")
    assert json.loads(by_json.stdout)["status"] == status
    for said in (sent.stderr, by_json.stderr):
        assert said.startswith(f"{code}: {FAULTS[code].title}"), said
        assert f"HTTP {status}" in said
        assert "rooms.webhook_url" not in said  # that is for webhooks of our own


def test_a_receiver_that_is_silent_is_late(run: Run, answering: Callable[[int, Mapping[str, str]], str]) -> None:
    sent = run("webhook-send", answering(0, {}))
    assert (sent.returncode, sent.stdout) == (1, "no answer: Ring would retry in 1 s\n")
    assert sent.stderr.startswith(f"HOOK-LATE: {FAULTS['HOOK-LATE'].title}"), sent.stderr
