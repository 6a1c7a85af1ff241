"""Where a secret may be seen, one place by one."""

from __future__ import annotations

from typing import Final

from tests.canaries.canaries import Kind

_TO_THE_BROKER: Final = "the broker has to be told the state, to bring it back (RFC 6749 §4.1.1; 5paisa's State)"
_BOUNCE: Final = "a form post carries no Lax cookie: the browser comes again by GET, with the same parameters"
# By place and kind: why it has to be there. Whatever is not here is a leak, and so is another attempt's secret.
RIGHTFUL: Final[dict[tuple[str, Kind], str]] = {
    ("Location of GET /authorize/{broker}", Kind.STATE): _TO_THE_BROKER,
    ("JSON of GET /authorize/{broker}", Kind.STATE): f"{_TO_THE_BROKER}; the page that asked navigates itself",
    ("form of GET /authorize/{broker}", Kind.STATE): f"{_TO_THE_BROKER}; by a form, where 5paisa's app says so",
    ("Set-Cookie of GET /authorize/{broker}", Kind.BROWSER_KEY): "this cookie is how the browser is known again",
    ("Location of GET /authorize/{broker} on another host", Kind.SESSION): "the same query on the canonical host",
    ("JSON of POST /sessions", Kind.SESSION): "the start URL, which the platform gives to its user",
    ("Location of POST /callback/{broker}", Kind.GRANT): _BOUNCE,
    ("Location of POST /callback/{broker}", Kind.STATE): _BOUNCE,
    ("request for a token", Kind.GRANT): "the exchange (RFC 6749 §4.1.3; 5paisa's GetAccessToken)",
    ("request for a token", Kind.CODE_VERIFIER): "PKCE (RFC 7636 §4.5)",
    ("request for a token", Kind.APP_SECRET): "client authentication (RFC 6749 §2.3.1; EncryKey and UserId)",
    ("request for an account", Kind.ACCESS_TOKEN): "the token is the question: whose is it? (RFC 6750 §2.1)",
    ("call of PutItem", Kind.CODE_VERIFIER): "kept in the attempt's row from the start to the exchange",
    ("call of GetItem", Kind.STRANGERS_WORDS): "the key of the attempt that somebody asks for",
    ("call of Encrypt", Kind.ACCESS_TOKEN): "to be sealed",
    ("call of Decrypt", Kind.CIPHERTEXT): "a consumer opens it",
    ("call of TransactWriteItems", Kind.CIPHERTEXT): "the sealed token goes into its row",
    ("call of UpdateItem", Kind.CIPHERTEXT): "and into the attempt's row while the login is held",
}
