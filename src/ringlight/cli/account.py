"""`login`, `logout`, `whoami` and `devices`."""

import getpass
import sys
from typing import Annotated

import typer
from rich.table import Table

from ringlight.account import AccountClient
from ringlight.cli.output import Config, Json, print_json, result, run, tell
from ringlight.errors import AuthError
from ringlight.faults import FAULTS
from ringlight.secrets import Secret
from ringlight.settings import Settings, load_settings


def register(app: typer.Typer) -> None:
    """Add the commands."""

    @app.command()
    def login(
        email: Annotated[str | None, typer.Option("--email", help="The account's e-mail address.")] = None,
        config: Config = None,
    ) -> None:
        """Sign in to a Ring account and keep the tokens; password and code are asked for.

        Where the input is no terminal, password and code are read from it, a line each.
        """
        run(_login(load_settings(config), email))

    @app.command()
    def logout(config: Config = None) -> None:
        """Forget the stored tokens."""
        run(_logout(load_settings(config)))

    @app.command()
    def whoami(config: Config = None, json: Json = False) -> None:
        """Say whose account is signed in."""
        run(_whoami(load_settings(config), json=json))

    @app.command()
    def devices(config: Config = None, json: Json = False) -> None:
        """List the cameras: name, id, kind, power, state, and why live view would be refused."""
        run(_devices(load_settings(config), json=json))


def _ask(question: str, *, hidden: bool = False) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return getpass.getpass(f"{question}: ") if hidden else typer.prompt(question, err=True)


async def _login(settings: Settings, email: str | None) -> None:
    async with AccountClient.open(settings) as client:
        name = email or _ask("E-mail")
        password = Secret(_ask("Password", hidden=True))
        try:
            await client.sign_in(name, password)
        except AuthError as error:
            if error.code != "AUTH-CODE-NEEDED":
                raise
            tell("Ring wants a verification code: by text message, e-mail or from your authenticator app.")
            await client.sign_in(name, password, _ask("Code"))
        cameras = await client.devices()
        tell(f"Signed in as {name}: {len(cameras)} cameras. The tokens are in {settings.state_dir}.")


async def _logout(settings: Settings) -> None:
    async with AccountClient.open(settings) as client:
        await client.sign_out()
        tell("Signed out here. Ring's Control Center lists this client until you remove it there.")


async def _whoami(settings: Settings, *, json: bool) -> None:
    async with AccountClient.open(settings) as client:
        profile = await client.profile()
        if json:
            print_json({"email": profile.email, "account_id": profile.account_id})
        else:
            result.print(f"{profile.email} (account {profile.account_id})")


async def _devices(settings: Settings, *, json: bool) -> None:
    async with AccountClient.open(settings) as client:
        cameras = await client.devices()
    if json:
        rows = [
            {
                "name": camera.name,
                "id": camera.id,
                "kind": camera.kind,
                "model": camera.model,
                "power": camera.power.value,
                "battery_percent": camera.battery_percent,
                "state": camera.state.value,
                "refusal": FAULTS[camera.refusal].as_dict() if camera.refusal else None,
            }
            for camera in cameras
        ]
        print_json({"devices": rows})
        return
    table = Table("name", "id", "kind", "power", "state", "live view", box=None, pad_edge=False)
    for camera in cameras:
        battery = "" if camera.battery_percent is None else f" {camera.battery_percent} %"
        refusal = f"{camera.refusal}: {FAULTS[camera.refusal].title}" if camera.refusal else "yes"
        power = camera.power.value + battery
        table.add_row(camera.name, str(camera.id), camera.kind, power, camera.state.value, refusal)
    result.print(table)
