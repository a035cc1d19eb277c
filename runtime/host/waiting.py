"""Messages to actors that this host has not heard of yet: at the start of a run names are known before addresses."""

from collections.abc import Callable

from runtime.message import Message

CAPACITY = 1_000


class WaitingRoom:
    """Holds what was told to a name that never had an address here, for a grace period; then it is given back."""

    def __init__(self, give_back: Callable[[str, str, Message, str], None]) -> None:
        self._give_back = give_back
        self._waiting: dict[str, list[tuple[str, Message]]] = {}
        self._known: set[str] = set()

    def hold(self, sender: str, to: str, message: Message) -> bool:
        """True if it waits now; False if that name was known and its actor is down, or too many wait."""
        if to in self._known or sum(map(len, self._waiting.values())) >= CAPACITY:
            return False
        self._waiting.setdefault(to, []).append((sender, message))
        return True

    def arrived(self, name: str) -> list[tuple[str, Message]]:
        """That name has an address now; returns what waited for it, in order."""
        self._known.add(name)
        return self._waiting.pop(name, [])

    def expire(self, name: str) -> None:
        """The grace period of the first message to that name is over."""
        for sender, message in self._waiting.pop(name, []):
            self._give_back(sender, name, message, "no such actor is up")
