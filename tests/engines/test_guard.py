"""The emulator's guard stands before every engine."""

from __future__ import annotations

import http.client

from local.emulator import Emulator


def test_no_web_page_reaches_an_engine_through_the_emulator(emulator: Emulator) -> None:
    host = emulator.url.removeprefix("http://")
    for headers in ({"Origin": "https://elsewhere.example"}, {"Host": "elsewhere.example"}):
        connection = http.client.HTTPConnection(host, timeout=10)
        connection.request("GET", "/", headers=headers)
        assert connection.getresponse().status == 403
        connection.close()
