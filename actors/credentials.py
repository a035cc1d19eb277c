"""Secrets: where they are found, and a type that never shows them."""

import os
from pathlib import Path

from actors.settings import Credentials
from runtime.errors import ConfigError
from runtime.telemetry.redaction import register_secret

DEMO = "demo"
DEMO_KEY = "demo-key"
DEMO_SECRET = "demo-secret"


class Secret:
    """A value that `repr`, `str`, logs and tracebacks show as `***`; `reveal` is the one way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        register_secret(value)

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "***"


class Keys:
    """What signs requests of one account."""

    __slots__ = ("key", "secret")

    def __init__(self, key: Secret, secret: Secret) -> None:
        self.key = key
        self.secret = secret


def resolve(reference: str, demo: str = "") -> Secret:
    """The secret behind `env:NAME`, `file:PATH` or `demo`, which stands for the value `demo`.

    Raises `ConfigError` that names the missing variable or file, never a value.
    """
    if reference == DEMO:
        return Secret(demo)
    kind, _, place = reference.partition(":")
    match kind:
        case "env":
            value = os.environ.get(place, "")
            if not value:
                raise ConfigError(f"environment variable {place} is not set or empty; it has to hold the secret")
        case "file":
            try:
                value = Path(place).expanduser().read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigError(f"file {place}, which has to hold the secret, cannot be read: {error}") from None
            if not value:
                raise ConfigError(f"file {place}, which has to hold the secret, is empty")
        case _:
            raise ConfigError("a secret is given as env:NAME, file:PATH or demo, not as a value")
    return Secret(value)


def read_key(credentials: Credentials) -> Secret:
    return resolve(credentials.key, DEMO_KEY)


def read_secret(credentials: Credentials) -> Secret:
    return resolve(credentials.secret, DEMO_SECRET)


def read_keys(credentials: Credentials) -> Keys:
    return Keys(read_key(credentials), read_secret(credentials))
