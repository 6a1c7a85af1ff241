"""Which redirect URI an authorization request may use, as fosite decides it."""

from urllib.parse import SplitResult, parse_qsl, urlsplit

from local.simulators.forms import form_encode

_LOOPBACK = {"127.0.0.1", "::1"}


def resolve_redirect_uri(requested: str, registered: tuple[str, ...]) -> str | None:
    """The redirect URI to use, or None where the request must not be redirected at all.

    One that is named must be registered, as the same string (RFC 6749 §3.1.2.3); only the port of a loopback
    IP address may differ (RFC 8252 §7.3). Without one, a single registered URI is meant.
    """
    if not requested:
        return registered[0] if len(registered) == 1 else None
    known = requested in registered or any(_differ_in_port_only(requested, uri) for uri in registered)
    return requested if known else None


def add_to_query(uri: str, parameters: dict[str, str]) -> str:
    """The URI with the parameters merged into its query, sorted by name as Go encodes them."""
    split = urlsplit(uri)
    kept = [pair for pair in parse_qsl(split.query, keep_blank_values=True) if pair[0] not in parameters]
    pairs = sorted([*kept, *parameters.items()], key=lambda pair: pair[0])
    query = "&".join(f"{form_encode(name)}={form_encode(value)}" for name, value in pairs)
    return split._replace(query=query).geturl()


def _differ_in_port_only(requested: str, registered: str) -> bool:
    try:
        left, right = urlsplit(requested), urlsplit(registered)
        return left.scheme == "http" and right.hostname in _LOOPBACK and _but_port(left) == _but_port(right)
    except ValueError:
        return False


def _but_port(uri: SplitResult) -> tuple[str, str | None, str | None, str | None, str, str, str]:
    if uri.port is not None and uri.port < 1:
        raise ValueError("no such port")
    return (uri.scheme, uri.username, uri.password, uri.hostname, uri.path, uri.query, uri.fragment)
