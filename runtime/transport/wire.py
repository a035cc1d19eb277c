"""The wire format: frames of four bytes of length, big endian, then a MessagePack array of messages.

Each message is an array that begins with its type's name. What one turn of a host sends shares frames, so that a
flood is decoded by a few calls and a single message costs one byte more.
"""

from collections.abc import Callable, Iterable
from functools import reduce
from operator import or_
from struct import Struct
from typing import Any

import msgspec

from runtime.errors import PeerFault
from runtime.message import Message

LENGTH = Struct(">I")
ARRAY_16 = Struct(">BH")
MAX_FRAME_BYTES = 64 * 1024 * 1024


class Codec:
    """Encodes and decodes one closed set of message types; anything else is refused on either side."""

    def __init__(self, types: Iterable[type[Message]]) -> None:
        self.types = tuple(dict.fromkeys(types))
        encoder = msgspec.msgpack.Encoder()
        self.encode: Callable[[Message], bytes] = encoder.encode
        self.encode_all: Callable[[list[Message]], bytes] = encoder.encode
        union: Any = reduce(or_, self.types)
        decoder: msgspec.msgpack.Decoder[list[Message]] = msgspec.msgpack.Decoder(list[union])
        self._decode: Callable[[Any], list[Message]] = decoder.decode

    def decode(self, payload: bytes | memoryview) -> list[Message]:
        """The messages of one frame; raises `PeerFault` for what are not messages of ours."""
        try:
            return self._decode(payload)
        except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
            raise PeerFault(f"not messages of this protocol: {error}") from error


def frame_header(count: int, length: int) -> bytes:
    """What goes before `count` encoded messages of together `length` bytes."""
    if count < 16:
        return LENGTH.pack(length + 1) + bytes((0x90 | count,))
    return LENGTH.pack(length + 3) + ARRAY_16.pack(0xDC, count)


def message_types(base: type[Message]) -> list[type[Message]]:
    """All concrete message types defined so far below `base`, in the order of their definition."""
    found: list[type[Message]] = []
    for child in base.__subclasses__():
        grandchildren = message_types(child)
        found.extend([*grandchildren] if grandchildren else [child])
    return found
