"""Pages that are made on the server, for when the rest does not work or is not allowed yet: no script at all."""

from html import escape

from fastapi.responses import HTMLResponse

__all__ = ["onward_page", "plain_page"]

_PAGE = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
    <meta name="color-scheme" content="dark light">
{head}    <title>{title} · Ringlight</title>
    <link rel="icon" type="image/svg+xml" href="/page/favicon.svg">
    <link rel="stylesheet" href="/page/style.css">
    <link rel="stylesheet" href="/page/panels.css">
    <link rel="stylesheet" href="/page/fault-pages.css">
  </head>
  <body>
    <header class="top">
      <p class="brand"><a href="/"><img src="/page/favicon.svg" alt="" width="32" height="32">Ringlight</a></p>
      <nav aria-label="Faults"><a href="/faults">All faults</a></nav>
    </header>
    <main class="page told">
{body}
    </main>
  </body>
</html>
"""


def plain_page(title: str, body: str, *, head: str = "") -> str:
    """Return a page; `title`, `body` and `head` are HTML."""
    return _PAGE.format(title=title, body=body, head=head)


def onward_page(address: str) -> HTMLResponse:
    """Return a page that leads on to another one of ours.

    A redirect will not do: after a click on another site, browsers keep our cookie (SameSite=Strict) to themselves for
    all of the redirects, and give it only to what a page of ours asks for.
    """
    to = escape(address)
    body = f"<p>One moment. <a href='{to}'>Go on</a> if nothing happens.</p>"
    head = f"    <meta http-equiv='refresh' content='0; url={to}'>\n"
    return HTMLResponse(plain_page("One moment", body, head=head), headers={"Cache-Control": "no-store"})
