"""A small Ring app: people link their Ring account, and see a clip of each motion. See docs/tutorial/ring-app.md.

uvicorn --app-dir examples/ring_app app:app --port 8090
"""

import hashlib
import html
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import FileResponse, HTMLResponse, Response
from fastapi.security import HTTPBasic, HTTPBasicCredentials

from ringlight.cameras import PartnerCameras
from ringlight.errors import RingError
from ringlight.partner import AsyncClient, Stored
from ringlight.partner.fastapi import SignIn, router
from ringlight.partner.link_desk import LinkDesk
from ringlight.partner.linking import Person, masked
from ringlight.partner.webhooks import Event, Handlers, MotionDetected, Pace, Verifier, Webhooks
from ringlight.secrets import Secret
from ringlight.store import open_pairs

CLIENT, SECRET, KEY = (os.environ[f"RING_{name}"] for name in ("CLIENT_ID", "CLIENT_SECRET", "HMAC_KEY"))
DATABASE, CLIPS = "sqlite:///ring-app.db", Path("clips")
SECONDS = 10  # of a clip
PEOPLE = {"maria@shop.example": Secret("open sesame"), "john@shop.example": Secret("open door")}


async def check(name: str, password: Secret) -> Person | None:
    """Sign somebody in; your own people are in a database, and their passwords are not in the source."""
    return Person(name, masked(name)) if PEOPLE.get(name) == password else None


links = LinkDesk(
    client_id=CLIENT, client_secret=SECRET, hmac_keys=[KEY], database=DATABASE,
    base_url=os.environ.get("RINGLIGHT_RING_URL"),
)  # fmt: skip
pairs = open_pairs(DATABASE)
homes: dict[str, tuple[AsyncClient, PartnerCameras]] = {}


def home(account: str) -> tuple[AsyncClient, PartnerCameras]:
    """Return client and cameras of a linked account; its tokens are where linking has put them."""
    if account not in homes:
        client = AsyncClient(client_id=CLIENT, client_secret=SECRET, tokens=Stored(pairs, account))
        homes[account] = client, PartnerCameras(client)
    return homes[account]


def folder_of(account: str) -> Path:
    """Return where the clips of an account are."""
    return CLIPS / hashlib.sha256(account.encode()).hexdigest()[:16]


handlers = Handlers()


@handlers.on("motion_detected", repeatable=True)
async def motion(event: MotionDetected) -> None:
    """Save the clip. An error here means that it is tried again."""
    folder = folder_of(event.account)
    folder.mkdir(parents=True, exist_ok=True)
    client, _ = home(event.account)
    to = folder / f"{event.timestamp}.mp4"
    await client.media.clip(event.device or "", event.timestamp or 0, SECONDS, to=to, sound=True)


@handlers.on(repeatable=True)
async def rest(event: Event) -> None:
    """Keep devices that come and go, and wipe tokens when somebody removes the app."""
    await links.heard(event.type, event.account, event.device)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Close what was opened."""
    yield
    for client, cameras in homes.values():
        await cameras.aclose()
        await client.aclose()
    pairs.close()


webhooks = Webhooks(Verifier(KEY), DATABASE, handlers, pace=Pace(timeout=180))
app = FastAPI(lifespan=lifespan)
app.include_router(router(webhooks=webhooks, links=links, sign_in=SignIn(check=check), name="Shop"))


async def signed_in(given: Annotated[HTTPBasicCredentials, Depends(HTTPBasic())]) -> Person:
    """Let the browser ask for name and password; your own app has sessions."""
    person = await check(given.username, Secret(given.password))
    if person is None:
        raise HTTPException(401, headers={"WWW-Authenticate": "Basic"})
    return person


Visitor = Annotated[Person, Depends(signed_in)]


@app.get("/")
async def page(person: Visitor) -> HTMLResponse:
    """Show the person's accounts: a picture of now of each camera, and the clips, newest first."""
    parts = [f"<title>Shop</title><h1>Cameras of {html.escape(person.id)}</h1>"]
    for link in await links.links_of(person.id):
        folder = folder_of(link.account)
        parts.append(f"<h2>Ring account: {link.state.value}</h2>")
        try:
            cameras = await home(link.account)[1].cameras()
            names = [(camera.id, html.escape(camera.name)) for camera in cameras]
            parts += [f'<p><a href="/now/{folder.name}/{one}.jpg">{name} now</a>' for one, name in names]
        except RingError as error:
            parts.append(f"<p>{html.escape(str(error))} {html.escape(error.fix)}")
        clips = sorted(folder.glob("*.mp4"), reverse=True)
        parts += [f'<video controls muted src="/clips/{folder.name}/{file.name}"></video>' for file in clips]
    return HTMLResponse("".join(parts))


async def account_in(folder: str, person: Person) -> str:
    """Return the person's account whose folder this is; nobody sees another's."""
    for link in await links.links_of(person.id):
        if folder_of(link.account).name == folder:
            return link.account
    raise HTTPException(404)


@app.get("/clips/{folder}/{name}")
async def clip(folder: str, name: str, person: Visitor) -> FileResponse:
    """Play a clip."""
    files = {file.name: file for file in folder_of(await account_in(folder, person)).glob("*.mp4")}
    if name not in files:
        raise HTTPException(404)
    return FileResponse(files[name], media_type="video/mp4")


@app.get("/now/{folder}/{name}.jpg")
async def now(folder: str, name: str, person: Visitor) -> Response:
    """Take a picture of now: a live view is opened for it."""
    _, cameras = home(await account_in(folder, person))
    still = await (await cameras.camera(name)).fresh_snapshot()
    return Response(still.image, media_type="image/jpeg")
