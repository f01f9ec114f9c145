"""The page of the docs that lists every check, made from the list itself. Pure."""

from ringlight.doctor.checks import CHECKS, Area

__all__ = ["AREAS", "as_markdown"]

# What each area is called, and how its checks are run.
AREAS: dict[Area, tuple[str, str]] = {
    "machine": ("This machine", "with every target but an address alone"),
    "server": ("Our own server", "`ringlight doctor server`"),
    "address": ("An address", "`ringlight doctor ADDRESS`, and the addresses of Ring and of our own server"),
    "relay": ("STUN and TURN", "`ringlight doctor network` and `room`"),
    "account": ("The Ring account", "`ringlight doctor account`"),
    "camera": ("One camera", "`ringlight doctor CAMERA`; it opens a live view"),
    "partner": ("The Partner API", "`ringlight doctor partner`"),
    "browser": ("The browser", "the button “What is wrong?” on the page"),
}
_HEAD = """# The doctor's checks

Every check of `ringlight doctor` by the name that it has in the output and in `--json`. Names do not change. A fault
that Ring itself, or a part of Ringlight, names keeps its own code beside those of the last column. How to use the
doctor: [Find out what is wrong](../how-to/find-out-what-is-wrong.md).

<!-- Made from src/ringlight/doctor/checks.py; tests/docs/test_docs_doctor.py says how to make it anew. -->
"""


def as_markdown() -> str:
    """Return the page."""
    parts = [_HEAD]
    for area, (title, when) in AREAS.items():
        rows = [check for check in CHECKS.values() if check.area == area]
        parts.append(f"\n## {title}\n\nLooked at: {when}.\n")
        parts.append("\n| check | what is looked at | expected | faults of its own |\n| --- | --- | --- | --- |\n")
        for row in rows:
            codes = ", ".join(f"`{code}`" for code in row.codes) or "none"
            parts.append(f"| `{row.name}` | {row.looks_at} | {row.expected} | {codes} |\n")
    return "".join(parts)
