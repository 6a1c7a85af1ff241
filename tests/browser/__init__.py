"""Logins in a real browser, from the home page to the event, without JavaScript."""

import pytest

pytest.register_assert_rewrite(
    *(f"{__name__}.{module}" for module in ("customer", "platform_user", "rules", "watch")),
)
