"""Which of many equal complaints are worth a line in the log: a venue that sends garbage sends much of it."""

import re

from runtime.clock import NS_PER_S

EVERY_NS = 60 * NS_PER_S
MOST_KINDS = 64
"""Of those beyond it all count as one more."""
DETAIL = re.compile(r"[:'\"(]")
"""What comes after it differs from one complaint to the next."""


class Complaints:
    """The first of each kind, then one a minute that says how many there were meanwhile."""

    def __init__(self) -> None:
        self._kinds: dict[str, tuple[int, int]] = {}
        """Kind → when it was last worth a line, and how many came since."""

    def worth_a_line(self, reason: str, now: int) -> int:
        """How many a line would stand for; 0 if none should be written now."""
        kind = DETAIL.split(reason, 1)[0]
        if kind not in self._kinds and len(self._kinds) >= MOST_KINDS:
            kind = ""
        written, since = self._kinds.get(kind, (now - EVERY_NS, 0))
        if now - written < EVERY_NS:
            self._kinds[kind] = (written, since + 1)
            return 0
        self._kinds[kind] = (now, 0)
        return since + 1
