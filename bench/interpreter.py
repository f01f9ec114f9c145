"""Which Python serves in a measurement beside a program that is compiled with every optimization.

Built from source with no options, as by version managers, CPython is compiled without a profile of what it runs
(`--enable-optimizations`), and its part of a message of the rooms takes a fourth more or worse. What systems and
containers install has one, as Node.js does.
"""

import os
import sys
import sysconfig
from pathlib import Path

__all__ = ["environment_for", "said_of", "usual_python"]


def usual_python() -> str:
    """Return this interpreter, or the system's of the same version where this one is compiled without a profile."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    system = Path("/usr/bin") / version
    return sys.executable if _is_optimized() or not system.is_file() else str(system)


def environment_for(python: str) -> dict[str, str]:
    """Return what another interpreter of the same version needs to run what is installed here."""
    if python == sys.executable:
        return {}
    here = [sysconfig.get_path("purelib"), str(Path(__file__).parents[1] / "src")]
    return {"PYTHONPATH": os.pathsep.join([*here, os.environ.get("PYTHONPATH", "")])}


def said_of(python: str) -> str:
    """Return which one it is, in words."""
    if python != sys.executable:
        return "the server runs on the system's Python, as this one is compiled without optimizations"
    return "the server runs on this Python" + ("" if _is_optimized() else ", which is compiled without optimizations")


def _is_optimized() -> bool:
    # Debian builds with a profile by rules of its own, and says nothing of it here; elsewhere it is said.
    given = str(sysconfig.get_config_var("CONFIG_ARGS") or "")
    return "--enable-optimizations" in given or sys.base_prefix == "/usr"
