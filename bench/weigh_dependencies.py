"""What each required dependency and each extra weighs: megabytes on disk with what it brings, and its import's time.

Usage: python bench/weigh_dependencies.py            prints what the tables of docs/decisions/0002-dependencies.md say

The time is that of `python -X importtime`, cumulative, in a process of its own; the best of three. What two libraries
share is counted with both: the last line has the whole.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

MODULES = {
    "aioice": "aioice", "alembic": "alembic.command", "av": "av",
    "cryptography": "cryptography.hazmat.primitives.ciphers",
    "fastapi": "fastapi", "filelock": "filelock", "httptools": "httptools", "httpx2": "httpx2", "ifaddr": "ifaddr",
    "joserfc": "joserfc.jwt", "msgspec": "msgspec", "platformdirs": "platformdirs",
    "prometheus-client": "prometheus_client", "pydantic-settings": "pydantic_settings", "pylibsrtp": "pylibsrtp",
    "pyopenssl": "OpenSSL.SSL", "rich": "rich.console", "sqlalchemy": "sqlalchemy", "typer": "typer",
    "uvicorn": "uvicorn", "uvloop": "uvloop", "websockets": "websockets.asyncio.client", "aiohttp": "aiohttp",
    "keyring": "keyring", "psycopg": "psycopg", "redis": "redis.asyncio", "aiomqtt": "aiomqtt",
    "opentelemetry-api": "opentelemetry.trace", "opentelemetry-sdk": "opentelemetry.sdk.trace",
    "opentelemetry-exporter-otlp-proto-http": "opentelemetry.exporter.otlp.proto.http.trace_exporter",
}  # fmt: skip


def requirements(name: str, extra: str = "") -> Iterator[Requirement]:
    for text in metadata.requires(name) or ():
        wanted = Requirement(text)
        if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
            yield wanted


def with_all(name: str, extras: frozenset[str] = frozenset()) -> set[str]:
    """Return the names of a distribution and of all that it needs."""
    found, waiting = set[str](), [(name, extras)]
    while waiting:
        one, wanted = waiting.pop()
        key = re.sub(r"[-_.]+", "-", one).lower()
        if key in found:
            continue
        found.add(key)
        for extra in ("", *wanted):
            waiting += [(need.name, frozenset(need.extras)) for need in requirements(one, extra)]
    return found


def size(name: str) -> int:
    """Bytes of a distribution's files, compiled ones left out."""
    files = metadata.distribution(name).files or ()
    places = (Path(str(one.locate())) for one in files if not one.name.endswith(".pyc"))
    return sum(place.stat().st_size for place in places if place.is_file())


def import_ms(module: str) -> float:
    best = float("inf")
    for _ in range(3):
        run = subprocess.run(
            [sys.executable, "-X", "importtime", "-c", f"import {module}"], capture_output=True, text=True, check=True
        )
        lines = [line.split("|") for line in run.stderr.splitlines() if line.startswith("import time:")][1:]
        # Top-level lines are not indented; those of the interpreter's own start come before `site`.
        top = [(line[2].strip(), int(line[1])) for line in lines if len(line[2]) - len(line[2].lstrip()) == 1]
        after = top[next(i for i, (name, _) in enumerate(top) if name == "site") + 1 :]
        best = min(best, sum(took for _, took in after) / 1000)
    return best


def rows() -> Iterator[tuple[str, str, float, float]]:
    """Yield extra (empty: required), name, megabytes with all that it brings, milliseconds."""
    given = set(metadata.metadata("ringlight").get_all("Provides-Extra") or ())
    extras = ("", *sorted(given - {"dev", "audit", "fuzz"}))  # those are for who works on it
    required = {one.name for one in requirements("ringlight")}
    for extra in extras:
        for one in sorted(requirements("ringlight", extra), key=lambda one: one.name):
            if extra and one.name in required:
                continue
            weight = sum(size(name) for name in with_all(one.name, frozenset(one.extras)))
            yield extra, one.name, weight / 1e6, import_ms(MODULES[one.name])


def main() -> None:
    print("| library | needed for | MB with what it brings | import, ms |\n|---|---|---|---|")
    for extra, name, weight, took in rows():
        print(f"| {name} | {f'the extra `{extra}`' if extra else 'always'} | {weight:.1f} | {took:.0f} |")
    everything = with_all("ringlight") - {"ringlight"}
    total, took = sum(size(name) for name in everything) / 1e6, import_ms("ringlight.server.program")
    print(f"| all {len(everything)} that are always needed | | {total:.0f} | {took:.0f} |")


if __name__ == "__main__":
    main()
