"""Ring's account services as a function: rotates tokens, forgets registrations, fails when told to."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import cast

import pytest

from ringlight.account import AccountClient, Credentials
from ringlight.errors import RingError
from ringlight.http.flow import Request, Response
from ringlight.http.scripted import ScriptedDriver
from ringlight.secrets import Secret
from ringlight.settings import Settings
from ringlight.store import MemoryTokenStore, Tokens, TokenStore

START = 1_700_000_000.0
LIFETIME = 3600
CREDENTIALS = Credentials("ada@ringlight.test", Secret("ringlight"), "123456")
DEVICES = {
    "doorbots": [{"id": 1001, "description": "Front Door", "kind": "doorbell_graham_cracker"}],
    "stickup_cams": [{"id": 1002, "description": "Back Yard", "kind": "cocoa_camera"}, {"id": "none"}],
    "chimes": [{"id": 1, "description": "Chime", "kind": "chime"}],
}


def said(status: int, body: object = None, headers: Mapping[str, str] | None = None) -> Response:
    return Response(status, headers or {}, json.dumps(body).encode())


class FakeRing:
    """Plays Ring, with a clock that tests move.

    Attributes:
        now: The time, in seconds since the epoch.
        generation: How often tokens were given; the pair in force is `access-n`, `refresh-n`.
        registered: Whether this installation is known; a request to `clients_api` is refused without.
        mark: Put into every secret.
        answers: Answers to give first, by step.
        asked: Requests by step.
        gate: When set, the token service has rotated but holds its answer until this is set.
        rotated: Set whenever the token service has rotated.
    """

    def __init__(self, mark: str = "") -> None:
        self.now = START
        self.generation = 0
        self.registered = False
        self.mark = mark
        self.answers: dict[str, list[Response]] = defaultdict(list)
        self.asked: dict[str, list[Request]] = defaultdict(list)
        self.gate: asyncio.Event | None = None
        self.rotated = asyncio.Event()
        self.wants_code = True
        self.driver = ScriptedDriver(self.answer)

    def client(self, store: TokenStore | None = None, *, credentials: Credentials | None = None) -> AccountClient:
        store = store or MemoryTokenStore(self.tokens())
        return AccountClient(Settings(), store, self.driver, clock=lambda: self.now, credentials=credentials)

    def tokens(self, *, expires_in: float = LIFETIME) -> Tokens:
        """Give a pair out of band, as an earlier process would have got it."""
        access, refresh = self._rotate()
        return Tokens(Secret(access), Secret(refresh), self.now + expires_in, "hw-1", "ada@ringlight.test")

    async def answer(self, request: Request) -> Response:
        self.asked[request.at].append(request)
        await asyncio.sleep(0)  # no pause, only another task's turn, as on a real network
        if self.answers[request.at]:
            return self.answers[request.at].pop(0)
        if request.at == "token":
            return await self._token(request)
        if request.bearer is None or request.bearer.reveal() != f"{self.mark}access-{self.generation}":
            return said(401, {"error": "bad token"})
        if request.at == "session":
            self.registered = True
            return said(200, {"profile": {"id": 4711, "email": "ada@ringlight.test"}})
        if not self.registered:
            return said(404, {"error": f"Session not found for {request.headers['hardware_id']}"})
        return said(200, {"ticket": f"{self.mark}ticket"} if request.at == "ticket" else DEVICES)

    async def _token(self, request: Request) -> Response:
        fields = cast("dict[str, object]", request.json)
        if fields["grant_type"] == "password":
            if fields["password"] != Secret(f"{self.mark}ringlight"):
                return said(401, {"error": "access_denied", "error_description": "invalid user credentials"})
            code = cast("Secret", request.headers["2fa-code"])
            if self.wants_code and not code:
                return said(412, {"tsv_state": "sms", "phone": "+1xxxxxxxx12"})
            if self.wants_code and code != Secret("123456"):
                return said(400, {"error": "Verification Code is invalid or expired"})
        elif fields["refresh_token"] != Secret(f"{self.mark}refresh-{self.generation}"):
            return said(401, {"error": "invalid_grant", "error_description": "Token was revoked"})
        access, refresh = self._rotate()
        self.rotated.set()
        if self.gate is not None:
            await self.gate.wait()
        return said(200, {"access_token": access, "refresh_token": refresh, "expires_in": LIFETIME})

    def _rotate(self) -> tuple[str, str]:
        self.generation += 1
        return f"{self.mark}access-{self.generation}", f"{self.mark}refresh-{self.generation}"


async def code_of(work: Callable[[], object]) -> str:
    with pytest.raises(RingError) as caught:
        await work()  # type: ignore[misc]
    return caught.value.code
