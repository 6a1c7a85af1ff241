"""Turns bundles of certificate authorities into what TLS reads fast: run by the layer's Makefile.

    python3.13 authorities.py <folder of the installed packages>

A bundle is parsed as a whole, all hundred of its certificates: by our client for brokers once, and by botocore for each
connection that it opens. So certifi's becomes a folder in which OpenSSL finds the one that it needs by a hash of its
name (https://docs.openssl.org/3.0/man1/openssl-rehash/), and botocore's keeps AWS's own authorities
(https://www.amazontrust.com/repository/).
"""

import re
import shutil
import sys
from collections import Counter
from pathlib import Path

from OpenSSL import crypto

AWS = frozenset({"Amazon", "Starfield Technologies, Inc."})
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\n.+?\n-----END CERTIFICATE-----\n", re.DOTALL)


def main(site: Path) -> None:
    """Make the folder `authorities` of certifi, and cut botocore's bundle."""
    make_folder(site / "certifi" / "cacert.pem", site / "authorities")
    # botocore prefers certifi's bundle to its own wherever it can import it.
    shutil.rmtree(site / "certifi")
    keep(site / "botocore" / "cacert.pem", AWS)


def make_folder(bundle: Path, folder: Path) -> None:
    """Write each certificate of a bundle into a file of a new folder, named by its subject's hash."""
    folder.mkdir()
    seen: Counter[str] = Counter()
    for certificate, parsed in _read(bundle):
        name = f"{parsed.subject_name_hash():08x}"
        # Several of one name are numbered.
        (folder / f"{name}.{seen[name]}").write_text(certificate, encoding="ascii")
        seen[name] += 1


def keep(bundle: Path, organizations: frozenset[str]) -> None:
    """Leave the authorities of some organizations in a bundle."""
    kept = {certificate: parsed.get_subject().O for certificate, parsed in _read(bundle)}
    found = [certificate for certificate, organization in kept.items() if organization in organizations]
    if set(kept.values()) & organizations != organizations:
        raise SystemExit(f"{bundle} lacks one of {sorted(organizations)}")
    bundle.write_text("".join(found), encoding="ascii")


def _read(bundle: Path) -> list[tuple[str, crypto.X509]]:
    texts = _CERTIFICATE.findall(bundle.read_text(encoding="utf-8"))
    if not texts:
        raise SystemExit(f"{bundle} holds no certificate")
    return [(text, crypto.load_certificate(crypto.FILETYPE_PEM, text.encode())) for text in texts]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
