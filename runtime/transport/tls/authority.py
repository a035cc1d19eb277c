"""The authority of one run: it signs a certificate for each host, and nobody else's is accepted by any of them.

Its key is a file in the run's own folder, on the run's own machine, which its user alone can read: a supervisor that
begins to live anew goes on signing. It never goes anywhere else.
"""

import os
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from runtime.clock import NS_PER_S, WallClock
from runtime.errors import PeerFault

LIFETIME_S = 24 * 3600
"""Of a host's certificate; a new one is signed when half of it is over."""
CLOCK_SKEW_S = 300
"""The clocks of two machines may differ by so much."""
KEY_FILE = "authority.key"
CERTIFICATE_FILE = "authority.pem"
LONGEST_NAME = 64


class Authority:
    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self._key = key
        self._certificate = certificate
        self.pem = certificate.public_bytes(serialization.Encoding.PEM)
        """Its certificate: what every host is given to know the others by."""

    @classmethod
    def create(cls, folder: Path, run: str, lifetime_s: float = 10 * 365 * 24 * 3600) -> "Authority":
        """A new one, kept in `folder`, which must be nobody else's."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(run)
        public = key.public_key()
        certificate = (
            _builder(lifetime_s)
            .subject_name(name)
            .issuer_name(name)
            .public_key(public)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(key, hashes.SHA256())
        )
        authority = cls(key, certificate)
        with os.fdopen(os.open(folder / KEY_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(
                key.private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
                )
            )
        (folder / CERTIFICATE_FILE).write_bytes(authority.pem)
        return authority

    @classmethod
    def open(cls, folder: Path) -> "Authority":
        """The one that `create` has left there."""
        key = serialization.load_pem_private_key((folder / KEY_FILE).read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise PeerFault(f"{folder / KEY_FILE}: not the key of an authority")
        return cls(key, x509.load_pem_x509_certificate((folder / CERTIFICATE_FILE).read_bytes()))

    def sign(self, request: bytes, name: str, ip: str, lifetime_s: float = LIFETIME_S) -> bytes:
        """The certificate of a host called `name` at `ip`. Of its request nothing but the public key is used."""
        asked = x509.load_pem_x509_csr(request)
        public = asked.public_key()
        if not asked.is_signature_valid or not isinstance(public, ec.EllipticCurvePublicKey):
            raise PeerFault(f"{name}: the request for a certificate is not signed with its own key")
        signed = (
            _builder(lifetime_s)
            .subject_name(_name(name))
            .issuer_name(self._certificate.subject)
            .public_key(public)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=True,
            )
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(ip))]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return signed.public_bytes(serialization.Encoding.PEM)

    def has_signed(self, certificate: bytes) -> bool:
        try:
            x509.load_pem_x509_certificate(certificate).verify_directly_issued_by(self._certificate)
        except (InvalidSignature, ValueError, TypeError):
            return False
        return True


def _builder(lifetime_s: float) -> x509.CertificateBuilder:
    now = datetime.fromtimestamp(WallClock().now() / NS_PER_S, UTC)
    return (
        x509.CertificateBuilder()
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(seconds=CLOCK_SKEW_S))
        .not_valid_after(now + timedelta(seconds=lifetime_s))
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text[:LONGEST_NAME])])


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
