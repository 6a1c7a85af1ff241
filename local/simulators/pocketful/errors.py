"""OAuth 2.0 errors (RFC 6749 §4.1.2.1 and §5.2) and fosite's additions to them."""


class OAuthError(Exception):
    """An error for the client: its code, a description, and the HTTP status where it is not a redirect."""

    def __init__(self, error: str, description: str, *, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = status


def invalid_client() -> OAuthError:
    return OAuthError("invalid_client", "Client authentication failed.", status=401)


def invalid_grant(description: str) -> OAuthError:
    return OAuthError("invalid_grant", description)


def invalid_request(description: str) -> OAuthError:
    return OAuthError("invalid_request", description)
