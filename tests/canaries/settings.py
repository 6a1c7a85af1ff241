"""Secrets that somebody pasted into the place of a setting: the setting is named, and its value never shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from brokerlink.errors import SettingError
from tests.canaries.canaries import Canaries, Kind
from tests.canaries.in_process import InProcess


def _app(**settings: object) -> dict[str, str]:
    return {"BROKERLINK_BROKER_APPS": json.dumps({"pocketful": {"client_id": "a", **settings}})}


PASTED: Final[Mapping[str, Callable[[str], Mapping[str, str]]]] = {
    "apps that are no JSON": lambda secret: {"BROKERLINK_BROKER_APPS": f'{{"pocketful": {secret}'},
    "apps that are a text": lambda secret: {"BROKERLINK_BROKER_APPS": json.dumps(secret)},
    "secret among the public settings": lambda secret: _app(client_secret=secret),
    "secret for the name of a setting": lambda secret: _app(**{secret: "b"}),
    "secret for the name of a broker": lambda secret: {"BROKERLINK_BROKER_APPS": json.dumps({secret: {}})},
    "secret for a broker's settings": lambda secret: {"BROKERLINK_BROKER_APPS": json.dumps({"pocketful": secret})},
    "secret with a line break for a client id": lambda secret: _app(client_id=f"{secret}\n"),
    "secret for a flag": lambda secret: _app(pkce=secret),
    "secret for a choice": lambda secret: _app(client_auth=secret),
    "password in an endpoint": lambda secret: _app(api_base=f"https://user:{secret}@x.example"),
    "password for an endpoint's port": lambda secret: _app(api_base=f"https://x.example:{secret}"),
    "password in ReturnTo": lambda secret: {"BROKERLINK_RETURN_TO": f"https://user:{secret}@x.example/"},
    "password for ReturnTo's port": lambda secret: {"BROKERLINK_RETURN_TO": f"https://x.example:{secret}/"},
    "password in PublicBaseUrl": lambda secret: {"BROKERLINK_BASE_URL": f"https://user:{secret}@login.example.com"},
    "password for PublicBaseUrl's port": lambda secret: {"BROKERLINK_BASE_URL": f"https://login.example.com:{secret}"},
    "secret for a number": lambda secret: {"BROKERLINK_ATTEMPT_SECONDS": secret},
}


def wrong_settings(site: InProcess, canaries: Canaries, ask: Callable[[str], object]) -> None:
    """Put the functions together with each of them, and ask for the pages that are left."""
    before = site.world.environment
    for paste in PASTED.values():
        site.world.environment = {**before, **paste(canaries.new(Kind.SETTING))}
        with suppress(SettingError):
            site.world.build()
            for target in ("/", "/authorize/pocketful", f"/callback/pocketful?code=a&state={'A' * 43}", "/result"):
                ask(target)
    site.world.environment = {**before, "BROKERLINK_DIRECT_LOGIN_ACCOUNTS": ""}
    site.world.build()
    ask("/authorize/pocketful")
    site.world.environment = before
    site.world.build()
