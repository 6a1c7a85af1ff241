"""The simulators' HTML pages: plainly not a broker's own, usable by keyboard, on a phone and in the dark."""

import base64
import hashlib
from dataclasses import dataclass
from html import escape

from werkzeug.wrappers import Response

from local.simulators.responses import respond

_STYLE = """
:root {
  color-scheme: light dark; --ink: #1b1b1f; --paper: #ffffff; --line: #6b6b76; --act: #14508c;
  --on-act: #ffffff; --wrong: #a3140f; --warn: #ffd84d; --on-warn: #1b1b1f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #f1f1f4; --paper: #17171b; --line: #9a9aa6; --act: #9cc8ff; --on-act: #10151c; --wrong: #ffb1ab;
  }
}
* { box-sizing: border-box; }
body { margin: 0; font: 1.0625rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
header {
  padding: 1rem; font-weight: 700; text-align: center; color: var(--on-warn); background: var(--warn);
  border-bottom: 0.25rem dashed var(--on-warn);
}
main { max-width: 26rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
label { display: block; margin-top: 1rem; font-weight: 600; }
input, button { width: 100%; min-height: 2.75rem; font: inherit; border-radius: 0.375rem; }
input { padding: 0.5rem; color: inherit; background: transparent; border: 1px solid var(--line); }
button { margin-top: 1rem; font-weight: 600; cursor: pointer; border: 2px solid var(--act); }
button[value="login"] { color: var(--on-act); background: var(--act); }
button[value="decline"] { color: var(--act); background: transparent; }
:focus-visible { outline: 3px solid var(--act); outline-offset: 3px; }
[role="alert"] {
  padding: 0.75rem; color: var(--wrong); border: 2px solid var(--wrong); border-radius: 0.375rem;
}
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode("ascii")
# No form-action: browsers hold it against the redirect that takes the customer back to the app.
_CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src 'sha256-{_STYLE_HASH}'",
        "img-src data:",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


@dataclass(frozen=True, slots=True)
class Field:
    """A text field of a login form, filled in with `value`; `choices` are offered as the customer types."""

    name: str
    label: str
    value: str
    numeric: bool = False
    choices: tuple[str, ...] = ()


def login_page(broker: str, *, action: str, challenge: str, fields: tuple[Field, ...], problem: str = "") -> Response:
    """A login form that posts to `action`: the first button logs in, the second declines.

    `broker` is the broker's name as customers know it; `problem` says why the last try failed.
    """
    alert = f'<p role="alert" id="problem">{escape(problem)}</p>' if problem else ""
    described = ' aria-describedby="problem"' if problem else ""
    inputs = "\n".join(_input(field, described) for field in fields)
    body = f"""<h1>Log in</h1>
{alert}
<p>A demo customer is filled in. Never type real credentials here.</p>
<form method="post" action="{escape(action)}" autocomplete="off">
<input type="hidden" name="login_challenge" value="{escape(challenge)}">
{inputs}
<button type="submit" name="action" value="login">Log in</button>
<button type="submit" name="action" value="decline" formnovalidate>Decline</button>
</form>"""
    return _page(broker, title="Log in", body=body, status=200)


def message_page(broker: str, *, title: str, text: str, status: int) -> Response:
    """A page that says something and leads nowhere; `text` is for the customer."""
    return _page(broker, title=title, body=f"<h1>{escape(title)}</h1>\n<p>{escape(text)}</p>", status=status)


def _input(field: Field, described: str) -> str:
    name = escape(field.name)
    mode = ' inputmode="numeric"' if field.numeric else ""
    offered, datalist = "", ""
    if field.choices:
        offered = f' list="{name}-choices"'
        options = "".join(f'<option value="{escape(choice)}"></option>' for choice in field.choices)
        datalist = f'\n<datalist id="{name}-choices">{options}</datalist>'
    return (
        f'<label for="{name}">{escape(field.label)}</label>\n'
        f'<input type="text" id="{name}" name="{name}" value="{escape(field.value)}" required'
        f' autocomplete="off" autocapitalize="none" spellcheck="false"{mode}{offered}{described}>{datalist}'
    )


def _page(broker: str, *, title: str, body: str, status: int) -> Response:
    name = escape(broker)
    html = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} - {name} simulator</title>
<link rel="icon" href="data:,">
<style>{_STYLE}</style>
</head>
<body>
<header>SIMULATOR — not the real {name}</header>
<main>
{body}
</main>
</body>
</html>
"""
    response = respond(html, status=status, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _CONTENT_SECURITY_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
