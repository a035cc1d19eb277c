"""Makes an unmodified client that talks to a venue's production addresses talk to a local server instead.

A `sitecustomize` in the client's process answers 127.0.0.1 and the server's port for every remote name, and a private
certificate authority, made here and trusted by that process alone, vouches for the names.
"""

import datetime
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_SITECUSTOMIZE = """\
import os, socket, sys

sys.modules["aiodns"] = None  # a resolver of its own: aiohttp falls back to getaddrinfo
_port = int(os.environ["REDIRECT_PORT"])
_getaddrinfo = socket.getaddrinfo


def getaddrinfo(host, port, *args, **kwargs):
    if host in (None, "localhost", "127.0.0.1", "::1"):
        return _getaddrinfo(host, port, *args, **kwargs)
    return _getaddrinfo("127.0.0.1", _port, *args, **kwargs)


socket.getaddrinfo = getaddrinfo
try:
    import certifi
except ImportError:
    pass
else:
    certifi.where = lambda: os.environ["SSL_CERT_FILE"]
"""


class Redirect:
    """Files for one test: `tls` is what the server needs, `environment(port)` what the client's process needs."""

    def __init__(self, folder: Path, names: list[str]) -> None:
        self._folder = folder
        self._authority = folder / "authority.pem"
        certificate, key = folder / "server.pem", folder / "server.key"
        authority_key = ec.generate_private_key(ec.SECP256R1())
        authority = _certificate("Test authority", authority_key, "Test authority", authority_key, [])
        server_key = ec.generate_private_key(ec.SECP256R1())
        server = _certificate(names[0], server_key, "Test authority", authority_key, names)
        self._authority.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
        certificate.write_bytes(server.public_bytes(serialization.Encoding.PEM))
        key.write_bytes(
            server_key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        (folder / "sitecustomize.py").write_text(_SITECUSTOMIZE)
        self.tls = (str(certificate), str(key))

    def environment(self, port: int) -> dict[str, str]:
        trusted = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "WEBSOCKET_CLIENT_CA_BUNDLE")
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return kept | {
            "PYTHONPATH": str(self._folder),
            "PYTHONUNBUFFERED": "1",
            "REDIRECT_PORT": str(port),
            **dict.fromkeys(trusted, str(self._authority)),
        }


def _certificate(
    subject: str,
    subject_key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    names: list[str],
) -> x509.Certificate:
    """A certificate for `names`, or that of an authority when there are none; valid for a day."""
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(subject_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(subject_key.public_key()), critical=False)
    )
    if names:
        alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(alternatives, critical=False)
    else:
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        builder = builder.add_extension(usage, critical=True)
    return builder.sign(issuer_key, hashes.SHA256())
