"""Somebody who has signed in to a simulated Ring that can be bent, and what is asked of it in each way there is."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from cells import Lab
from cells.command import environment
from cells.server import Send, get, post
from troubles.bent_ring import BentRing, DeafWorld, bent_ring

from ringlight.account import AccountClient
from ringlight.cameras import Account
from ringlight.cli.servers import DEMO_DEADLINES
from ringlight.secrets import Secret
from ringlight.settings import Settings, load_settings
from tones import tone
from whep_viewer import viewer

EVENT = "7500000000000000002"  # that the front door has seen, with a recording


@dataclass
class Home:
    """A person's own Ring, and the settings of whoever asks it for them.

    Attributes:
        bent: Ring.
        settings: With a state directory of its own.
        more: Variables that a command gets besides.
    """

    bent: BentRing
    settings: Settings
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def world(self) -> DeafWorld:
        """Ring's state."""
        assert isinstance(self.bent.world, DeafWorld)
        return self.bent.world

    def environment(self) -> dict[str, str]:
        """What a command runs in, with the same settings."""
        url, view = self.settings.ring_url, self.settings.live_view
        live_view = {"HTTP_TIMEOUT": str(view.http_timeout), "AUDIO": str(view.audio)}
        same = {f"RINGLIGHT_LIVE_VIEW__{name}": value for name, value in live_view.items()}
        env = {**environment(url or "", self.settings.state_dir), **same, **self.more}
        return env if url else {name: value for name, value in env.items() if name != "RINGLIGHT_RING_URL"}

    async def sign_in(self) -> None:
        """Sign in, as `ringlight login` does, and keep the tokens in the state directory."""
        asks, self.world.asks_code = self.world.asks_code, False
        async with AccountClient.open(self.settings) as account:
            await account.sign_in(self.world.email, Secret(self.world.password))
        self.world.asks_code = asks

    def access_ends(self) -> None:
        """End every access token, so that all must be renewed."""
        self.world.tokens.access.clear()


def settings_of(lab: Lab, ring_url: str | None, **given: Any) -> Settings:
    """Settings with a state directory of their own, and short deadlines."""
    deadlines = {**DEMO_DEADLINES, "http_timeout": 2.0, **given.pop("live_view", {})}
    return load_settings(
        ring_url=ring_url, state_dir=lab.folder / "state", server={"port": 0}, live_view=deadlines,
        cameras={"linger": 0.0}, **given,
    )  # fmt: skip


@contextlib.asynccontextmanager
async def home(lab: Lab, **given: Any) -> AsyncIterator[Home]:
    """Ring, and somebody who has signed in."""
    async with bent_ring(DeafWorld()) as bent:
        made = Home(bent, settings_of(lab, bent.ring.url, **given))
        await made.sign_in()
        yield made


# ---- what is asked ----


@dataclass(frozen=True)
class Ask:
    """One thing that people want of their cameras, in three ways.

    Attributes:
        account: Of the client, with a folder for files.
        api: Of the server.
        command: Of the command line; `{folder}` has a sound file.
    """

    account: Callable[[Account, Path], Awaitable[object]]
    api: Send
    command: tuple[str, ...]


async def _still(account: Account, _: Path) -> object:
    return await (await account.camera("Front Door")).fresh_snapshot()


async def _light(account: Account, _: Path) -> None:
    await (await account.camera("Driveway")).set_light(True)


async def _siren(account: Account, _: Path) -> None:
    await (await account.camera("Front Door")).set_siren(True)


async def _turn(account: Account, _: Path) -> object:
    return await (await account.camera("Driveway")).turn("left")


async def _turn_a_door(account: Account, _: Path) -> object:
    return await (await account.camera("Front Door")).turn("left")


async def _history(account: Account, _: Path) -> object:
    return [event async for event in (await account.camera("Front Door")).history(limit=3)]


async def _recording(account: Account, folder: Path) -> object:
    return await (await account.camera("Front Door")).download(EVENT, folder / "event.mp4")


async def _watch(account: Account, _: Path) -> object:
    async with (await account.camera("Front Door")).live_view() as view:
        return await view.snapshot()


async def _talk(account: Account, folder: Path) -> object:
    async with (await account.camera("Front Door")).live_view() as view:
        return await view.say(tone(folder / "hello.wav", 440, seconds=0.2))


async def _two_talk(account: Account, folder: Path) -> object:
    async with (await account.camera("Front Door")).live_view() as view, view.talk():
        return await view.say(tone(folder / "hello.wav", 440, seconds=0.2))


async def _talk_as_viewer(http: httpx2.AsyncClient) -> httpx2.Response:
    async with viewer(str(http.base_url), "front-door", http, talk=True) as playing:
        return await http.post(f"{playing.location}/talk")


async def _two_talk_as_viewers(http: httpx2.AsyncClient) -> httpx2.Response:
    async with viewer(str(http.base_url), "front-door", http, talk=True) as playing:
        begun = await http.post(f"{playing.location}/talk")
        assert begun.status_code == 204, begun.text
        return await _talk_as_viewer(http)


FRONT = "api/cameras/front-door"
ASKS = {
    "cameras": Ask(lambda account, _: account.cameras(), get("api/cameras"), ("devices",)),
    "id": Ask(lambda account, _: account.account_id(), get("api/cameras"), ("whoami",)),
    "nobody": Ask(lambda account, _: account.camera("Nobody"), get("api/cameras/nobody"),
                  ("snapshot", "Nobody", "x.jpg")),
    "watch": Ask(_watch, get(f"{FRONT}/snapshot.jpg"), ("snapshot", "Front Door", "x.jpg")),
    "still": Ask(_still, get(f"{FRONT}/snapshot.jpg?fresh=1"), ("snapshot", "Front Door", "x.jpg", "--fresh")),
    "light": Ask(_light, post("api/cameras/driveway/light", {"on": True}), ("light", "Driveway", "on")),
    "siren": Ask(_siren, post(f"{FRONT}/siren", {"on": True}), ("siren", "Front Door", "on")),
    "turn": Ask(_turn, post("api/cameras/driveway/ptz", {"direction": "left"}), ("ptz", "Driveway", "left")),
    "turn a door": Ask(_turn_a_door, post(f"{FRONT}/ptz", {"direction": "left"}), ("ptz", "Front Door", "left")),
    "history": Ask(_history, get(f"{FRONT}/history"), ("history", "Front Door")),
    "recording": Ask(_recording, get(f"{FRONT}/history/{EVENT}/recording"),
                     ("download", "Front Door", EVENT, "x.mp4")),
    "talk": Ask(_talk, _talk_as_viewer, ("talk", "Front Door", "hello.wav")),
    "talk too": Ask(_two_talk, _two_talk_as_viewers, ("talk", "Front Door", "hello.wav")),
}  # fmt: skip
