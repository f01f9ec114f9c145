"""The bill of materials: what the wheel brings with it, and nothing else, in CycloneDX."""

import json
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ringlight import __version__

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.program


def brought_along(name: str, extras: frozenset[str] = frozenset()) -> set[str]:
    """Return what a package needs here, and what that needs in turn; without the extras that nobody asked for."""
    found, wanted = set[tuple[str, frozenset[str]]](), [(canonicalize_name(name), extras)]
    while wanted:
        one = wanted.pop()
        if one in found:
            continue
        found.add(one)
        wanted += [
            (canonicalize_name(needed.name), frozenset(needed.extras))
            for needed in map(Requirement, metadata.requires(one[0]) or ())
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in {"", *one[1]})
        ]
    return {each for each, _ in found} - {name}


@pytest.mark.long
def test_the_bill_is_valid_and_names_what_the_wheel_brings_and_nothing_else() -> None:
    """`make sbom` makes an environment for it, which takes a minute; what we develop with is not in there."""
    run = subprocess.run(["make", "sbom"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    text = (ROOT / "dist" / "sbom.json").read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill: dict[str, Any] = json.loads(text)
    ours = bill["metadata"]["component"]
    assert (ours["name"], ours["version"]) == ("ringlight", __version__)
    found = {canonicalize_name(one["name"]): one for one in bill["components"]}
    assert set(found) == brought_along("ringlight")
    for name, one in found.items():
        assert one["purl"] == f"pkg:pypi/{name}@{one['version']}", name
        assert one.get("licenses"), name
