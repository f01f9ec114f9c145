"""People and Ring around an app that links accounts: its process, its pages, and the simulator's buttons."""

import html
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import httpx2
from linked_app import Order

from ringlight.testing import SimulatedRing

PROGRAM = Path(__file__).with_name("linked_app.py")
PASSWORD = "open sesame"


class AppProcess:
    """The app. `start` begins another process of it, with the same database and address."""

    def __init__(self, database: str, ring: SimulatedRing) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.database = database
        self.ring = ring
        self.number = 0
        self._parent = subprocess.Popen([sys.executable, str(PROGRAM)], stdin=-1, stdout=-1, text=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/ring"

    def start(self, die_before: int = -1) -> None:
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write(Order(self.database, self.ring.url, self.port, die_before).line())
        self._parent.stdin.flush()
        self.number = int(self._parent.stdout.readline())
        assert self.number, "the app could not begin; its stderr says why"

    @property
    def is_alive(self) -> bool:
        try:
            os.kill(self.number, 0)
        except ProcessLookupError:
            return False
        return True

    def kill(self) -> None:
        if self.number and self.is_alive:
            os.kill(self.number, signal.SIGKILL)
            while self.is_alive:
                pass

    def close(self) -> None:
        self.kill()
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.close()
        self._parent.wait(10)
        self._parent.stdout.close()


class People:
    """Plain HTTP, as browsers and Ring's app send it."""

    def __init__(self, ring: SimulatedRing) -> None:
        self.ring = ring
        self.web = httpx2.Client(trust_env=False, timeout=90)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.web.close()

    def press(self, button: str, **body: Any) -> Any:
        answer = self.web.post(f"{self.ring.url}/_sim/partner/{button}", json=body)
        return answer.json() if answer.content else None

    def enter(self, base: str, *, one_way: bool = True) -> None:
        answer = self.web.put(f"{self.ring.url}/_sim/partner/app", json={"base": base, "one_way": one_way})
        assert answer.status_code == 200

    def status(self, account: str = "ada") -> str | None:
        link = self.ring.world.partner.links.get(account)
        return link.status if link else None

    def sign_in(self, address: str, name: str = "maria@shop.example", password: str = PASSWORD) -> Any:
        """Open a page, fill in its form and send it."""
        page = self.web.get(address)
        if page.status_code != 200:
            return page
        fields = {
            found[1]: html.unescape(found[2])
            for found in re.finditer(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text)
        }
        return self.web.post(address, data={**fields, "name": name, "password": password})


def code_of(page: Any) -> str | None:
    found = re.search(r'data-code="([A-Z-]+)"', page.text)
    return found[1] if found else None


def state_of(page: Any) -> str | None:
    found = re.search(r'data-state="(\w+)"', page.text)
    return found[1] if found else None
