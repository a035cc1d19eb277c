"""How long ago the supervisor is known to have heard this host: what it grants it grants for so long only."""

ASKS_PER_LEASE = 10
"""So often within one the supervisor is asked to answer a heartbeat."""


class Lease:
    """Counts from when the heartbeat left that was answered, so the supervisor knows as well when it must be over.

    All times are of this host's own clock. It begins with the first answer: nobody is told of a host before.
    """

    def __init__(self, length_ns: int) -> None:
        self._length_ns = length_ns
        self._asked = 0
        self._heard = 0
        self.is_lapsed = False

    def asks(self, now: int) -> int:
        """What a heartbeat that leaves now carries to be answered; 0 to get no answer."""
        if not self._length_ns or now - self._asked < self._length_ns // ASKS_PER_LEASE:
            return 0
        self._asked = now
        return now

    def answered(self, asked: int, now: int) -> bool:
        """The heartbeat that left then was heard. True if the lease is valid again."""
        self._heard = max(self._heard, asked)
        was_lapsed, self.is_lapsed = self.is_lapsed, now - self._heard > self._length_ns
        return was_lapsed and not self.is_lapsed

    def lapses(self, now: int) -> bool:
        """True once, when it is over."""
        was_lapsed = self.is_lapsed
        self.is_lapsed = bool(self._heard) and now - self._heard > self._length_ns
        return self.is_lapsed and not was_lapsed

    def silence_ns(self, now: int) -> int:
        return now - self._heard
