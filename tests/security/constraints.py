"""`make constraints`: the versions that are installed here, one a line, for `make LOCKED=1`."""

import sys
from importlib.metadata import distributions

from packaging.utils import canonicalize_name

OURS = {"ringlight", "pip", "setuptools", "wheel"}


def lines() -> list[str]:
    """Return each package of this environment that the extra `dev` brings along, with its version."""
    installed = {canonicalize_name(one.name): one for one in distributions()}
    wanted, found = ["ringlight"], dict[str, str]()
    while wanted:
        name = wanted.pop()
        one = installed.get(canonicalize_name(name))
        if one is None or name in found:
            continue
        found[name] = one.version
        for requirement in one.requires or ():
            wanted += _wanted(requirement)
    return sorted(f"{name}=={version}" for name, version in found.items() if name not in OURS)


def _wanted(text: str) -> list[str]:
    from packaging.requirements import Requirement

    requirement = Requirement(text)
    extras = ("dev", "aiohttp", "keyring", "mqtt", "otel", "postgres", "redis", "binary", "python", "hiredis", "")
    applies = requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras)
    return [canonicalize_name(requirement.name)] if applies else []


if __name__ == "__main__":
    print(f"# Made by `make constraints` with Python {sys.version_info.major}.{sys.version_info.minor}.")
    print("\n".join(lines()))
