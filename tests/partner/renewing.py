"""Renews links in processes that can be killed: imported once, forked for each order that comes by stdin.

An order is a line of JSON; see `Order`. The answer is a line of JSON for each of its children: the signal or code
with which it ended, and what it said.
"""

import dataclasses
import http.client
import importlib
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from ringlight.errors import RingError
from ringlight.http.flow import Response
from ringlight.partner.call import Call
from ringlight.partner.keeping import LinkKeeper
from ringlight.partner.link import Link, Moment
from ringlight.partner.token_calls import App, Grant, ask
from ringlight.resilience.actions import Bearer
from ringlight.secrets import Secret
from ringlight.store import PairStore, TokenPair, open_pairs

# Imported before the children are born, who else would each do it for themselves.
BEFORE: tuple[str, ...] = (
    "ringlight.store.pair_database",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite",
)
BEFORE += ("psycopg", "ringlight.store.pair_file")


@dataclasses.dataclass
class Order:
    """What a child does.

    Attributes:
        store: The address of the store.
        url: The token service's.
        account: Whose tokens.
        children: How many do the same at once.
        die_before: Of the things a renewal does to disk and network, the one before which it is killed; -1: none.
        skew: Seconds by which the child's wall clock is wrong.
        again: Renew on and on, until killed from outside after this many seconds; 0: once.
    """

    store: str
    url: str
    account: str = "ada"
    children: int = 1
    die_before: int = -1
    skew: float = 0.0
    again: float = 0.0


def send(url: str, call: Call[Grant]) -> Grant:
    where = urlsplit(url)
    form = {n: v.reveal() if isinstance(v, Secret) else v for n, v in (call.request.form or {}).items()}
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=30)
    try:
        connection.request(
            "POST", "/oauth/token", urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"}
        )
        answer = connection.getresponse()
        response = Response(answer.status, dict(answer.getheaders()), answer.read())
    finally:
        connection.close()
    flow = ask(call)
    next(flow)
    try:
        flow.send(response)
    except StopIteration as end:
        grant: Grant = end.value
        return grant
    raise AssertionError("it asked twice")


class Mortal:
    """Counts what is done, and kills the process before a certain one."""

    def __init__(self, left: int) -> None:
        self.left = left

    def step(self) -> None:
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1

    def wrap(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.step()
            done = real(*args, **kwargs)
            self.step()
            return done

        return call


def _whole(came: Bearer | RingError) -> Bearer:
    if isinstance(came, RingError):
        raise came
    return came


def child(order: Order, start: int) -> None:
    store: PairStore = open_pairs(order.store)
    store.accounts()  # opened and migrated
    mortal = Mortal(order.die_before)
    if order.die_before >= 0:
        for name in ("read", "write", "lock"):
            setattr(store, name, mortal.wrap(getattr(store, name)))
        for module, names in ((tempfile, ["mkstemp"]), (os, ["fdopen", "fsync", "replace", "close"])):
            for name in names:
                setattr(module, name, mortal.wrap(getattr(module, name)))
    ask_for = mortal.wrap(lambda call: send(order.url, call))
    link = Link(order.account, App("client-1", Secret("secret")))
    keeper = LinkKeeper(link, store, ask_for, clock=lambda: Moment(time.monotonic(), time.time() + order.skew))
    os.read(start, 1)  # ends when the parent closes the other side: all begin at once
    try:
        bearer = _whole(keeper.bearer(60.0))
        while order.again:
            keeper.rejected(bearer.id)
            bearer = _whole(keeper.bearer(60.0))
        said = {"token": bearer.token.reveal(), "id": bearer.id}
    except RingError as error:
        said = {"error": error.code, "detail": error.detail}
    sys.stdout.write(json.dumps(said) + "\n")


def serve() -> None:
    for line in sys.stdin:
        order = Order(**json.loads(line))
        start, begin = os.pipe()
        born: dict[int, int] = {}
        for _ in range(order.children):
            out, into = os.pipe()
            number = os.fork()
            if number == 0:
                os.close(begin)
                os.dup2(into, 1)
                sys.stdout = os.fdopen(1, "w")
                child(order, start)
                sys.stdout.flush()
                os._exit(0)
            os.close(into)
            born[number] = out
        os.close(start)
        os.close(begin)
        if order.again:
            time.sleep(order.again)
            for number in born:
                os.kill(number, signal.SIGKILL)
        ended = []
        for number, out in born.items():
            with os.fdopen(out) as said:
                text = said.read()
            ended.append({"status": os.waitpid(number, 0)[1], **(json.loads(text) if text else {})})
        sys.stdout.write(json.dumps(ended) + "\n")
        sys.stdout.flush()


def first_pair(address: str, access: Secret, refresh: Secret, *, account: str = "ada") -> None:
    """Put a pair into a store that has expired long ago."""
    store = open_pairs(address)
    if not store.write(account, TokenPair(access, refresh, 1000.0, 15_400.0), over=None):
        raise AssertionError("there is one already")
    store.close()


if __name__ == "__main__":
    for name in BEFORE:
        importlib.import_module(name)
    serve()
