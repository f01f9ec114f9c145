"""Names of a package that are loaded at their first use (PEP 562): who needs one of them does not pay for all."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["from_homes"]


def from_homes(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package.

    Args:
        package: Its `__name__`.
        homes: The module in which each public name lives.
    """

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(homes[name]), name)

    return load
