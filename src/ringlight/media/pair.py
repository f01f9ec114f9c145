"""One pair of addresses of ICE on a connection of its own: checks, nomination, consent. Pure.

For TCP, where what is sent arrives or the connection ends: no check is ever sent twice for loss
(RFC 6544 section 7.1). UDP towards cameras is aioice's.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from ringlight.media import stun

CHECK_EVERY = 1.0  # seconds between checks until one is answered
CHECK_LIMIT = 10.0  # seconds for the first answer; who says nothing for so long will say nothing
CONSENT_EVERY = 5.0  # seconds, times 0.8 to 1.2 (RFC 7675 section 5.1)
CONSENT_LIMIT = 30.0  # seconds without a signed answer after which we may send no more (the same)


@dataclass(slots=True)
class Pair:
    """One connection to the other side, from the first check to the end of consent.

    Attributes:
        ufrag: Our ICE user fragment.
        pwd: Our ICE password.
        controlling: Whether we made the offer, and so choose the pair.
        priority: What our checks carry.
        tie_breaker: 64 bits.
        address: Of the other side, as we see it.
        new_id: Makes so many bytes that nobody can guess.
        born: When the connection opened, on the clock of `now`.
        trusted: Whether the other side has shown that it knows our password.
        valid: Whether the other side has answered a check of ours.
        nominated: Whether this is the pair to use.
        failed: Whether the other side refuses it, or is silent for too long.
    """

    ufrag: str
    pwd: str
    controlling: bool
    priority: int
    tie_breaker: int
    address: tuple[str, int]
    new_id: Callable[[int], bytes]
    born: float
    trusted: bool = False
    valid: bool = False
    nominated: bool = False
    failed: bool = False
    _remote: tuple[str, str] | None = None
    _asked: dict[bytes, bool] = field(default_factory=dict)
    _next: float = 0.0
    _answered: float = 0.0
    wanted: bool = False

    def begin(self, ufrag: str, pwd: str, now: float) -> list[bytes]:
        """Send the first check: the other side's fragment and password are known."""
        if self._remote is not None:
            return []
        self._remote, self._answered = (ufrag, pwd), now
        return [self._check(now)]

    def nominate(self, now: float) -> list[bytes]:
        """Choose this pair, where we control; it counts when the other side has answered."""
        if not (self.controlling and self.valid) or self.wanted:
            return []
        self.wanted = True
        return [self._check(now)]

    def receive(self, data: bytes, now: float) -> list[bytes]:
        """Take a message of STUN; return what to send."""
        request = stun.parse_request(data)
        if request is not None:
            return [self._answer(request)]
        response = stun.parse_response(data)
        if response is not None:
            self._learn(response, now)
        return []

    def tick(self, now: float) -> list[bytes]:
        """Do what time asks for; call about twice a second."""
        if self._remote is None or self.failed:
            return []
        if now - self._answered >= (CONSENT_LIMIT if self.valid else CHECK_LIMIT):
            self.failed = True
            return []
        return [self._check(now)] if now >= self._next else []

    def _check(self, now: float) -> bytes:
        ufrag, pwd = self._remote or ("", "")
        identifier = self.new_id(12)
        self._asked[identifier] = self.wanted
        while len(self._asked) > 8:  # an answer to an older one says nothing about now
            del self._asked[next(iter(self._asked))]
        pause = CONSENT_EVERY * (0.8 + 0.4 * self.new_id(1)[0] / 255) if self.valid else CHECK_EVERY
        self._next = now + pause
        return stun.request(
            identifier, f"{ufrag}:{self.ufrag}", pwd, priority=self.priority, tie_breaker=self.tie_breaker,
            controlling=self.controlling, nominates=self.wanted and self.controlling,
        )  # fmt: skip

    def _answer(self, request: stun.Request) -> bytes:
        if request.username.partition(":")[0] != self.ufrag or not request.is_signed_with(self.pwd):
            return stun.error(request.transaction, 401, "Unauthorized")
        self.trusted = True
        if request.nominates and not self.controlling:
            self.wanted = True
            self.nominated |= self.valid
        return stun.success(request.transaction, self.pwd, self.address)

    def _learn(self, response: stun.Response, now: float) -> None:
        asked = self._asked.pop(response.transaction, None)
        if asked is None or self._remote is None:
            return
        if response.error is not None or not response.is_signed_with(self._remote[1]):
            # 401 may mean that the other side has not read our offer yet: the next check will tell. After that an
            # unsigned refusal could be anybody's, but on TCP only who is on the way can write here at all.
            return
        self.valid, self._answered = True, now
        self.nominated |= asked if self.controlling else self.wanted
