"""States that are missing, guessed, bent, stolen or taken for something else: the callback finishes nothing."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest

from brokerlink.attempts import digest
from tests.attacks.over_http.scene import Browser, Login, Scene

BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def flipped(text: str, at: int) -> str:
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


def with_other_spare_bits(text: str) -> str:
    """Change the last character in the two bits that no byte of the 32 uses: a lenient decoder sees no difference."""
    return text[:-1] + BASE64URL[BASE64URL.index(text[-1]) ^ 1]


# In the victim's own browser, with the genuine code: what stands in the query where the state belongs.
NO_STATE_OF_OURS: dict[str, Callable[[Login], str]] = {
    "missing": lambda _: "",
    "empty": lambda _: "&state=",
    "random": lambda _: "&state=" + "R" * 43,
    "5,000 bytes": lambda _: "&state=" + "s" * 5_000,
    "NUL": lambda it: f"&state={it.state[:-1]}%00",
    "CRLF and a header": lambda it: f"&state={it.state}%0D%0ASet-Cookie:%20a=b",
    "escape sequence": lambda it: f"&state=%1B%5B2J{it.state}",
    "emoji": lambda it: f"&state=%F0%9F%98%80{it.state[:39]}",
    "one character flipped": lambda it: f"&state={flipped(it.state, 20)}",
    "first character flipped": lambda it: f"&state={flipped(it.state, 0)}",
    "last character flipped": lambda it: f"&state={flipped(it.state, 42)}",
    "spare bits of base64": lambda it: f"&state={with_other_spare_bits(it.state)}",
    "base64 padding": lambda it: f"&state={it.state}%3D",
    "other case": lambda it: f"&state={it.state.swapcase()}",
    "upper case": lambda it: f"&state={it.state.upper()}",
    "a space before": lambda it: f"&state=%20{it.state}",
    "a space after": lambda it: f"&state={it.state}+",
    "a line break after": lambda it: f"&state={it.state}%0A",
    "encoded twice": lambda it: "&state=" + "".join(f"%25{ord(each):02X}" for each in it.state),
    "fullwidth digit": lambda it: f"&state={quote(chr(0xFF11))}{it.state[1:]}",
    "combining character": lambda it: f"&state={it.state}%CC%81",
    "overlong UTF-8": lambda it: f"&state=%C1%81{it.state[1:]}",
    "byte order mark": lambda it: f"&state=%EF%BB%BF{it.state}",
    "a semicolon for the ampersand": lambda it: f";state={it.state}",
    "under another name's case": lambda it: f"&State={it.state}",
    "as an array": lambda it: f"&state[]={it.state}",
    "in an object": lambda it: f"&state[value]={it.state}",
    "the attempt's id": lambda it: f"&state={it.attempt_id}",
    "the browser key": lambda it: f"&state={it.browser.cookies['brokerlink']}",
    "the browser key's hash": lambda it: f"&state={it.before['browser_hash']}",
    "the code verifier": lambda it: f"&state={it.before['code_verifier']}",
    "a session's secret": lambda it: f"&state={it.scene.session(account='YA0002').rpartition('=')[2]}",
}


@pytest.mark.parametrize("name", NO_STATE_OF_OURS)
def test_state_that_is_none_of_ours(victim: Login, name: str) -> None:
    told = victim.scene.mark()
    answer = victim.browser.get(f"{victim.path}?code={victim.grant}{NO_STATE_OF_OURS[name](victim)}")
    assert answer.status == 400
    assert victim.grant not in answer.text
    lines = [line for line in victim.scene.lines(told, "refused") if line.get("message") == "refused"]
    assert [line["reason"] for line in lines] in (["state_missing"], ["invalid_request"], ["state_unknown"])
    victim.assert_untouched()


def test_state_of_10_kb_does_not_reach_a_function(victim: Login) -> None:
    asked = victim.scene.asked
    answer = victim.browser.get(f"{victim.path}?code={victim.grant}&state={'s' * 10_240}")
    assert (answer.status, answer.ours) == (431, False)
    assert victim.scene.asked == asked
    victim.assert_untouched()


@pytest.mark.parametrize(
    "name", ["missing", "empty", "5,000 bytes", "NUL", "emoji", "overlong UTF-8", "base64 padding", "a space after"]
)
def test_malformed_state_is_refused_before_dynamodb_is_asked(victim: Login, name: str) -> None:
    asked = victim.scene.asked
    victim.browser.get(f"{victim.path}?code={victim.grant}{NO_STATE_OF_OURS[name](victim)}")
    assert victim.scene.asked == asked


def test_unknown_state_writes_no_row(victim: Login) -> None:
    assert victim.browser.get(f"{victim.path}?code=c&state={'R' * 43}").status == 400
    assert victim.scene.row(digest("R" * 43)) == {}


def test_mix_up_state_of_pocketful_at_fivepaisas_callback(victim: Login) -> None:
    answer = victim.browser.get(f"/callback/fivepaisa?RequestToken={victim.grant}&state={victim.state}")
    assert answer.status == 400
    victim.assert_untouched()


def test_mix_up_state_of_fivepaisa_at_pocketfuls_callback(scene: Scene) -> None:
    victim = scene.browser().login("/authorize/fivepaisa")
    assert victim.browser.get(f"/callback/pocketful?code={victim.grant}&state={victim.state}").status == 400
    victim.assert_unharmed()


def test_mix_up_looks_like_an_unknown_state(victim: Login, attacker: Browser) -> None:
    foreign = attacker.get(f"/callback/fivepaisa?RequestToken=t&state={victim.state}")
    unknown = attacker.get(f"/callback/fivepaisa?RequestToken=t&state={'R' * 43}")
    assert (foreign.status, foreign.body) == (unknown.status, unknown.body)


@pytest.mark.parametrize(
    "iss",
    ["", "&iss=", "&iss=https%3A%2F%2Fevil.example", "&iss={issuer}%2F", "&iss={issuer}&iss={issuer}", "&ISS={issuer}"],
)
def test_mix_up_callback_that_does_not_name_its_issuer(scene: Scene, iss: str) -> None:
    victim = scene.browser().login("/authorize/issuer")
    before, sent = victim.row(), len(scene.issuer.token_requests)
    query = f"code={victim.grant}&state={victim.state}" + iss.format(issuer=quote(scene.issuer.url, safe=""))
    assert victim.browser.get(f"/callback/issuer?{query}").status == 400
    assert (victim.row(), len(scene.issuer.token_requests)) == (before, sent)
    victim.finish()
    assert victim.outcome()["status"] == "connected"
    assert len(scene.issuer.token_requests) == sent + 1
