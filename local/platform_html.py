"""The example platform's pages: plain HTML, no script."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from html import escape

_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:1rem/1.5 system-ui,sans-serif;margin:0;overflow-wrap:anywhere}"
    "header{padding:.75rem;background:#3d2a63;color:#fff;font-weight:600;text-align:center}"
    "main{max-width:27rem;margin:0 auto;padding:1rem}h1{margin:.5rem 0;font-size:1.5rem}"
    "h2{margin:1.5rem 0 .5rem;font-size:1.125rem}label{display:block;margin:.75rem 0 .25rem}"
    "select,input,button{box-sizing:border-box;width:100%;min-height:2.75rem;padding:.4rem .6rem;font:inherit}"
    "button{margin-top:1rem}dt{font-weight:600}dd{margin:0 0 .5rem}a{display:inline-block;line-height:2.75rem}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

# There is no form-action: Chromium applies it to the redirects after a form too, and "Connect" ends at a
# broker.
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
)
BROKER_NAMES: Mapping[str, str] = {"pocketful": "Pocketful", "fivepaisa": "5paisa"}
_BACK = '<p><a href="/example/">Back to the platform</a></p>'
_IST = timezone(timedelta(hours=5, minutes=30))


def home(user: str | None, users: Sequence[str], token: str) -> str:
    """Return the start page: who is logged in, what to connect; ``token`` proves that a form is this page's."""
    login = _form("login", token, _select("user", "Demo user", {name: name for name in users}, user), "Log in")
    if user is None:
        return _page("Example platform", "<p>Nobody is logged in.</p>" + login)
    account = (
        '<label for="account">Account (optional; 5paisa needs it)</label>'
        '<input id="account" name="account" autocomplete="off" maxlength="64">'
    )
    connect = _form("connect", token, _select("broker", "Broker", BROKER_NAMES, None) + account, "Connect")
    return _page(
        "Example platform",
        f"<p>Logged in as <strong>{escape(user)}</strong>.</p>"
        f"<h2>Connect a broker</h2>{connect}<h2>Somebody else</h2>{login}",
    )


def outcome(hint: Mapping[str, str], title: str, facts: Mapping[str, str]) -> str:
    """Return the page after a login: what the URL said, and what brokerlink's API says."""
    return _page(
        title,
        f"<h2>What brokerlink's API says</h2>{_facts(facts)}"
        f"<h2>What the browser brought</h2><p>A hint, not a fact: anybody can write a URL.</p>{_facts(hint)}{_BACK}",
    )


def notice(title: str, sentence: str) -> str:
    """Return a page with one sentence."""
    return _page(title, f"<p>{escape(sentence)}</p>{_BACK}")


def in_india(epoch: int) -> str:
    """Return a time as a customer in India reads it."""
    return datetime.fromtimestamp(epoch, UTC).astimezone(_IST).strftime("%d %B %Y, %H:%M:%S IST")


def _page(title: str, content: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        "<body><header>DEMO — plays a trading platform</header>"
        f"<main><h1>{escape(title)}</h1>{content}</main></body></html>"
    )


def _form(action: str, token: str, fields: str, button: str) -> str:
    return (
        f'<form method="post" action="/example/{action}">'
        f'<input type="hidden" name="token" value="{escape(token)}">{fields}'
        f'<div><button type="submit">{escape(button)}</button></div></form>'
    )


def _select(name: str, label: str, options: Mapping[str, str], chosen: str | None) -> str:
    choices = "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>{escape(text)}</option>'
        for value, text in options.items()
    )
    return f'<label for="{name}">{escape(label)}</label><select id="{name}" name="{name}">{choices}</select>'


def _facts(facts: Mapping[str, str]) -> str:
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in facts.items())
    return f"<dl>{rows}</dl>"
