"""Client authentication at the token endpoint (RFC 6749 §2.3.1), for clients registered for Basic."""

import base64
import binascii
import hmac
from collections.abc import Mapping

from local.simulators.clients import PocketfulClient
from local.simulators.forms import MalformedFormError, form_decode
from local.simulators.pocketful.errors import invalid_client, invalid_request


def authenticate_client(
    authorization: str | None, form: Mapping[str, str], clients: Mapping[str, PocketfulClient]
) -> PocketfulClient:
    """The client that the `Authorization` header proves, as fosite reads it.

    Both halves of the Basic credentials are form-decoded. Credentials in the body spoil a request even beside
    a right header. Raises `OAuthError`.
    """
    credentials = _basic_credentials(authorization)
    if credentials is None:
        if not form.get("client_id"):
            raise invalid_request("The client credentials are missing.")
        # In the body they are never right: no client here is registered for client_secret_post.
        raise invalid_client()
    if form.get("client_id") and form.get("client_secret"):
        raise invalid_client()
    client_id, client_secret = credentials
    client = clients.get(client_id.decode("utf-8", "replace"))
    if client is None or not hmac.compare_digest(client_secret, client.client_secret.encode()):
        raise invalid_client()
    return client


def _basic_credentials(authorization: str | None) -> tuple[bytes, bytes] | None:
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        # Header text is Latin-1 (RFC 9110 §5.5), whatever the bytes were.
        pair = base64.b64decode(encoded.encode("latin-1"), validate=True).decode("utf-8", "surrogateescape")
    except binascii.Error:
        return None
    client_id, colon, client_secret = pair.partition(":")
    if not colon:
        return None
    try:
        return form_decode(client_id), form_decode(client_secret)
    except MalformedFormError:
        raise invalid_request("The Basic credentials are not form-encoded.") from None
