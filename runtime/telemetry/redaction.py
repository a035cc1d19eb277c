"""No secret leaves through a log: masked by the name it goes under, by its value, and inside of text."""

import re
from collections.abc import Mapping
from urllib.parse import quote

MASK = "***"
SHORTEST = 6
"""A registered value shorter than this would mask ordinary text."""

_SENSITIVE = {
    "apikey",
    "authorization",
    "credentials",
    "key",
    "keys",
    "listenkey",
    "passphrase",
    "password",
    "secret",
    "secrets",
    "signature",
    "token",
}
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_ASSIGNED = re.compile(
    r"""(?ix) ( \b (?: [\w-]*api[_-]?key | listen[_-]?key | [\w-]*secret | [\w-]*signature | passphrase | password
        | [\w-]*token | authorization ) ["']? \s* [=:] \s* ["']? ) [^\s"'&,;)}\]]+"""
)
_registered: set[str] = set()
_values: re.Pattern[str] | None = None


def register_secret(value: str) -> None:
    """From now on this value is masked wherever it appears in a log of this process, escaped or percent-encoded too."""
    global _values
    if len(value) >= SHORTEST:
        _registered.update((value, quote(value, safe=""), repr(value)[1:-1]))
        longest_first = sorted(_registered, key=len, reverse=True)
        _values = re.compile("|".join(map(re.escape, longest_first)))


def is_sensitive(name: str) -> bool:
    """True for a field name that says that its value is a secret: `api_key`, `listenKey`, `X-MBX-APIKEY`, …"""
    return any(word.lower() in _SENSITIVE for word in _WORDS.findall(name))


def redact_text(text: str) -> str:
    if _values is not None:
        text = _values.sub(MASK, text)
    return _ASSIGNED.sub(rf"\1{MASK}", text)


def redact(value: object, name: str = "") -> object:
    """The value as it may be shown: plain data stays plain, everything else becomes its redacted `repr`."""
    if name and is_sensitive(name):
        return MASK
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return redact_text(value)
        case bytes():
            return redact_text(value.decode("utf-8", "backslashreplace"))
        case Mapping():
            return {redact_text(str(key)): redact(item, str(key)) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [redact(item) for item in value]
        case _:
            return redact_text(repr(value))
