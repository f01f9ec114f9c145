"""An app of somebody else with our router: its people sign in with our form."""

from pathlib import Path

from fastapi import FastAPI

from patients import KEY
from ringlight.partner.fastapi import SignIn, router
from ringlight.partner.link_desk import LinkDesk
from ringlight.partner.linking import Person
from ringlight.secrets import Secret
from ringlight.testing import SimulatedRing

PASSWORD = "open sesame"


async def _check(name: str, password: Secret) -> Person | None:
    return Person(name, f"{name[0]}***{name[-1]}") if password == Secret(PASSWORD) else None


def app_with_form(ring: SimulatedRing, database: Path) -> FastAPI:
    """Return the app of a simulated Ring."""
    desk = LinkDesk(
        client_id="sim-client", client_secret="sim-secret", hmac_keys=[KEY], database=f"sqlite:///{database}",
        base_url=ring.url,
    )  # fmt: skip
    app = FastAPI()
    app.include_router(router(links=desk, sign_in=SignIn(check=_check)))
    return app
