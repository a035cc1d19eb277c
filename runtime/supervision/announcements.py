"""The directory as hosts are told it: whole at first, then only what has changed.

So one change costs each host a line, and a desk of a thousand hosts does not send the square of them for each.
"""

from collections.abc import Iterable, Mapping

from runtime.address import Address
from runtime.protocol import DirectoryChanged

VERSIONS_PER_LIFE = 1_000_000_000
"""No version of one life of the supervisor is ever one of another."""


class Announcements:
    def __init__(self) -> None:
        self._addresses: dict[str, Address] = {}
        self._lives: dict[str, int] = {}
        self._changed = DirectoryChanged(0, [])

    @property
    def version(self) -> int:
        return self._changed.version

    def begin(self, life: int) -> None:
        """Nothing is known yet in this life of the supervisor."""
        self._changed = DirectoryChanged((life - 1) * VERSIONS_PER_LIFE, [])

    def advance(self, addresses: Iterable[Address], lives: Mapping[str, int], ended: Iterable[str] = ()) -> None:
        """The next version. `lives` as of `DirectoryChanged`; `ended` are actors some of whose lives may be known to
        hosts alone, which have met them."""
        was, lived = self._addresses, self._lives
        self._addresses, self._lives = {address.actor: address for address in addresses}, dict(lives)
        self._changed = DirectoryChanged(
            self.version + 1,
            [address for name, address in self._addresses.items() if was.get(name) != address],
            {host: life for host, life in lives.items() if lived.get(host) != life},
            self.version,
            sorted({*was, *ended} - self._addresses.keys()),
        )

    def since(self, version: int) -> DirectoryChanged:
        """For a host that was told this version last."""
        if version == self._changed.since:
            return self._changed
        return DirectoryChanged(self.version, list(self._addresses.values()), self._lives)
