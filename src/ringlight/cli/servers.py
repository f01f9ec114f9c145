"""`demo`, `serve` and `simulate`: the programs that run until they are stopped."""

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringlight.cli.logs import log_as
from ringlight.cli.notifying import notify
from ringlight.cli.output import Config, TracePath, result, run, tell
from ringlight.settings import Settings, load_settings

if TYPE_CHECKING:
    from ringlight.simulator.world import World

Host = Annotated[str | None, typer.Option("--host", help="Address to listen on.", metavar="H")]
Port = Annotated[int | None, typer.Option("--port", help="Port to listen on; 0 picks a free one.", metavar="P")]

SIMULATOR_PORT = 8100
# The demo tells soon when no UDP comes through; nobody has to wait for a simulated firewall.
DEMO_DEADLINES = {
    "socket_timeout": 3.0, "session_timeout": 3.0, "answer_timeout": 3.0, "camera_timeout": 4.0, "path_timeout": 4.0,
    "media_timeout": 3.0, "stall_timeout": 6.0, "activation_limit": 2.0,
}  # fmt: skip
DEMO_LINGER = 1.0  # seconds; a fault that was chosen shows at the next Watch


def register(app: typer.Typer) -> None:
    """Add the commands."""

    @app.command()
    def demo(host: Host = None, port: Port = None, trace: TracePath = None) -> None:
        """Show everything on this machine: three simulated cameras, the page, a switchboard of faults."""
        options = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
        settings = load_settings(server=options, live_view=DEMO_DEADLINES, cameras={"linger": DEMO_LINGER})
        log_as(settings.log)
        run(_until_stopped(_demo(settings, trace)))

    @app.command()
    def serve(host: Host = None, port: Port = None, config: Config = None, trace: TracePath = None) -> None:
        """Run the server for your own cameras; sign in first with `ringlight login`."""
        options = {name: value for name, value in (("host", host), ("port", port)) if value is not None}

        def load() -> Settings:
            return load_settings(config, **({"server": options} if options else {}))

        settings = load()
        log_as(settings.log)
        run(_until_stopped(_serve(settings, trace, load)))

    @app.command()
    def simulate(
        host: Host = None,
        port: Port = None,
        fault: Annotated[list[str] | None, typer.Option("--fault", help="Switch a fault on from the start.")] = None,
        scenario: Annotated[
            str | None,
            typer.Option("--scenario", help="Play a scenario: a name of --list, a fault's code, or a TOML file."),
        ] = None,
        profile: Annotated[
            str | None, typer.Option("--profile", help="Whose Ring it is: observed, documented or hostile.")
        ] = None,
        seed: Annotated[int | None, typer.Option("--seed", help="Begins all chance, so that it is the same.")] = None,
        speed: Annotated[
            float | None,
            typer.Option("--speed", help="Seconds of delays, limits and scenario in one second.", min=0.01),
        ] = None,
        webhook: Annotated[
            str | None, typer.Option("--webhook", metavar="URL", help="Send the partner app's webhooks there.")
        ] = None,
        names: Annotated[bool, typer.Option("--list", help="Print scenarios, profiles and faults, and leave.")] = False,
        tls: Annotated[
            Path | None,
            typer.Option("--tls", metavar="DIR", help="Speak TLS under the names of Ring's hosts; trust DIR/ca.pem."),
        ] = None,
        trace: TracePath = None,
    ) -> None:
        """Run Ring on this machine, for `RINGLIGHT_RING_URL`."""
        if names:
            _list_names()
            return
        log_as(load_settings().log)
        story = _Story(scenario, profile, seed, speed, tuple(fault or ()), webhook)
        where = host or "127.0.0.1", SIMULATOR_PORT if port is None else port
        run(_until_stopped(_simulate(*where, story, tls, trace)))


async def _until_stopped(program: "contextlib.AbstractAsyncContextManager[str]") -> None:
    from ringlight.server.collector import look_at_all, nothing_collected  # noqa: PLC0415
    from ringlight.server.open_files import open_many  # noqa: PLC0415

    open_many()
    async with contextlib.AsyncExitStack() as stack:
        with nothing_collected():
            url = await stack.enter_async_context(program)
        sys.stdout.write(f"ready {url}\n")
        sys.stdout.flush()
        notify("READY=1")
        with contextlib.suppress(asyncio.CancelledError):  # Ctrl-C and SIGTERM are how such a program ends well
            await look_at_all()
        notify("STOPPING=1")
    tell("Stopped.")


@contextlib.asynccontextmanager
async def _serve(settings: Settings, trace: TracePath, load: Callable[[], Settings]) -> AsyncIterator[str]:
    from ringlight.cameras import Account  # noqa: PLC0415
    from ringlight.liveview.trace import recording  # noqa: PLC0415
    from ringlight.server.exporting import exporting_spans  # noqa: PLC0415
    from ringlight.server.program import run_server  # noqa: PLC0415
    from ringlight.server.ring_app import is_configured  # noqa: PLC0415
    from ringlight.store.sign_in import sign_in_store  # noqa: PLC0415

    with exporting_spans(), recording(trace) as record, sign_in_store(settings) as store:
        async with Account.open(settings, store=store) as account:
            account.trace = record
            # Without a sign-in, a Ring app alone is served; without an app, the page says to sign in.
            is_alone = is_configured(settings) and await asyncio.to_thread(store.load) is None
            shown = None if is_alone else account
            async with run_server(settings, shown, load=load, told=lambda now: log_as(now.log)) as serving:
                _tell_rtsp(settings)
                yield serving.url


@contextlib.asynccontextmanager
async def _demo(settings: Settings, trace: TracePath) -> AsyncIterator[str]:
    from ringlight.account import Credentials  # noqa: PLC0415
    from ringlight.cameras import Account  # noqa: PLC0415
    from ringlight.http.serving import listen, serving  # noqa: PLC0415
    from ringlight.liveview.trace import recording  # noqa: PLC0415
    from ringlight.secrets import Secret  # noqa: PLC0415
    from ringlight.server.exporting import exporting_spans  # noqa: PLC0415
    from ringlight.server.program import run_server  # noqa: PLC0415
    from ringlight.simulator.app import create_app  # noqa: PLC0415
    from ringlight.simulator.rest import control_router  # noqa: PLC0415
    from ringlight.simulator.world import World  # noqa: PLC0415
    from ringlight.store import MemoryTokenStore  # noqa: PLC0415

    world = World()
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(exporting_spans())
        ring = await stack.enter_async_context(serving(create_app(world), listen("127.0.0.1", 0)))
        kept = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ringlight-")))
        configured = _for_demo(settings, world, ring.url.rstrip("/"), kept)
        known = Credentials(world.email, Secret(world.password), world.code)
        account = await stack.enter_async_context(Account.open(configured, store=MemoryTokenStore(), credentials=known))
        account.trace = stack.enter_context(recording(trace))
        server = await stack.enter_async_context(
            run_server(configured, account, extra=(control_router(world),), demo=True)
        )
        world.partner.enter(f"{server.url}ring")
        tell("Three simulated cameras. Open the address below in a browser; Ctrl-C stops.")
        tell(f"The simulated Ring for the other commands: RINGLIGHT_RING_URL={ring.url.rstrip('/')}")
        tell(f"  ringlight login   with {world.email}, password {world.password}, code {world.code}")
        _tell_rtsp(settings)
        await asyncio.to_thread(world.draw)
        yield server.url


def _for_demo(settings: Settings, world: "World", ring_url: str, kept: Path) -> Settings:
    """Let the demo use the simulated Ring, its partner app, and files that go with it.

    A database that was named on purpose stays the one that is used, and what belongs to it too.
    """
    from ringlight.secrets import Secret  # noqa: PLC0415

    app, database = world.partner.app, f"sqlite:///{kept / 'demo.db'}"
    partner = settings.partner.model_copy(
        update={
            "client_id": app.client_id, "client_secret": Secret(app.secret), "hmac_keys": [Secret(app.hmac_key)],
            "access_token": None, "tokens": database, "accounts": [],
        }
    )  # fmt: skip
    changed: dict[str, object] = {"ring_url": ring_url, "partner": partner}
    if settings.database_url is None:
        changed |= {"database_url": Secret(database), "state_dir": kept}
    if settings.recordings.dir is None:
        changed["recordings"] = settings.recordings.model_copy(update={"dir": kept})
    return settings.model_copy(update=changed)


def _tell_rtsp(settings: Settings) -> None:
    host = settings.server.host
    if settings.rtsp.port:
        tell(f"RTSP: rtsp://{f'[{host}]' if ':' in host else host}:{settings.rtsp.port}/ and the id of a camera")


@dataclass(frozen=True, slots=True)
class _Story:
    """What the simulated Ring shall be like, as the options say."""

    scenario: str | None = None
    profile: str | None = None
    seed: int | None = None
    speed: float | None = None
    faults: tuple[str, ...] = ()
    webhook: str | None = None


def _list_names() -> None:
    from ringlight.simulator.behaviour import PROFILES  # noqa: PLC0415
    from ringlight.simulator.director import load_scenario, scenario_names  # noqa: PLC0415
    from ringlight.simulator.partner.switches import ALL_SWITCHES  # noqa: PLC0415

    for name in scenario_names():
        result.print(f"scenario  {name:<22} {load_scenario(name).title}")
    for profile in PROFILES.values():
        result.print(f"profile   {profile.name:<22} {profile.about}")
    for switch in ALL_SWITCHES.values():
        result.print(f"fault     {switch.name:<22} {switch.title}")


@contextlib.asynccontextmanager
async def _simulate(host: str, port: int, story: _Story, tls: Path | None, trace: TracePath) -> AsyncIterator[str]:
    from ringlight.errors import fault_error  # noqa: PLC0415
    from ringlight.http.serving import listen, serving  # noqa: PLC0415
    from ringlight.liveview.trace import recording  # noqa: PLC0415
    from ringlight.simulator.app import create_app  # noqa: PLC0415
    from ringlight.simulator.behaviour import PROFILES  # noqa: PLC0415
    from ringlight.simulator.certificate import identity_in  # noqa: PLC0415
    from ringlight.simulator.director import load_scenario, playing, world_of  # noqa: PLC0415
    from ringlight.simulator.partner.switches import ALL_SWITCHES  # noqa: PLC0415
    from ringlight.simulator.world import World  # noqa: PLC0415

    for name, known in (*((fault, ALL_SWITCHES) for fault in story.faults), (story.profile or "observed", PROFILES)):
        if name not in known:
            raise fault_error("REQUEST-INVALID", f"no {name!r}; known: {', '.join(known)}")
    scenario = load_scenario(story.scenario) if story.scenario is not None else None
    if scenario is not None:
        world = world_of(scenario, seed=story.seed, speed=story.speed)
    else:
        world = World(seed=story.seed, speed=story.speed or 1.0)
    world.profile = story.profile or world.profile
    world.switch([*world.on, *story.faults])
    world.partner.deliveries.url = story.webhook
    identity = identity_in(tls) if tls else None
    listening = listen(host, port)
    async with contextlib.AsyncExitStack() as open_now:
        world.trace = open_now.enter_context(recording(trace))
        running = await open_now.enter_async_context(
            serving(create_app(world), listening, identity.tls if identity else None)
        )
        await open_now.enter_async_context(playing(world, scenario))
        if identity is not None:
            tell(f"trust {identity.authority}, and let Ring's names lead to {host}")
        tell(f"account {world.email}, password {world.password}, code {world.code}")
        tell(f"partner app {world.partner.app.client_id}, secret {world.partner.app.secret}, access token sim-token")
        if story.webhook is not None:
            tell(f"webhooks to {story.webhook}, signed with {world.partner.app.hmac_key}")
        if scenario is not None:
            tell(f"{scenario.title}. {scenario.about}".strip())
        yield running.url
