"""Whom the certificates of brokers are checked against."""

import ssl
from pathlib import Path

import urllib3

# The build makes it of certifi's bundle, in the layer of the packages: beside one of them, wherever that layer lies.
FOLDER = Path(urllib3.__file__).parents[1] / "authorities"


def public_authorities(folder: Path = FOLDER) -> ssl.SSLContext:
    """Trust certifi's public authorities, and nobody that the environment names.

    In Lambda they lie in a folder, a file each, of which a handshake reads the one that it needs: to parse certifi's
    bundle of all of them takes as long as half of an empty function's cold start.
    """
    if folder.is_dir():
        return ssl.create_default_context(capath=folder)
    import certifi  # noqa: PLC0415 - Lambda has only the folder

    return ssl.create_default_context(cafile=certifi.where())
