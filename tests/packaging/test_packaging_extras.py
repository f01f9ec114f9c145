"""Each extra is one that there is, works alone, and is named where it lacks."""

import subprocess
import sys
from importlib import metadata

import fresh
import pytest
from packaging.requirements import Requirement

EXTRAS = {
    "aiohttp": {"aiohttp"},
    "keyring": {"keyring"},
    "mqtt": {"aiomqtt"},
    "otel": {"opentelemetry-api", "opentelemetry-exporter-otlp-proto-http", "opentelemetry-sdk"},
    "postgres": {"psycopg"},
    "redis": {"redis"},
}
# What is asked for without the extra: the packages that lack, and what asks for them.
WITHOUT = {
    "redis": ("redis", "from ringlight.http.redis import redis_package\nredis_package()"),
    "postgres": ("psycopg", "from ringlight.store.database import Database\nDatabase('postgresql://h/d')"),
    "keyring": ("keyring", "from ringlight.store.opening import open_pairs\nopen_pairs('keyring:')"),
    "mqtt": (
        "aiomqtt",
        "import asyncio\nfrom ringlight.home.broker import connected\nfrom ringlight.secrets import Secret\n"
        "asyncio.run(connected(Secret('mqtt://h'), 's').__aenter__())",
    ),
    "otel": (
        "opentelemetry.sdk",
        "from ringlight.server.exporting import exporting_spans\n"
        "exporting_spans({'OTEL_EXPORTER_OTLP_ENDPOINT': 'http://h'}).__enter__()",
    ),
}


def _of(extra: str) -> set[str]:
    wanted = [Requirement(text) for text in metadata.requires("ringlight") or ()]
    return {
        one.name
        for one in wanted
        if one.marker is not None and one.marker.evaluate({"extra": extra}) and not one.marker.evaluate({"extra": ""})
    }


def test_these_are_the_extras_and_what_each_brings() -> None:
    given = set(metadata.metadata("ringlight").get_all("Provides-Extra") or ()) - {"dev", "audit", "fuzz"}
    assert {extra: _of(extra) for extra in sorted(given)} == EXTRAS


@pytest.mark.program
@pytest.mark.parametrize("extra", sorted(WITHOUT))
def test_where_an_extra_lacks_the_fault_names_it(extra: str) -> None:
    """With only the required packages importable."""
    _, asks = WITHOUT[extra]
    code = f"""
from ringlight.errors import RingError
try:
    exec({asks!r})
except RingError as error:
    print(error.code, error.detail, error.fix)
"""
    assert f"ringlight[{extra}]" in _without_extras(code)


@pytest.mark.program
def test_every_module_loads_without_the_extras_but_those_that_are_for_one() -> None:
    """As `make long` tries it with the wheel, in seconds."""
    assert _without_extras(fresh.EVERY_MODULE).strip() == fresh.NEEDY.strip()


def _without_extras(code: str) -> str:
    """Run code where the packages of all extras, and pytest, cannot be imported; return what it printed."""
    hidden = ["aiohttp", "pytest", *(package for package, _ in WITHOUT.values())]
    hides = f"""
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if any(name == one or name.startswith(one + ".") for one in {hidden!r}):
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Hidden())
"""
    run = subprocess.run([sys.executable, "-c", hides + code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout
