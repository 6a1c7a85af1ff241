"""Accounts as pages show them: enough for their owner to recognise, too little for anybody else."""

from __future__ import annotations


def mask_account(account: str) -> str:
    """Give `account` with its middle hidden: `YA0002` becomes `YA••02`.

    There are always two dots, so the length is not told. From 6 characters on, two at each end are shown; a
    shorter account never shows more than half of its characters.
    """
    if len(account) >= 6:
        return f"{account[:2]}••{account[-2:]}"
    if len(account) >= 4:
        return f"{account[0]}••{account[-1]}"
    return f"{account[: len(account) // 2]}••"
