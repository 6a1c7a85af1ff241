"""brokerlink.web.style: the policy allows exactly the style sheet that is sent."""

import pytest

from brokerlink.web.style import STYLE, STYLE_HASH, content_security_policy


def test_a_page_may_show_its_style_and_nothing_else() -> None:
    assert content_security_policy() == (
        f"default-src 'none'; style-src '{STYLE_HASH}'; img-src data:; "
        "base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
    )


@pytest.mark.parametrize(
    ("action", "allowed"),
    [
        ("https://dev-openapi.5paisa.com/WebVendorLogin/VLogin/Index", "https:"),
        ("http://localhost:8001/fivepaisa/WebVendorLogin/VLogin/Index", "http:"),
        ("https://evil.example/;script-src *", "https:"),
    ],
)
def test_a_form_may_be_posted_and_redirected(action: str, allowed: str) -> None:
    assert content_security_policy(action).endswith(f"; form-action {allowed}")


@pytest.mark.parametrize("action", ["", "/here", "javascript:alert(1)", "data:text/html,", "'none'; script-src *"])
def test_a_form_is_posted_to_http_only(action: str) -> None:
    with pytest.raises(ValueError, match=r"^a form can only be posted to an http\(s\) URL$"):
        content_security_policy(action)


def test_the_style_sheet_closes_nothing_and_loads_nothing() -> None:
    assert "<" not in STYLE
    assert "url(" not in STYLE
    assert "@import" not in STYLE
