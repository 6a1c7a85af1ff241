"""The 5paisa simulator: the vendor login and the exchange of its request token."""

from local.simulators.clients import FivepaisaClient
from local.simulators.clock import Clock
from local.simulators.fivepaisa.access_token import AccessTokenEndpoint
from local.simulators.fivepaisa.holdings import AccessTokens, HoldingsEndpoint
from local.simulators.fivepaisa.login import VendorLogin
from local.simulators.fivepaisa.request_tokens import RequestTokens
from local.simulators.routes import Route

BROKER = "fivepaisa"
_LOGIN_PATH = "/fivepaisa/WebVendorLogin/VLogin/Login"


def fivepaisa_routes(clients: tuple[FivepaisaClient, ...], clock: Clock) -> tuple[Route, ...]:
    """A simulator with nothing issued yet: its endpoints below `/fivepaisa`."""
    vendors = {client.vendor_key: client for client in clients}
    request_tokens = RequestTokens(clock)
    login = VendorLogin(frozenset(vendors), request_tokens, clock, login_path=_LOGIN_PATH)
    access_tokens = AccessTokens(clock)
    exchange = AccessTokenEndpoint(vendors, request_tokens, access_tokens, clock)
    return (
        Route(BROKER, "authorize", "/fivepaisa/WebVendorLogin/VLogin/Index", login.index),
        Route(BROKER, "login", _LOGIN_PATH, login.login, can_fail=False),
        Route(BROKER, "token", "/fivepaisa/VendorsAPI/Service1.svc/GetAccessToken", exchange.respond),
        Route(
            BROKER,
            "holdings",
            "/fivepaisa/VendorsAPI/Service1.svc/V3/Holding",
            HoldingsEndpoint(access_tokens).respond,
            can_fail=False,
        ),
    )
