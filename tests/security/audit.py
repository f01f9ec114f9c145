"""`make audit`: asks which weaknesses of the installed packages are known, by pip-audit and the OSV database.

Where the database cannot be reached, nothing was learned: that is said, and it is neither good nor a failure.
"""

import json
import subprocess
import sys
from typing import Any

COMMAND = [
    sys.executable, "-m", "pip_audit", "--vulnerability-service", "osv", "--skip-editable", "--format", "json",
    "--progress-spinner", "off", "--timeout", "15",
]  # fmt: skip
WITHIN = 120  # seconds for all packages
UNKNOWN = (
    "NOT AUDITED: {why}. Nothing was learned of the installed packages; run `make audit` where there is a network."
)


def main() -> int:
    """Ask; return 1 where a weakness is known."""
    try:
        asked = subprocess.run(COMMAND, capture_output=True, text=True, check=False, timeout=WITHIN)
    except subprocess.TimeoutExpired:
        print(UNKNOWN.format(why=f"no answer within {WITHIN} s"))
        return 0
    report = read(asked.stdout)
    if report is None:
        last = next((line for line in reversed(asked.stderr.splitlines()) if line.strip()), "pip-audit said nothing")
        print(UNKNOWN.format(why=last.strip()[:200]))
        return 0
    known = [(one, weakness) for one in report for weakness in one.get("vulns", ())]
    for one, weakness in known:
        mended = ", ".join(weakness.get("fix_versions", ())) or "no version yet"
        print(f"{one['name']} {one['version']}: {weakness['id']}, mended in {mended}")
    print(f"{len(report)} packages, {len(known)} known weaknesses")
    return 1 if known else 0


def read(text: str) -> list[dict[str, Any]] | None:
    """Return the packages of a report; `None` where there is none."""
    try:
        found = json.loads(text)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return None
    return [one for one in found if "version" in one] if isinstance(found, list) else None


if __name__ == "__main__":
    sys.exit(main())
