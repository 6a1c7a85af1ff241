"""The Pocketful simulator: OAuth 2.0 as Ory's fosite does it, which the real server very probably runs on."""

from local.simulators.clients import PocketfulClient
from local.simulators.clock import Clock
from local.simulators.pocketful.authorization import AuthorizationEndpoint
from local.simulators.pocketful.grants import Grants
from local.simulators.pocketful.token import TokenEndpoint
from local.simulators.pocketful.trading_info import TradingInfoEndpoint
from local.simulators.routes import Route

BROKER = "pocketful"
_LOGIN_PATH = "/pocketful/login"


def pocketful_routes(clients: tuple[PocketfulClient, ...], clock: Clock) -> tuple[Route, ...]:
    """A simulator with nothing issued yet: its endpoints below `/pocketful`."""
    registered = {client.client_id: client for client in clients}
    grants = Grants(clock)
    authorization = AuthorizationEndpoint(registered, grants, clock, login_path=_LOGIN_PATH)
    return (
        Route(BROKER, "authorize", "/pocketful/oauth2/auth", authorization.authorize),
        Route(BROKER, "login", _LOGIN_PATH, authorization.login, can_fail=False),
        Route(BROKER, "token", "/pocketful/oauth2/token", TokenEndpoint(registered, grants).respond),
        Route(BROKER, "identity", "/pocketful/api/v1/user/trading_info", TradingInfoEndpoint(grants).respond),
    )
