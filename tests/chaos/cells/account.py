"""Cells of a person's own account and cameras: what Ring may answer besides, met by client, server, command, doctor."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

from scenes.account_home import EVENT, Home, home
from scenes.account_page import taken_meanwhile
from scenes.account_runs import RUNS
from troubles.bent_ring import HOTEL, Instead

from cells import Cell, Lab, Met

Happens = Callable[[Home], Awaitable[None] | None]
ASKERS = frozenset({Met.VIEW, Met.API, Met.COMMAND})
ALL = ASKERS | {Met.DOCTOR, Met.PAGE}


@dataclass(frozen=True)
class AccountTrouble:
    """What goes wrong between somebody who has signed in and Ring.

    Attributes:
        what: In words.
        code: The fault.
        ask: What is asked, of `ASKS`.
        instead: What Ring answers.
        on: Switches.
        happens: What else has happened before.
        mend: What mends it, besides that Ring answers well again.
        met: Who meets it here; others have cells elsewhere.
        given: Settings.
        is_lasting: Whether asking again is no use, as it was asked for what is not there.
    """

    what: str
    code: str
    ask: str = "cameras"
    instead: tuple[Instead, ...] = ()
    on: tuple[str, ...] = ()
    happens: Happens | None = None
    mend: Happens | None = None
    met: frozenset[Met] = ALL
    given: dict[str, Any] = field(default_factory=dict)
    is_lasting: bool = False

    def setting(self, lab: Lab) -> AbstractAsyncContextManager[Home]:
        """Ring, and who has signed in to it."""
        return home(lab, **self.given)

    async def begin(self, at: Home) -> None:
        """Let it happen."""
        at.bent.instead[:] = self.instead
        at.world.switch(list(self.on))
        await _do(self.happens, at)

    async def end(self, at: Home) -> None:
        """Mend it."""
        at.bent.instead.clear()
        at.world.switch([])
        await _do(self.mend, at)


async def _do(what: Happens | None, at: Home) -> None:
    if what is not None:
        done = what(at)
        if done is not None:
            await done


def _revoked(at: Home) -> None:
    at.world.tokens.clear()


def _signed_out(at: Home) -> None:
    (at.settings.state_dir / "tokens.json").unlink()


def _access_ended(at: Home) -> None:
    at.access_ends()


def _no_stills(at: Home) -> None:
    at.world.takes_stills = False


def _stills(at: Home) -> None:
    at.world.takes_stills = True


def _deaf_to(method: str) -> Happens:
    def happens(at: Home) -> None:
        at.world.eats = method

    return happens


def _sign_in(at: Home) -> Awaitable[None]:
    return at.sign_in()


TOKEN, LIST, LISTS = r"^/oauth/token$", "/ring_devices$", "/(ring_devices|device_info/v3/devices)$"
WAIT = {"Retry-After": "1"}
NO_NAME = {"profile": {"email": "ada@ringlight.test"}}
ACCOUNT_TROUBLES = (
    AccountTrouble("the sign-in was revoked", "AUTH-LINK-LOST", happens=_revoked, mend=_sign_in,
                   met=ALL - {Met.COMMAND, Met.DOCTOR}),
    AccountTrouble("nobody is signed in", "AUTH-SIGNED-OUT", happens=_signed_out, mend=_sign_in,
                   met=ALL - {Met.COMMAND, Met.DOCTOR}),
    AccountTrouble("tokens asked for too often", "AUTH-RATE", instead=(Instead(TOKEN, 429, {}, WAIT),),
                   happens=_access_ended, met=ALL - {Met.COMMAND}),
    AccountTrouble("too many registrations", "AUTH-RATE", instead=(Instead("/session$", 429, {}, WAIT),),
                   met=frozenset({Met.VIEW, Met.API})),
    AccountTrouble("the token service is down", "AUTH-UNAVAILABLE", instead=(Instead(TOKEN, 503),),
                   happens=_access_ended),
    AccountTrouble("a hotel's page for tokens", "AUTH-ANSWER", instead=(Instead(TOKEN, 200, HOTEL),),
                   happens=_access_ended, met=frozenset({Met.VIEW, Met.DOCTOR})),
    AccountTrouble("an access token that is refused all the same", "AUTH-TOKEN",
                   instead=(Instead("/clients_api/", 401),)),
    AccountTrouble("a registration that is never kept", "ACCOUNT-SESSION", on=("session-denied",),
                   met=frozenset({Met.VIEW, Met.DOCTOR})),
    AccountTrouble("a registration that names no account", "ACCOUNT-ID", "id",
                   instead=(Instead("/session$", 201, NO_NAME),), met=frozenset({Met.VIEW})),
    AccountTrouble("the list is forbidden", "ACCOUNT-FORBIDDEN", instead=(Instead(LIST, 403),)),
    AccountTrouble("a hotel's page for the list", "ACCOUNT-ANSWER", instead=(Instead(LISTS, 200, HOTEL),)),
    AccountTrouble("there is no list any more", "ACCOUNT-ANSWER", instead=(Instead(LISTS, 404),),
                   met=frozenset({Met.VIEW, Met.API})),
    AccountTrouble("the list was asked for too often", "RING-RATE", instead=(Instead(LIST, 429, {}, WAIT),),
                   met=frozenset({Met.COMMAND, Met.DOCTOR})),
    AccountTrouble("the list's service is down", "RING-DOWN", instead=(Instead(LIST, 503),),
                   met=frozenset({Met.DOCTOR, Met.API})),
    AccountTrouble("a hotel's page for the ticket", "TICKET-ANSWER", on=("ticket-not-json",),
                   met=frozenset({Met.DOCTOR})),
    AccountTrouble("a body is wanted", "RING-BODY", "light", instead=(Instead("/floodlight_light_on$", 422),)),
    AccountTrouble("the camera was removed meanwhile", "CAM-GONE", "light",
                   instead=(Instead("/floodlight_light_on$", 404),)),
    AccountTrouble("the camera was removed meanwhile, its history", "CAM-GONE", "history",
                   instead=(Instead("/history$", 404),), met=ASKERS),
    AccountTrouble("a camera that is none", "CAM-UNKNOWN", "nobody", met=frozenset({Met.VIEW, Met.PAGE}),
                   is_lasting=True),
    AccountTrouble("a camera that cannot turn", "CAM-NO-PTZ", "turn a door", met=frozenset({Met.VIEW}),
                   is_lasting=True),
    AccountTrouble("a camera without a siren", "CAM-UNABLE", "siren", met=ASKERS, is_lasting=True),
    AccountTrouble("the camera does not answer", "CAM-COMMAND", "turn", happens=_deaf_to("rpc"), mend=_deaf_to("")),
    AccountTrouble("sound is switched off", "CAM-NO-TALK", "talk", given={"live_view": {"audio": False}}, met=ASKERS,
                   is_lasting=True),
    AccountTrouble("somebody else talks", "CAM-TALK-BUSY", "talk too", met=frozenset({Met.VIEW, Met.API}),
                   is_lasting=True),
    AccountTrouble("the camera takes no picture", "CAM-SNAPSHOT", "still", happens=_no_stills, mend=_stills),
    AccountTrouble("the recording is gone", "CAM-RECORDING", "recording",
                   instead=(Instead(f"/dings/{EVENT}/", 404),), met=frozenset({Met.VIEW, Met.PAGE})),
)  # fmt: skip


# The doctor lists cameras and opens the signaling; it tells no camera anything.
UNASKED = {Met.DOCTOR: frozenset({"light", "history", "turn", "still", "recording"})}


def account_cells() -> Iterator[Cell]:
    for trouble in ACCOUNT_TROUBLES:
        for met in sorted(trouble.met, key=lambda one: one.value):
            if trouble.ask not in UNASKED.get(met, ()):
                yield Cell(trouble.code, met, f"Ring: {trouble.what}", RUNS[met](trouble))
    yield Cell("CAM-TALK-BUSY", Met.PAGE, "somebody else takes the turn while the browser asks for the microphone",
               taken_meanwhile)  # fmt: skip
