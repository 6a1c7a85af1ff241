"""The broker apps that are registered at the simulators, and a demo pair that works at once."""

from dataclasses import dataclass, field
from enum import StrEnum


class Pkce(StrEnum):
    """What a Pocketful simulator does with PKCE (RFC 7636); of the real server nobody outside knows."""

    IGNORED = "ignored"
    """The handler is not mounted: its parameters mean nothing."""
    SUPPORTED = "supported"
    """Verified when a challenge was sent."""
    REQUIRED = "required"
    """A request without a challenge is refused."""


@dataclass(frozen=True, slots=True)
class PocketfulClient:
    """An OAuth 2.0 client registered for `client_secret_basic` and the authorization code grant."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...] = ("orders", "holdings")
    pkce: Pkce = Pkce.SUPPORTED


@dataclass(frozen=True, slots=True)
class FivepaisaClient:
    """A 5paisa partner. `app_source` becomes the `role` claim of its access tokens."""

    vendor_key: str
    encryption_key: str = field(repr=False)
    user_id: str = field(repr=False)
    app_source: str = "5001"


@dataclass(frozen=True, slots=True)
class SimulatorClients:
    """All registered clients. The secrets are the simulators' own: nothing real belongs here."""

    pocketful: tuple[PocketfulClient, ...] = ()
    fivepaisa: tuple[FivepaisaClient, ...] = ()


def demo_clients(*redirect_uris: str, pkce: Pkce = Pkce.SUPPORTED) -> SimulatorClients:
    """One client per broker; `redirect_uris` are registered at Pocketful.

    The Pocketful secret holds every kind of character that form-encoding changes (RFC 6749 §2.3.1), so that
    an app which sends its Basic credentials unencoded is noticed here, and not on the day its real secret has
    a symbol.
    """
    return SimulatorClients(
        pocketful=(PocketfulClient("Qd7mK2xw9B", "demo:5+5 is 100%/día", redirect_uris, pkce=pkce),),
        fivepaisa=(
            FivepaisaClient("dEm0VendorKeyOf32CharactersAbCdE", "dEm0EncryptionKeyOf32Character5X", "dEm0UserId1"),
        ),
    )
