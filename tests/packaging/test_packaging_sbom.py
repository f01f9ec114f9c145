"""The bill of materials: what the wheel brings with it, in CycloneDX."""

import json
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement

from ringlight import __version__

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.program


@pytest.mark.long
def test_the_bill_is_valid_and_names_every_required_dependency(tmp_path: Path) -> None:
    """The environment is this one: to make a clean one takes a minute, which `make sbom` does."""
    out = tmp_path / "sbom.json"
    run = subprocess.run(
        ["sh", str(ROOT / "tests" / "packaging" / "sbom.sh"), str(ROOT / ".venv" / "bin" / "python"), str(out)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    text = out.read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill: dict[str, Any] = json.loads(text)
    assert (bill["metadata"]["component"]["name"], bill["metadata"]["component"]["version"]) == (
        "ringlight",
        __version__,
    )
    found = {one["name"].lower().replace("_", "-"): one for one in bill["components"]}
    needed = [Requirement(text) for text in metadata.requires("ringlight") or ()]
    for name in (one.name.lower() for one in needed if one.marker is None):
        assert name in found, name
        assert found[name]["purl"].startswith(f"pkg:pypi/{name}@"), name
        assert found[name].get("licenses"), name
