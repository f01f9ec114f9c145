"""The small pages of linking, for apps that bring none of their own: sign-in, confirmation, result, fault."""

from collections.abc import Iterable
from html import escape

from fastapi.responses import HTMLResponse

from ringlight.errors import RingError
from ringlight.store.links import AccountLink

__all__ = ["confirm_page", "fault_page", "home_page", "linked_page", "sign_in_page"]

_HEADERS = {
    "Cache-Control": "no-store",
    # The address holds the nonce: it goes nowhere else.
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:26rem;margin:10vh auto;padding:0 1rem}"
    "body{color:#1b2430;background:#fff}"
    "h1{font-size:1.4rem}label{display:block;margin:1rem 0}"
    "input,button{font:inherit;padding:.5rem .7rem;border:1px solid #6b7684;border-radius:.4rem}"
    "input,button{width:100%;box-sizing:border-box}"
    "button{background:#14508c;color:#fff;border-color:#14508c}dt{font-weight:600}dd{margin:0 0 .7rem}"
    "@media(prefers-color-scheme:dark){body{color:#e7ecf2;background:#12171e}input{background:#1c232d;color:inherit}}"
)


def sign_in_page(
    app: str, hidden: Iterable[tuple[str, str]], wrong: RingError | None = None, *, status: int = 200
) -> HTMLResponse:
    """Ask for name and password; what is `hidden` comes back with them."""
    said = f'<p role="alert">{escape(wrong.fault.title)}. {escape(wrong.fix)}</p>' if wrong is not None else ""
    return _page(
        f"Sign in to {app}",
        f"<p>Sign in to link your Ring account to {escape(app)}.</p>{said}"
        f'<form method="post">{_hidden(hidden)}'
        '<label>Name or e-mail<input name="name" autocomplete="username" required autofocus></label>'
        '<label>Password<input name="password" type="password" autocomplete="current-password" required></label>'
        "<button>Sign in and link</button></form>",
        status,
    )


def confirm_page(app: str, identifier: str, hidden: Iterable[tuple[str, str]]) -> HTMLResponse:
    """Ask somebody who is signed in already; nothing is linked without a click."""
    return _page(
        f"Link Ring to {app}",
        f"<p>Link your Ring account to <strong>{escape(identifier)}</strong>?</p>"
        f'<form method="post">{_hidden(hidden)}<button>Link</button></form>',
    )


def linked_page(app: str, link: AccountLink, home: str) -> HTMLResponse:
    """Say that it is done."""
    return _page(
        "Linked",
        f'<p data-state="{link.state.value}">Your Ring account is linked to {escape(app)} '
        f'as <strong>{escape(link.identifier or "")}</strong>.</p><p><a href="{escape(home)}">Go on</a></p>',
    )


def home_page(app: str, links: Iterable[AccountLink]) -> HTMLResponse:
    """Show how the links of whoever is signed in stand."""
    rows = "".join(f"<li>Ring account …{escape(link.account[-6:])}: {link.state.value}</li>" for link in links)
    listed = f"<ul>{rows}</ul>" if rows else "<p>Sign in to the app to see your Ring account here.</p>"
    return _page(app, listed + "<p>To remove the app, open Ring's app and go to My Apps.</p>")


def fault_page(error: RingError) -> HTMLResponse:
    """Say what went wrong, why, and what to do."""
    fault = error.fault
    seen = f"<dt>Seen</dt><dd>{escape(error.detail)}</dd>" if error.detail else ""
    return _page(
        fault.title,
        f'<dl data-code="{fault.code}"><dt>Code</dt><dd>{fault.code}</dd><dt>Cause</dt><dd>{escape(fault.cause)}</dd>'
        f"<dt>Fix</dt><dd>{escape(fault.fix)}</dd>{seen}</dl>",
        fault.http,
    )


def _hidden(fields: Iterable[tuple[str, str]]) -> str:
    return "".join(f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in fields)


def _page(title: str, body: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style><h1>{escape(title)}</h1>{body}</html>",
        status,
        _HEADERS,
    )
