"""Is this link alive? Down, or silent although something was asked over it, for longer than a desk can wait."""

from enum import Enum


class Health(Enum):
    HEARD = "heard"
    """It is up, and something has come over it since."""
    UNSURE = "unsure"
    """Down or silent, but not for long."""
    QUIET = "quiet"
    """Nothing has come for a while: now is the time to ask something that is answered at once."""
    FROZEN = "frozen"
    """What was asked has got no answer: it is up, but dead."""
    LOST = "lost"
    """It has been down for long."""


class LinkWatch:
    """Of one link, whichever socket carries it now. What is long is `after_ns`."""

    def __init__(self, after_ns: int, *, answers: bool = True) -> None:
        """`answers`: that it does is documented; another one is not taken for frozen before it has answered once."""
        self._after_ns = after_ns
        self._answers = answers
        self._down_since: int | None = None
        self._up_since: int | None = None
        self._asked = 0
        self.reason = "LINK_DOWN: not connected yet"
        """Why it was down last."""

    def on_up(self, now: int) -> None:
        self._up_since = now
        self._down_since = None

    def on_down(self, reason: str, now: int) -> None:
        if self._down_since is None:
            self._down_since = now
            self.reason = f"LINK_DOWN: {reason}"
        self._up_since = None

    def on_frozen(self, now: int) -> None:
        """It is given up and opened anew: it counts as lost from now on."""
        self._up_since = None
        self._down_since = now - self._after_ns
        self.reason = f"FROZEN: no answer for {self._after_ns / 1e9:g} s"

    def look(self, heard: int, now: int) -> Health:
        """`heard` is when something came over it last; 0 if nothing has."""
        if self._up_since is None:
            if self._down_since is None:
                self._down_since = now
            return Health.LOST if now - self._down_since >= self._after_ns else Health.UNSURE
        last = max(heard, self._up_since)
        if 0 < self._asked < heard < self._asked + self._after_ns:
            self._answers = True
        if now - last < self._after_ns:
            return Health.HEARD if heard > self._up_since else Health.UNSURE
        if self._asked <= last:
            self._asked = now
            return Health.QUIET
        is_overdue = self._answers and now - self._asked >= self._after_ns
        return Health.FROZEN if is_overdue else Health.UNSURE
