"""The `requests` session that reaches brokers: pooled, verified, without memory of customers."""

import ssl
from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any, override

import requests
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import ConnectionPool

from brokerlink.outbound.connection import TimedPool, TimedTlsPool


def open_session(context: ssl.SSLContext) -> requests.Session:
    """Make a session whose https connections are verified by `context`, whatever is asked of `requests`."""
    session = _Session()
    session.trust_env = False
    session.headers.clear()
    session.headers.update({"Accept-Encoding": "identity", "User-Agent": "brokerlink"})
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    adapter = _Adapter(context)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class _Session(requests.Session):
    @override
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        # Even where it is not to follow, requests prepares the request that would, and for that reads the
        # redirect's body: all of it, decompressed.
        return None


class _Adapter(HTTPAdapter):
    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(max_retries=0)

    @override
    def init_poolmanager(
        self,
        connections: int,
        maxsize: int,
        block: bool = False,
        **pool_kwargs: Any,
    ) -> None:
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._context, **pool_kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": TimedPool, "https": TimedTlsPool}

    @override
    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,
        verify: bool | str | None,
        proxies: Mapping[str, str] | None = None,
        cert: tuple[str, str] | str | None = None,
    ) -> ConnectionPool:
        pool: ConnectionPool = self.poolmanager.connection_from_url(request.url)
        return pool

    @override
    def cert_verify(self, conn: ConnectionPool, url: str, verify: bool | str, cert: object) -> None:
        # The context holds the CAs; requests would have each new connection read its bundle again.
        pass
