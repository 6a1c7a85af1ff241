"""brokerlink.web.masking: an account is recognised by its owner and useless to others."""

import pytest

from brokerlink.web.masking import mask_account


@pytest.mark.parametrize(
    ("account", "masked"),
    [
        ("YA0002", "YA••02"),
        ("50052770", "50••70"),
        ("ABC1234", "AB••34"),
        ("AB123", "A••3"),
        ("AB12", "A••2"),
        ("ABC", "A••"),
        ("AB", "A••"),
        ("A", "••"),
        ("", "••"),
        ("a" * 64, "aa••aa"),
    ],
)
def test_account_is_masked(account: str, masked: str) -> None:
    assert mask_account(account) == masked


@pytest.mark.parametrize("length", [*range(1, 6), *range(8, 65)])
def test_no_more_than_half_is_shown(length: int) -> None:
    assert len(mask_account("x" * length).replace("•", "")) <= length / 2


@pytest.mark.parametrize("length", [6, 7])
def test_of_six_and_seven_characters_four_are_shown(length: int) -> None:
    assert len(mask_account("x" * length).replace("•", "")) == 4
