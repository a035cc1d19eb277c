"""Who a host is to hosts of other machines: a key made in its process, which never leaves it, and a certificate."""

import os
import ssl

from runtime.errors import ConfigError

MISSING = (
    "streams between machines need the package cryptography, which is not installed; pip install 'openoutcry[cluster]'"
)


class Identity:
    """Nothing can be dialled or accepted before `install`."""

    def __init__(self) -> None:
        try:
            from cryptography.hazmat.primitives.asymmetric import ec
        except ModuleNotFoundError:
            raise ConfigError(MISSING) from None
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.server.num_tickets = 0  # a resumed session would not show its certificate again
        for context in (self.server, self.client):
            context.minimum_version = ssl.TLSVersion.TLSv1_3
            context.verify_mode = ssl.CERT_REQUIRED
            context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT

    def request(self) -> bytes:
        """What an authority signs: the public key, and the proof that the private one is here."""
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization

        built = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(self._key, hashes.SHA256())
        return built.public_bytes(serialization.Encoding.PEM)

    def install(self, certificate: bytes, authority: bytes) -> None:
        """From now on show this certificate, and trust whom this authority has signed and nobody else.

        What is connected stays so; a later certificate of the same authority replaces the earlier one.
        """
        from cryptography.hazmat.primitives import serialization

        key = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        # Python loads a key from files only: this one is in memory, and no other process can name it.
        descriptor = os.memfd_create("identity", os.MFD_CLOEXEC)
        try:
            os.write(descriptor, certificate + key)
            for context in (self.server, self.client):
                context.load_verify_locations(cadata=authority.decode())
                context.load_cert_chain(f"/proc/self/fd/{descriptor}")
        finally:
            os.close(descriptor)
