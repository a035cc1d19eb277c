"""Public keys of accounts whose requests are signed with Ed25519 or RSA. Needs the package `cryptography`."""

import base64
import binascii
from collections.abc import Callable
from enum import Enum

import msgspec

from runtime.errors import ConfigError


class KeyKind(Enum):
    ED25519 = "Ed25519"
    RSA = "RSA"


class PublicKey(msgspec.Struct, frozen=True):
    """`verifies` tells whether a base64 signature belongs to a payload."""

    kind: KeyKind
    verifies: Callable[[str, bytes], bool]


def load_public_key(pem: str) -> PublicKey:
    """A public key in PEM (SubjectPublicKeyInfo). RSA is RSASSA-PKCS1-v1_5 with SHA-256. Raises `ConfigError`."""
    try:
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    except ImportError:
        raise ConfigError("public key: Ed25519 and RSA keys need the package cryptography: install it") from None
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigError("public key: it is not a public key in PEM") from None
    if isinstance(key, Ed25519PublicKey):
        ed25519 = key
        return PublicKey(KeyKind.ED25519, _checked(ed25519.verify, InvalidSignature))
    if isinstance(key, RSAPublicKey):
        rsa = key
        return PublicKey(
            KeyKind.RSA,
            _checked(lambda signature, data: rsa.verify(signature, data, PKCS1v15(), SHA256()), InvalidSignature),
        )
    raise ConfigError("public key: the venue takes Ed25519 and RSA keys only")


def _checked(verify: Callable[[bytes, bytes], None], invalid: type[Exception]) -> Callable[[str, bytes], bool]:
    def verifies(signature: str, payload: bytes) -> bool:
        try:
            verify(base64.b64decode(signature, validate=True), payload)
        except (invalid, binascii.Error, ValueError):
            return False
        return True

    return verifies
