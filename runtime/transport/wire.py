"""The wire format: four bytes of length, big endian, then one MessagePack array that begins with its type's name."""

from collections.abc import Callable, Iterable
from functools import reduce
from operator import or_
from struct import Struct
from typing import Any

import msgspec

from runtime.errors import PeerFault
from runtime.message import Message

LENGTH = Struct(">I")
MAX_FRAME_BYTES = 64 * 1024 * 1024


class Codec:
    """Encodes and decodes one closed set of message types; anything else is refused on either side."""

    def __init__(self, types: Iterable[type[Message]]) -> None:
        self.types = tuple(dict.fromkeys(types))
        self._encode = msgspec.msgpack.Encoder().encode
        decoder: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(reduce(or_, self.types))
        self._decode: Callable[[Any], Message] = decoder.decode

    def encode(self, message: Message) -> bytes:
        return self._encode(message)

    def decode(self, payload: bytes | memoryview) -> Message:
        """Raises `PeerFault` for what is not one of our messages."""
        try:
            return self._decode(payload)
        except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
            raise PeerFault(f"not a message of this protocol: {error}") from error

    def frame(self, message: Message) -> bytes:
        payload = self._encode(message)
        return LENGTH.pack(len(payload)) + payload


def message_types(base: type[Message]) -> list[type[Message]]:
    """All concrete message types defined so far below `base`, in the order of their definition."""
    found: list[type[Message]] = []
    for child in base.__subclasses__():
        grandchildren = message_types(child)
        found.extend([*grandchildren] if grandchildren else [child])
    return found
