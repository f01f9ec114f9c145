"""Fixtures for all tests: the command line as a process, and a real Chromium."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from own_postgres import PROGRAMS, OwnPostgres

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from ringlight.store.database import Database

RINGLIGHT = Path(sys.executable).with_name("ringlight")
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# A shell lets what it starts in the background ignore Ctrl-C, and the programs under test would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
# On a busy machine an example may take its time; what it finds is the same.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")
START_WITHIN = 30  # seconds
STOP_WITHIN = 60  # seconds; a machine that is forty times too busy has needed more than 15


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _levels_of_our_log() -> Iterator[None]:
    """What a command sets for its process is taken back: others look for what is logged."""
    loggers = [logging.getLogger(name) for name in ("ringlight", "ring.live")]
    levels = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


class Program:
    """A command of ours that runs until it is stopped."""

    def __init__(self, *args: str, env: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [str(RINGLIGHT), *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith("ready http://"):
            self.process.kill()
            _, said = self.process.communicate()
            raise AssertionError(f"no ready line but {line!r}; stderr: {said}")
        self.url = line.split()[1]

    def stop(self) -> tuple[int, str]:
        """Stop it as Ctrl-C does; return exit code and stderr."""
        self.process.terminate()
        _, said = self.process.communicate(timeout=STOP_WITHIN)
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()
        return self.process.returncode, said


def clean_environment(state: Path) -> dict[str, str]:
    """An environment in which no setting of the developer's own is left."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGLIGHT_")}
    return {**kept, "RINGLIGHT_STATE_DIR": str(state), "NO_COLOR": "1"}


def sqlite_address(folder: Path) -> str:
    """Where a program that keeps its state in a folder has its database."""
    return f"sqlite:///{folder / 'state' / 'ringlight.db'}"


@pytest.fixture(scope="session", autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A place for what outlives a program that a test runs in its own process, instead of the developer's."""
    state = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RINGLIGHT_STATE_DIR", str(state))
        yield state


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return clean_environment(tmp_path / "state")


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Callable[..., Program]]:
    """Start commands; those that still run are stopped at the end of the test."""
    programs: list[Program] = []

    def begin(*args: str, **settings: str) -> Program:
        programs.append(Program(*args, env={**environment, **settings}))
        return programs[-1]

    yield begin
    for program in programs:
        if program.process.poll() is None:
            program.stop()
        for pipe in (program.process.stdout, program.process.stderr):
            if pipe is not None:
                pipe.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[OwnPostgres]:
    """A real PostgreSQL, Debian's. `make test` installs it; without it the tests that need it are left out."""
    if not PROGRAMS:
        pytest.skip("PostgreSQL is not installed")
    server = OwnPostgres()
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a new database of either kind."""
    if request.param == "sqlite":
        return sqlite_address(tmp_path)
    postgres: OwnPostgres = request.getfixturevalue("postgres")
    return postgres.new_database()


@pytest.fixture
def database(where: str) -> "Iterator[Database]":
    """A new database of either kind, opened."""
    from ringlight.store.database import Database

    opened = Database(where)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def chromium() -> "Iterator[Browser]":
    """A real Chromium, Debian's. Not for the whole session: its driver's event loop would stand in others' way."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a demo."""
    program = Program("demo", "--port", "0", env=clean_environment(tmp_path_factory.mktemp("state")))
    yield program.url
    program.stop()
