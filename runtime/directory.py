"""Who lives where: a host's copy of the supervisor's directory."""

from runtime.address import Address

NO_VERSION = -1


class Directory:
    """Names to addresses; says what changed so that watchers can be told."""

    def __init__(self) -> None:
        self.version = NO_VERSION
        self._addresses: dict[str, Address] = {}

    def find(self, name: str) -> Address | None:
        return self._addresses.get(name)

    def holds(self, address: Address) -> bool:
        return self._addresses.get(address.actor) == address

    def names(self) -> list[str]:
        return sorted(self._addresses)

    def add(self, address: Address) -> Address | None:
        """An actor of this host, known before the supervisor has told; returns the earlier life if there was one."""
        earlier = self._addresses.get(address.actor)
        self._addresses[address.actor] = address
        return earlier if earlier != address else None

    def replace(self, version: int, addresses: list[Address]) -> tuple[list[Address], list[Address]]:
        """Take over a newer state; returns (who is up now, who is down now), a new life counting as both."""
        self.version = version
        old, self._addresses = self._addresses, {address.actor: address for address in addresses}
        up = [address for name, address in self._addresses.items() if old.get(name) != address]
        down = [address for name, address in old.items() if self._addresses.get(name) != address]
        return up, down

    def change(self, version: int, addresses: list[Address], gone: list[str]) -> tuple[list[Address], list[Address]]:
        """Take over what is different in the next state; returns the same as `replace`."""
        self.version = version
        old = {name: known for name in (*gone, *(each.actor for each in addresses)) if (known := self.find(name))}
        for name in gone:
            self._addresses.pop(name, None)
        self._addresses.update((address.actor, address) for address in addresses)
        up = [address for address in addresses if old.get(address.actor) != address]
        down = [address for name, address in old.items() if self._addresses.get(name) != address]
        return up, down
