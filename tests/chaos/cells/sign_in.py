"""Cells of signing in, by a program and by `ringlight login`; and faults that only others' programs meet, explained."""

import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
from scenes.account_home import Home, home
from troubles.bent_ring import Instead

from cells import Cell, Lab, Met, Outcome, Run
from cells.command import command, environment
from cells.live_view import own_server
from ringlight.account import AccountClient, parse_token_file
from ringlight.errors import RingError
from ringlight.secrets import Secret
from ringlight.simulator.world import World

GOOD = World()  # whose password and code are right
PASSWORD = Secret(GOOD.password)
Enter = Callable[[AccountClient], Awaitable[None]]


async def _enter(account: AccountClient) -> None:
    try:
        await account.sign_in(GOOD.email, PASSWORD)
    except RingError as error:
        if error.code != "AUTH-CODE-NEEDED":
            raise
        await account.sign_in(GOOD.email, PASSWORD, GOOD.code)


async def _enter_wrongly(account: AccountClient) -> None:
    await account.sign_in(GOOD.email, Secret("nonsense"))


async def _enter_without_a_code(account: AccountClient) -> None:
    await account.sign_in(GOOD.email, PASSWORD)


async def _enter_with_a_wrong_code(account: AccountClient) -> None:
    await account.sign_in(GOOD.email, PASSWORD, "000000")


async def _enter_by_pages(account: AccountClient) -> None:
    try:
        await account.sign_in(GOOD.email, PASSWORD, flow="code")
    except RingError as error:
        if error.code != "AUTH-CODE-NEEDED":
            raise
        await account.sign_in(GOOD.email, PASSWORD, GOOD.code, flow="code")


async def _import(account: AccountClient) -> None:
    await account.adopt(parse_token_file(b"no copy of any token"))


@dataclass(frozen=True)
class SignIn:
    """A sign-in that fails.

    Attributes:
        what: In words.
        code: The fault.
        enter: By a program; `None` where only the command is tried.
        text: What is typed into the command; `None` where only a program tries.
        options: Of the command.
        instead: What Ring answers.
        pages: How its sign-in pages go.
        good: What a program does once it is mended, or knows better.
    """

    what: str
    code: str
    enter: Enter | None
    text: str | None
    options: tuple[str, ...] = ()
    instead: tuple[Instead, ...] = ()
    pages: str = "good"
    good: Enter = _enter
    typed: str = field(default=f"{GOOD.password}\n{GOOD.code}\n")


# Ring's own words; the status is not known (the catalogue takes any).
LIMIT = {"error": "too many requests from dependency service"}
BY_PAGES = ("--flow", "code")
SIGN_INS = (
    SignIn("another password", "AUTH-PASSWORD", _enter_wrongly, None),
    SignIn("no code is given", "AUTH-CODE-NEEDED", _enter_without_a_code, f"{GOOD.password}\n"),
    SignIn("another code", "AUTH-CODE-WRONG", _enter_with_a_wrong_code, None),
    SignIn("another code, by Ring's pages", "AUTH-CODE-WRONG", None, f"{GOOD.password}\n000000\n", BY_PAGES),
    SignIn("the eleventh code", "AUTH-CODE-LIMIT", _enter, f"{GOOD.password}\n",
           instead=(Instead("^/oauth/token$", 400, LIMIT),)),
    SignIn("the eleventh code, by Ring's pages", "AUTH-CODE-LIMIT", None, f"{GOOD.password}\n", BY_PAGES,
           instead=(Instead("/signin$", 429, LIMIT),)),
    SignIn("pages without their token", "AUTH-PAGES", _enter_by_pages, f"{GOOD.password}\n", BY_PAGES,
           pages="no-csrf", good=_enter_by_pages),
    SignIn("a redirect that is somebody else's", "AUTH-PAGES", _enter_by_pages, f"{GOOD.password}\n{GOOD.code}\n",
           BY_PAGES, pages="other-state", good=_enter_by_pages),
    SignIn("a code that the token service refuses", "AUTH-PAGES", _enter_by_pages, None, pages="bad-code",
           good=_enter_by_pages),
    SignIn("no token file", "AUTH-IMPORT", _import, None),
)  # fmt: skip


def client_meets(sign_in: SignIn) -> Run:
    async def run(lab: Lab) -> Outcome:
        assert sign_in.enter is not None
        async with home(lab) as at, AccountClient.open(at.settings) as account:
            _begin(at, sign_in)
            began = time.monotonic()
            try:
                await sign_in.enter(account)
            except RingError as error:
                code, said, named = error.code, str(error), time.monotonic() - began
            else:
                return Outcome(None, "", time.monotonic() - began)
            _end(at)
            began = time.monotonic()
            await sign_in.good(account)
            back = bool(await account.devices())
            return Outcome(code, said, named, "when asked again" if back else "not yet", time.monotonic() - began)

    return run


def command_meets(sign_in: SignIn) -> Run:
    async def run(lab: Lab) -> Outcome:
        assert sign_in.text is not None
        async with home(lab) as at:
            env = at.environment()
            args = ("login", "--email", GOOD.email, *sign_in.options)
            _begin(at, sign_in)
            first = await command(*args, env=env, cwd=lab.folder, text=sign_in.text)
            assert "Traceback" not in first.err, first.err
            if first.status != 1:
                return Outcome(first.code, f"ended with {first.status}: {first.said}", first.read_after)
            _end(at)
            again = await command(*args, env=env, cwd=lab.folder, text=sign_in.typed)
            return first.then(again)

    return run


def _begin(at: Home, sign_in: SignIn) -> None:
    (at.settings.state_dir / "tokens.json").unlink()
    at.world.asks_code = True
    at.world.sign_in_pages = sign_in.pages
    at.bent.instead[:] = sign_in.instead


def _end(at: Home) -> None:
    at.world.sign_in_pages = "good"
    at.bent.instead.clear()


def doctor_sees_password() -> Run:
    """The doctor of a server that signs in by itself, as `ringlight demo` does."""

    async def run(lab: Lab) -> Outcome:
        async with own_server(lab) as (ring, url), httpx2.AsyncClient(base_url=url, timeout=60) as http:
            ring.world.switch(["wrong-password"])
            began = time.monotonic()
            first = (await http.get("api/doctor")).json()["first"]["fault"]
            named = time.monotonic() - began
            ring.world.switch([])
            began = time.monotonic()
            again = (await http.get("api/doctor")).json()
            is_back = "AUTH-PASSWORD" not in str(again)
            return Outcome(first["code"], f"{first['title']}. {first['detail']}", named,
                           "when asked again" if is_back else "not yet", time.monotonic() - began)  # fmt: skip

    return run


# ---- what only programs of others meet ----

OLD_WAY = (
    "2026-02-03 18:04:05 ERROR ring_doorbell: HTTP error with status code 403 during query of url "
    "https://api.ring.com/clients_api/doorbots/1001/live_view\n"
)


def command_explains(log: str) -> Run:
    """`ringlight explain` is given the log of another program."""

    async def run(lab: Lab) -> Outcome:
        (lab.folder / "other.log").write_text(log, encoding="utf-8")
        env = environment("http://127.0.0.1:9", Path(lab.folder / "state"))
        told = await command("explain", "-", env=env, cwd=lab.folder, text=log)
        assert "Traceback" not in told.err, told.err
        return Outcome(told.code, told.said, told.seconds)

    return run


def sign_in_cells() -> Iterator[Cell]:
    for sign_in in SIGN_INS:
        if sign_in.enter is not None:
            yield Cell(sign_in.code, Met.VIEW, f"signing in: {sign_in.what}", client_meets(sign_in))
        if sign_in.text is not None:
            yield Cell(sign_in.code, Met.COMMAND, f"`login`: {sign_in.what}", command_meets(sign_in))
    yield Cell("AUTH-PASSWORD", Met.DOCTOR, "signing in: a server that knows another password", doctor_sees_password())
    yield Cell("RING-OLD-ENDPOINT", Met.COMMAND, "`explain`: the log of a program that asks the old address",
               command_explains(OLD_WAY), is_quick=True)  # fmt: skip
