"""Whom the artifact trusts: for brokers all of certifi's authorities, for AWS its own."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from brokerlink.outbound.authorities import public_authorities
from local.stack import Stack
from tests.artifact.conftest import Watched, run
from tests.artifact.trees import ROOT
from tests.unit.outbound_certificates import make_authority, server_context
from tools.artifact import SAM, Layout

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\n.+?\n-----END CERTIFICATE-----\n", re.DOTALL)
_TRUSTS = """
import json
from botocore.httpsession import get_cert_path
from brokerlink.outbound.authorities import FOLDER, public_authorities
print(json.dumps([get_cert_path(True), str(FOLDER), public_authorities().cert_store_stats()["x509"]]))
"""


def build_script(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run code with the build's own script, `authorities`, in the environment that the build runs it in."""
    text = (
        f"import sys; sys.path.insert(0, 'layers/dependencies'); import authorities; from pathlib import Path; {code}"
    )
    return subprocess.run(  # noqa: S603 - our own text
        [str(SAM), "-c", text, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_every_public_authority_is_in_the_folder(layout: Layout) -> None:
    folder = layout.opt / "python" / "authorities"
    kept = {file.read_text(encoding="ascii") for file in folder.iterdir()}
    assert kept == set(_CERTIFICATE.findall(Path(certifi.where()).read_text(encoding="utf-8")))
    assert len(kept) > 100


# Starfield's oldest has the number 0.
@pytest.mark.filterwarnings("ignore:Parsed a serial number which wasn't positive")
def test_aws_has_its_own_authorities_alone(layout: Layout) -> None:
    text = (layout.opt / "python" / "botocore" / "cacert.pem").read_bytes()
    kept = x509.load_pem_x509_certificates(text)
    (organizations,) = zip(
        *(each.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME) for each in kept), strict=True
    )
    assert {each.value for each in organizations} == {"Amazon", "Starfield Technologies, Inc."}
    names = {name.value for each in kept for name in each.subject.get_attributes_for_oid(NameOID.COMMON_NAME)}
    assert {f"Amazon Root CA {number}" for number in range(1, 5)} <= names


def test_the_functions_use_them(stack: Stack, watched: Watched, layout: Layout) -> None:
    bundle, folder, parsed = run(watched, stack, "CallbackFunction", _TRUSTS)
    assert bundle == str(layout.opt / "python" / "botocore" / "cacert.pem")
    assert folder == str(layout.opt / "python" / "authorities")
    assert Path(folder).is_dir()
    assert parsed == 0  # before a handshake asks for one


def test_a_folder_of_the_build_is_trusted_and_nobody_else(tmp_path: Path) -> None:
    trusted, other = make_authority(tmp_path / "trusted"), make_authority(tmp_path / "other")
    for authority in (trusted, other):
        made = build_script(
            "authorities.make_folder(*map(Path, sys.argv[1:]))", str(authority.bundle), f"{authority.bundle}.d"
        )
        assert made.returncode == 0, made.stderr
    server = server_context(tmp_path, trusted)
    assert handshake(server, public_authorities(Path(f"{trusted.bundle}.d"))) == "TLSv1.3"
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(server, public_authorities(Path(f"{other.bundle}.d")))


def test_a_bundle_without_an_authority_that_is_needed_ends_the_build(tmp_path: Path) -> None:
    authority = make_authority(tmp_path / "test")
    kept = build_script("authorities.keep(Path(sys.argv[1]), authorities.AWS)", str(authority.bundle))
    assert kept.returncode == 1
    assert "lacks one of" in kept.stderr
    (tmp_path / "empty.pem").write_text("no certificate")
    made = build_script(
        "authorities.make_folder(*map(Path, sys.argv[1:]))", str(tmp_path / "empty.pem"), str(tmp_path / "d")
    )
    assert made.returncode == 1
    assert "holds no certificate" in made.stderr


def handshake(server: ssl.SSLContext, client: ssl.SSLContext) -> str | None:
    """Shake hands with a server at `localhost`; give the protocol's version."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):  # the client may not like us
                server.wrap_socket(connection, server_side=True).close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            with (
                socket.create_connection(listener.getsockname()) as plain,
                client.wrap_socket(plain, server_hostname="localhost") as secured,
            ):
                return secured.version()
        finally:
            thread.join()
