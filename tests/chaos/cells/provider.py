"""Cells of logging in through another service: a provider of OpenID that is wrong, over HTTP and in a browser."""

import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2

from cells import Cell, Lab, Met, Outcome, Run
from cells.login import House, browsing, house, read_on
from cells.server import read_refusal
from own_provider import CLIENT, SECRET, OwnProvider, own_provider, visit
from ringlight.secrets import Secret
from ringlight.settings import OidcSettings

LOOKS = {"Accept": "text/html,application/xhtml+xml", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none"}


@dataclass(frozen=True)
class Lie:
    """What is wrong with a provider, and what puts it right; both as what is set of it."""

    what: str
    code: str
    wrong: Callable[[OwnProvider], dict[str, Any]]


def _other_key(_: OwnProvider) -> dict[str, Any]:
    from joserfc.jwk import RSAKey

    return {"signing": RSAKey.generate_key(2048, {"kid": "two"})}


LIES = (
    Lie("it answers 503", "OIDC-UNREACHABLE", lambda _: {"broken": True}),
    Lie("it names another issuer", "OIDC-ANSWER", lambda _: {"configuration": {"issuer": "https://other.example"}}),
    Lie("it refuses", "OIDC-REFUSED", lambda _: {"refuses": {"error": "access_denied"}}),
    Lie("it does not know our address", "OIDC-REDIRECT", lambda _: {"refuses": {
        "error": "invalid_request", "error_description": "redirect_uri is not registered"}}),
    Lie("the secret there is another by now", "OIDC-CLIENT", lambda _: {"secret": "changed"}),
    Lie("its proof is for another program", "OIDC-TOKEN", lambda _: {"lies": {"aud": "another-app"}}),
    Lie("it signs with a key that it does not show", "OIDC-KEY", _other_key),
    Lie("its clock is ten minutes behind", "OIDC-CLOCK",
        lambda _: {"lies": {"iat": int(time.time()) - 900, "exp": int(time.time()) - 600}}),
    Lie("who comes is of no group that may", "OIDC-GROUP", lambda _: {"lies": {"groups": ["neighbours"]}}),
)  # fmt: skip


@contextlib.asynccontextmanager
async def _with_provider(lab: Lab, lie: Lie) -> AsyncIterator[tuple[House, Callable[[], None]]]:
    """A server whose people log in at a provider that is wrong, and what puts that right."""
    async with own_provider() as provider:
        provider.published = [provider.signing]
        oidc = OidcSettings(issuer=provider.url, client_id=CLIENT, client_secret=Secret(SECRET),
                            scopes={"family": "view"})  # fmt: skip
        async with house(lab, oidc=oidc) as there:
            provider.redirects.add(f"{there.url}login/oidc/callback")
            wrong = lie.wrong(provider)
            right = {name: getattr(provider, name) for name in wrong}

            def put(values: dict[str, Any]) -> None:
                for name, value in values.items():
                    setattr(provider, name, value)

            put(wrong)
            yield there, lambda: put(right)


def api_logs_in(lie: Lie) -> Run:
    async def run(lab: Lab) -> Outcome:
        async with (
            _with_provider(lab, lie) as (there, mend),
            httpx2.AsyncClient(base_url=there.url, headers=LOOKS, timeout=30) as http,
        ):
            began = time.monotonic()
            code, said = read_refusal(await visit(http))
            named = time.monotonic() - began
            mend()
            began = time.monotonic()
            back = (await visit(http)).status_code == 200
            return Outcome(code, said, named, "when asked again" if back else "not yet", time.monotonic() - began)

    return run


def page_logs_in(lie: Lie) -> Run:
    async def run(lab: Lab) -> Outcome:
        async with _with_provider(lab, lie) as (there, mend), browsing(lab) as page:
            began = time.monotonic()
            await page.goto(f"{there.url}login")
            await page.get_by_role("link", name="Log in with").click()
            code, said = await read_on(page)
            named = time.monotonic() - began
            mend()
            began = time.monotonic()
            await page.goto(f"{there.url}login/oidc")
            await page.wait_for_selector("[data-camera]")
            return Outcome(code, said, named, "when asked again", time.monotonic() - began)

    return run


async def page_that_did_not_begin(lab: Lab) -> Outcome:
    """The address of the way back, out of somebody else's browser."""
    lie = Lie("", "", lambda _: {})
    async with _with_provider(lab, lie) as (there, _), browsing(lab) as page:
        began = time.monotonic()
        await page.goto(f"{there.url}login/oidc/callback?state=x&code=y")
        code, said = await read_on(page)
        named = time.monotonic() - began
        began = time.monotonic()
        await page.goto(f"{there.url}login/oidc")
        await page.wait_for_selector("[data-camera]")
        return Outcome(code, said, named, "when asked again", time.monotonic() - began)


def provider_cells() -> Iterator[Cell]:
    for lie in LIES:
        yield Cell(lie.code, Met.API, f"a provider: {lie.what}", api_logs_in(lie), is_quick=lie.code == "OIDC-GROUP")
        yield Cell(lie.code, Met.PAGE, f"a provider: {lie.what}", page_logs_in(lie))
    yield Cell("OIDC-STATE", Met.PAGE, "a log-in elsewhere that nobody began here", page_that_did_not_begin)
