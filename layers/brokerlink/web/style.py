"""The one style sheet, inline in every page, and the policy that allows it and nothing else."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

STYLE: Final = """
:root { color-scheme: light dark; --page: #f2f5f8; --card: #fff; --ink: #14202b; --soft: #4d5b69;
  --line: #d3dbe3; --act: #0b57a4; --press: #08417b; --on-act: #fff; --good: #0a6638; --good-bg: #e1f3e8;
  --warn: #804600; --warn-bg: #fcefd9; --info: #0b57a4; --info-bg: #e4eefa }
@media (prefers-color-scheme: dark) {
  :root { --page: #0f151b; --card: #19222b; --ink: #e9eef3; --soft: #a9b6c3;
    --line: #34414e; --act: #8cc0ff; --press: #b5d6ff; --on-act: #08213d; --good: #7fdca6; --good-bg: #143524;
    --warn: #f5c27a; --warn-bg: #3b2a10; --info: #8cc0ff; --info-bg: #16304d }
}
* { box-sizing: border-box }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100% }
body { margin: 0; padding: 16px 16px 24px; min-height: 100vh; display: flex; flex-direction: column;
  align-items: center; background: var(--page); color: var(--ink); overflow-wrap: anywhere;
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif }
header, main, footer { width: 100%; max-width: 27rem }
header { display: flex; align-items: center; gap: .5rem; padding: 4px 0 16px; color: var(--soft);
  font-weight: 600 }
main { padding: 24px; border: 1px solid var(--line); border-radius: 16px; background: var(--card);
  box-shadow: 0 1px 3px rgb(0 0 0 / .08) }
footer { padding: 16px 4px 0; color: var(--soft); font-size: .875rem }
svg { display: block; flex: none }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.25 }
h2 { margin: 0; font-size: 1.125rem; line-height: 1.4 }
p { margin: 0 0 1rem }
p:last-child { margin-bottom: 0 }
.top { display: flex; align-items: center; gap: 12px; margin-bottom: 16px; color: var(--soft);
  font-weight: 600 }
.mark { display: grid; place-items: center; flex: none; width: 48px; height: 48px; border-radius: 50% }
.good { color: var(--good); background: var(--good-bg) }
.warn { color: var(--warn); background: var(--warn-bg) }
.info { color: var(--info); background: var(--info-bg) }
.button { display: flex; align-items: center; justify-content: center; width: 100%; min-height: 52px;
  padding: 10px 8px; border: 2px solid var(--act); border-radius: 12px; background: var(--act);
  color: var(--on-act); font: inherit; font-weight: 600; text-align: center; text-decoration: none;
  cursor: pointer }
.button:hover, .button:active { border-color: var(--press); background: var(--press) }
.button.quiet { background: none; color: var(--act) }
.button.quiet:hover, .button.quiet:active { color: var(--press) }
.more { display: flex; align-items: center; justify-content: center; min-height: 44px; margin-top: 8px;
  color: var(--act) }
.more:last-child { margin-bottom: -12px }
:focus-visible { outline: 3px solid var(--act); outline-offset: 3px; border-radius: 12px }
.note { margin-top: 20px; padding: 12px 16px; border-radius: 12px }
.small { color: var(--soft); font-size: .875rem }
.reference { margin-top: 16px; padding-top: 12px; border-top: 1px solid var(--line) }
.brokers { list-style: none; margin: 20px 0 0; padding: 0 }
.brokers li + li { margin-top: 20px; padding-top: 20px; border-top: 1px solid var(--line) }
.brokers .button { margin-top: 12px }
.brokers.plain { margin-top: 0 }
.plain li + li { margin-top: 8px; padding-top: 8px }
.plain .more { justify-content: start; margin: 0; font-weight: 600 }
.until { display: flex; align-items: start; gap: 6px; color: var(--good) }
.until svg { margin-top: 2px }
dl { margin: 16px 0 20px; border-top: 1px solid var(--line) }
dl div { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 16px; padding: 10px 0;
  border-bottom: 1px solid var(--line) }
dt { color: var(--soft) }
dd { margin: 0 0 0 auto; font-weight: 600; text-align: right }
dd .small { display: block; font-weight: 400 }
.spin { animation: spin 1s linear infinite }
@keyframes spin { to { transform: rotate(1turn) } }
@media (max-width: 19rem) { body { padding: 8px } main { padding: 16px } h1 { font-size: 1.25rem } }
@media (prefers-reduced-motion: reduce) { .spin { animation: none } }
"""

# CSP Level 3 §6.7.3: the hash is over exactly the text between the tags, so it is made from what is sent.
STYLE_HASH: Final = f"sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}"

_NOTHING_ELSE: Final = (
    f"default-src 'none'; style-src '{STYLE_HASH}'; img-src data:; base-uri 'none'; frame-ancestors 'none'; "
)


def content_security_policy(form_action: str | None = None) -> str:
    """Give a page's Content-Security-Policy; `form_action` is the URL that its form posts to, if it has one.

    Of that URL only the scheme is allowed on: Chromium applies `form-action` to the redirects that answer a
    post too, and stops silently at one to another host (measured), which is how a broker may reach its login
    page.

    Raises ValueError unless the URL is http(s).
    """
    if form_action is None:
        return f"{_NOTHING_ELSE}form-action 'none'"
    scheme = urlsplit(form_action).scheme
    if scheme not in {"http", "https"}:
        raise ValueError("a form can only be posted to an http(s) URL")
    return f"{_NOTHING_ELSE}form-action {scheme}:"
