"""Cells of the command line: settings, files, stores and addresses that cannot be used, and what mends them."""

import contextlib
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cells import Cell, Lab, Met, Outcome, Run
from cells.command import command, signed_in
from patients import KEY, foreign, free_port, says
from ringlight.http.serving import listen
from ringlight.secrets import Secret
from ringlight.store.database import Database
from ringlight.store.key_rows import KeptKey, KeyRows, hash_of_key
from ringlight.testing import SimulatedRing

Prepare = Callable[[Path, dict[str, str]], None]


@dataclass(frozen=True)
class Misfortune:
    """A command that cannot do what it is told.

    Attributes:
        what: In words.
        code: The fault.
        args: The command; `{port}` is a port that is taken, `{free}` one that is not, `{url}` a server that says 404,
            `{fails}` one that says 500, `{leads}` one that says 302.
        env: Settings.
        text: What is typed.
        before: Prepares the folder.
        mended: The settings once it is mended; `None` where the command itself was wrong.
        signed: Whether somebody has signed in.
    """

    what: str
    code: str
    args: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)
    text: str = ""
    before: Prepare | None = None
    mended: dict[str, str] | None = None
    signed: bool = True


def _garbage(name: str) -> Prepare:
    return lambda folder, _: (folder / name).write_text("no copy")  # type: ignore[return-value]


def _damaged_tokens(folder: Path, env: dict[str, str]) -> None:
    Path(env["RINGLIGHT_STATE_DIR"], "tokens.json").write_text("{")


def _newer(folder: Path, env: dict[str, str]) -> None:
    import sqlite3

    with contextlib.closing(sqlite3.connect(Path(env["RINGLIGHT_STATE_DIR"]) / "ringlight.db")) as database, database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        database.execute("INSERT INTO alembic_version VALUES ('9999')")


def _no_database(_: Path, env: dict[str, str]) -> None:
    Path(env["RINGLIGHT_STATE_DIR"], "ringlight.db").write_bytes(b"no database at all" * 1000)


def _key_there(_: Path, env: dict[str, str]) -> None:
    with contextlib.closing(Database(f"sqlite:///{Path(env['RINGLIGHT_STATE_DIR'], 'ringlight.db')}")) as database:
        assert KeyRows(database).add(KeptKey("a1", "nan", hash_of_key(Secret("rlk_x")), ("view",), None, 0.0))


APP = {"RINGLIGHT_PARTNER__CLIENT_ID": "sim-client", "RINGLIGHT_PARTNER__CLIENT_SECRET": "sim-secret",
       "RINGLIGHT_PARTNER__HMAC_KEYS": json.dumps([KEY])}  # fmt: skip
LOGIN = ("login", "--email", "ada@ringlight.test")
MISFORTUNES = (
    Misfortune("a setting of the wrong kind", "CFG-INVALID", ("devices",), {"RINGLIGHT_LIVE_VIEW__RETRIES": "many"},
               mended={"RINGLIGHT_LIVE_VIEW__RETRIES": "1"}),
    Misfortune("the port is taken", "CFG-PORT", ("serve", "--port", "{port}")),
    Misfortune("no key beyond loopback", "CFG-SECRET-KEY", ("serve", "--host", "0.0.0.0", "--port", "{free}")),
    Misfortune("a state directory that is none", "CFG-STATE-DIR", ("devices",), {"RINGLIGHT_STATE_DIR": "/dev/null/x"}),
    Misfortune("nobody is signed in", "AUTH-SIGNED-OUT", ("devices",), signed=False),
    Misfortune("a wrong password", "AUTH-PASSWORD", LOGIN, text="nonsense\n", signed=False),
    Misfortune("a wrong code", "AUTH-CODE-WRONG", LOGIN, text="ringlight\n000000\n", signed=False),
    Misfortune("no token file", "AUTH-IMPORT", ("login", "--import", "x.json"), before=_garbage("x.json")),
    Misfortune("a camera that is none", "CAM-UNKNOWN", ("snapshot", "Nobody", "x.jpg")),
    Misfortune("a camera that cannot turn", "CAM-NO-PTZ", ("ptz", "Front Door", "left")),
    Misfortune("a camera without a light", "CAM-UNABLE", ("light", "Front Door", "on")),
    Misfortune("an event without a recording", "CAM-RECORDING", ("download", "Front Door", "12", "x.mp4")),
    Misfortune("a folder that is none", "FILE-WRITE", ("snapshot", "Front Door", "none/x.jpg")),
    Misfortune("a sound file that is none", "FILE-READ", ("talk", "Front Door", "none.wav")),
    Misfortune("no trace", "REQUEST-INVALID", ("explain", "--trace", "none.jsonl")),
    Misfortune("a damaged token file", "CFG-STATE-DIR", ("devices",), before=_damaged_tokens),
    Misfortune("no copy", "STORE-COPY", ("restore", "x.zip"), before=_garbage("x.zip")),
    Misfortune("a store of another kind", "STORE-ADDRESS", ("key", "list"), {"RINGLIGHT_DATABASE_URL": "mongodb://x/y"},
               mended={"RINGLIGHT_DATABASE_URL": ""}),
    Misfortune("no database there", "STORE-UNREACHABLE", ("key", "list"),
               {"RINGLIGHT_DATABASE_URL": "postgresql://x:y@127.0.0.1:{free}/z"},
               mended={"RINGLIGHT_DATABASE_URL": ""}),
    Misfortune("a database that is none", "STORE-FILE", ("key", "list"), before=_no_database),
    Misfortune("a newer database", "STORE-NEWER", ("key", "list"), before=_newer),
    Misfortune("a key of a name that there is", "KEY-NAME", ("key", "add", "nan"), before=_key_there),
    Misfortune("a key that is none", "KEY-NAME-UNKNOWN", ("key", "revoke", "nobody")),
    Misfortune("a fault that is none", "FAULT-UNKNOWN", ("explain", "qwertzuiop")),
    Misfortune("no server there", "NET-UNREACHABLE", ("devices",), {"RINGLIGHT_RING_URL": "http://127.0.0.1:{free}"}),
    Misfortune("a name that is none", "NET-DNS", ("devices",), {"RINGLIGHT_RING_URL": "http://none.invalid"}),
    Misfortune("our server has stopped", "SERVER-GONE", ("link", "Front Door"), {"RINGLIGHT_SERVER__PORT": "{free}"}),
    Misfortune("a code that is none", "LINK-CODE-EXPIRED", ("partner", "token", "--code", "x"), APP),
    Misfortune("no account is linked", "LINK-NONE", ("partner", "devices"), APP),
    Misfortune("a receiver says 404", "HOOK-LOST", ("partner", "webhook-send", "{url}"), APP),
    Misfortune("a receiver says 500", "HOOK-FAILING", ("partner", "webhook-send", "{fails}"), APP),
    Misfortune("a receiver says 302", "HOOK-REDIRECT", ("partner", "webhook-send", "{leads}"), APP),
    Misfortune("an app without HTTPS", "LINK-CHECK-ADDRESS", ("partner", "link-check", "http://127.0.0.1:{free}"), APP),
)  # fmt: skip


@contextlib.asynccontextmanager
async def _surroundings() -> AsyncIterator[dict[str, str]]:
    async with foreign(says(404, {})) as where, foreign(says(500, {})) as fails, foreign(says(302, {})) as leads:
        urls = {"url": f"http://{where}/hook", "fails": f"http://{fails}/hook", "leads": f"http://{leads}/hook"}
        with contextlib.closing(listen("127.0.0.1", 0)) as taken:
            yield {"port": str(taken.getsockname()[1]), "free": str(free_port()), **urls}


@contextlib.asynccontextmanager
async def _somebody(lab: Lab, misfortune: Misfortune) -> AsyncIterator[tuple[SimulatedRing, dict[str, str]]]:
    async with signed_in(lab) as (ring, env):
        if not misfortune.signed:
            os.unlink(Path(env["RINGLIGHT_STATE_DIR"]) / "tokens.json")
            ring.world.asks_code = True
        yield ring, env


def command_meets(misfortune: Misfortune) -> Run:
    async def run(lab: Lab) -> Outcome:
        async with _somebody(lab, misfortune) as (_, env), _surroundings() as there:
            args = [arg.format(**there) for arg in misfortune.args]
            given = {name: value.format(**there) if "{" in value and name != "RINGLIGHT_PARTNER__HMAC_KEYS" else value
                     for name, value in misfortune.env.items()}  # fmt: skip
            if misfortune.before is not None:
                misfortune.before(lab.folder, env)
            first = await command(*args, env={**env, **given}, cwd=lab.folder, text=misfortune.text)
            assert "Traceback" not in first.err, first.err
            if first.status not in (1, 2):  # a fault was found, or wrong use
                return Outcome(first.code, f"ended with {first.status}: {first.said}", first.read_after)
            if misfortune.mended is None:
                return Outcome(first.code, first.said, first.read_after)
            healed = {name: value for name, value in {**env, **given, **misfortune.mended}.items() if value}
            began = time.monotonic()
            again = await command(*args, env=healed, cwd=lab.folder, text=misfortune.text)
            back = again.status == 0
            return Outcome(first.code, first.said, first.read_after, "when asked again" if back else "not yet",
                           time.monotonic() - began)  # fmt: skip

    return run


def setup_cells() -> Iterator[Cell]:
    for misfortune in MISFORTUNES:
        yield Cell(misfortune.code, Met.COMMAND, f"`{misfortune.args[0]}`: {misfortune.what}",
                   command_meets(misfortune), is_quick=misfortune.what == "no copy")  # fmt: skip
