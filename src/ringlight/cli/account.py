"""`login`, `logout`, `whoami` and `devices`."""

import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from ringlight.account import AccountClient, parse_token_file
from ringlight.account.keeper import SignInFlow
from ringlight.cameras import Account
from ringlight.cli.output import Config, Json, print_json, result, run, tell
from ringlight.errors import AuthError, RingError, fault_error
from ringlight.faults import FAULTS
from ringlight.secrets import Secret
from ringlight.settings import Settings, load_settings


def register(app: typer.Typer) -> None:
    """Add the commands."""

    @app.command()
    def login(
        email: Annotated[str | None, typer.Option("--email", help="The account's e-mail address.")] = None,
        flow: Annotated[
            SignInFlow,
            typer.Option("--flow", help="Send the password in one request, or go through Ring's sign-in pages."),
        ] = "password",
        import_: Annotated[
            Path | None,
            typer.Option("--import", help="Take over the token file of another program instead.", metavar="FILE"),
        ] = None,
        config: Config = None,
    ) -> None:
        """Sign in to a Ring account and keep the tokens; password and code are asked for.

        Where the input is no terminal, password and code are read from it, a line each.

        With --import nothing is asked: the file of python-ring-doorbell, ring-client-api, ring-mqtt or go2rtc
        is read, and its token renewed once. That spends it, so the other program must sign in anew.
        """
        settings = load_settings(config)
        run(_import(settings, import_) if import_ else _login(settings, email, flow))

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


async def _login(settings: Settings, email: str | None, flow: SignInFlow) -> None:
    async with AccountClient.open(settings) as client:
        name = email or _ask("E-mail")
        password = Secret(_ask("Password", hidden=True))
        try:
            await _sign_in(client, name, password, flow)
        except RingError as error:
            if error.code == "AUTH-EDGE-BLOCK" and flow == "password":
                tell("`ringlight login --flow code` goes another way to the same tokens, and may pass.")
            raise
        cameras = await client.devices()
        tell(f"Signed in as {name}: {len(cameras)} cameras. The tokens are in {settings.state_dir}.")


async def _sign_in(client: AccountClient, email: str, password: Secret, flow: SignInFlow) -> None:
    try:
        await client.sign_in(email, password, flow=flow)
    except AuthError as error:
        if error.code != "AUTH-CODE-NEEDED":
            raise
        tell("Ring wants a verification code: by text message, e-mail or from your authenticator app.")
        await client.sign_in(email, password, _ask("Code"), flow=flow)


async def _import(settings: Settings, path: Path) -> None:
    try:
        content = path.read_bytes()  # noqa: ASYNC240 - nothing else runs yet
    except OSError as error:
        raise fault_error("AUTH-IMPORT", f"{path}: {(error.strerror or 'cannot be read').lower()}") from error
    found = parse_token_file(content)
    async with AccountClient.open(settings) as client:
        await client.adopt(found)
        tell("The token of that file was renewed, which spends it: sign in anew with the other program.")
        profile, cameras = await client.profile(), await client.devices()
        whose = profile.email or "an account without a name"
        tell(f"Signed in as {whose}: {len(cameras)} cameras. The tokens are in {settings.state_dir}.")


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
    async with Account.open(settings) as account:
        listed = await account.cameras()
    costs = {camera.device.id: camera.battery_cost for camera in listed}
    cameras = [camera.device for camera in listed]
    if json:
        rows = [
            {
                "name": camera.name,
                "id": camera.id,
                "kind": camera.kind,
                "model": camera.model,
                "power": camera.power.value,
                "battery_percent": camera.battery_percent,
                "battery_cost": cost.as_dict() if (cost := costs[camera.id]) else None,
                "state": camera.state.value,
                "shared": camera.shared,
                "light": camera.has_light,
                "siren": camera.has_siren,
                "pan_and_tilt": camera.has_ptz,
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
    for camera in cameras:
        if costs[camera.id]:
            result.print(Text(f"{camera.name}, video on battery: {costs[camera.id]}"))
