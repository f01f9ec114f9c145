"""The report as a page of its own, fit to be attached to a bug report: secrets are taken out. Pure."""

import html
import re
from collections.abc import Callable, Iterable
from typing import TypeAlias

from ringlight.doctor.findings import Finding
from ringlight.doctor.report import Report
from ringlight.faults import FAULTS

__all__ = ["as_page", "without_secrets"]

Shown: TypeAlias = Callable[[str], str]

_SECRETS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?<![\w-])[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}\b"), "(token)"),  # a JWT
    (re.compile(r"(?i)\b(token|ticket|secret|password|key|nonce|code)=[^\s&\"']+"), r"\1=(removed)"),
    (re.compile(r"//[^/\s@]+@"), "//(removed)@"),
    (re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]++(\.[\w-]++)+"), "(e-mail)"),
    (re.compile(r"\b[A-Za-z0-9+/_-]{40,}={0,2}"), "(long text)"),
    (re.compile(r"(?<![\w.])/(home|Users)/[^/\s]+"), "~"),
)
_PUBLIC = re.compile(
    r"\b(?!127\.|10\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.|0\.0\.0\.0)(\d{1,3}\.\d{1,3})\.\d{1,3}\.\d{1,3}\b"
)
_STYLE = """
:root { color-scheme: light dark; --line: #8884; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; } td, th { border-top: 1px solid var(--line); padding: .4rem .5rem;
text-align: left; vertical-align: top; overflow-wrap: anywhere; } .first { border: 2px solid #c60; border-radius: .5rem;
padding: 0 1rem; } .fault { color: #c22; font-weight: bold; } .note { color: #a60; } .skipped { opacity: .6; }
"""


def without_secrets(text: str, names: Iterable[str] = ()) -> str:
    """Take out what looks like a secret, a mail address or a public IP address; and names, such as those of cameras."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    text = _PUBLIC.sub(r"\1.x.x", text)
    for number, name in enumerate(sorted({name for name in names if name}, key=len, reverse=True), 1):
        text = text.replace(name, f"camera {number}")
    return text


def as_page(report: Report, cameras: Iterable[str] = ()) -> str:
    """Return the report as one HTML page without scripts and without anything from elsewhere.

    Args:
        report: What was found.
        cameras: Names that are nobody's business; each becomes a number.
    """
    hidden = tuple(cameras)

    def shown(text: str) -> str:
        return html.escape(without_secrets(text, hidden))

    first = report.verdict.first
    head = "Nothing is wrong as far as this can be seen from here." if first is None else ""
    rows = "\n".join(_row(finding, shown) for finding in report.findings)
    rest = "".join(f"<li>{_named(one, shown)}</li>" for one in report.verdict.rest)
    effects = "".join(f"<li>{_named(one, shown)}; goes away with {cause}</li>" for one, cause in report.verdict.effects)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Ringlight: what is wrong</title><style>{_STYLE}</style></head><body>
<h1>What is wrong</h1>
<p>Ringlight {html.escape(report.version)} on {html.escape(report.system)}, in {report.seconds:.1f} s.
Tokens, mail addresses, names of cameras and public addresses were taken out. Read it before you send it.</p>
{_cause(first, shown) if first is not None else f"<p>{head}</p>"}
{f"<h2>Then</h2><ul>{rest}</ul>" if rest else ""}
{f"<h2>What follows from these</h2><ul>{effects}</ul>" if effects else ""}
<h2>Every check</h2>
<table><thead><tr><th>Check</th><th>Outcome</th><th>Seen</th><th>Expected</th></tr></thead><tbody>
{rows}
</tbody></table></body></html>
"""


def _cause(first: Finding, shown: Shown) -> str:
    fault = FAULTS[first.code or ""]
    return (
        f'<section class="first"><h2>Fix this first: {fault.code}</h2>'
        f"<p><strong>{html.escape(fault.title)}</strong></p>"
        f"<p>{html.escape(fault.cause)}</p><p>Seen by <code>{shown(first.name)}</code>: {shown(first.seen)}</p>"
        f"<p>What to do: {html.escape(fault.fix)}</p></section>"
    )


def _named(finding: Finding, shown: Shown) -> str:
    fault = FAULTS[finding.code or ""]
    return f"{fault.code}: {html.escape(fault.title)} ({shown(finding.seen)})"


def _row(finding: Finding, shown: Shown) -> str:
    code = f" <code>{finding.code}</code>" if finding.code else ""
    mark = finding.mark.value
    return (
        f"<tr><td><code>{shown(finding.name)}</code><br>{html.escape(finding.row.looks_at)}</td>"
        f'<td class="{mark}">{mark}{code}</td><td>{shown(finding.seen)}</td>'
        f"<td>{html.escape(finding.row.expected)}</td></tr>"
    )
