"""Whose approvals count: those of the newest risk checker, and of no other that still lives somewhere."""

from collections.abc import Iterable

REMEMBERED = 10_000


class Authority:
    """A risk checker's life is its epoch: what an earlier one approved was not checked against what the present one has
    reserved. What was refused once stays refused: its order manager was told that it is certainly not at a venue."""

    def __init__(self) -> None:
        self.life = 0
        """Of the newest risk checker that was heard of."""
        self.refused: dict[str, None] = {}
        """Client order ids, oldest first."""

    def heard_of(self, life: int) -> None:
        self.life = max(self.life, life)

    def objection(self, life: int, client_order_ids: Iterable[str]) -> str:
        """Why what that life approved goes nowhere; "" if it may go."""
        ids = list(client_order_ids)
        if life < self.life:
            self.refused |= dict.fromkeys(ids)
            while len(self.refused) > REMEMBERED:
                del self.refused[next(iter(self.refused))]
            return f"STALE_AUTHORITY: approved by life {life} of the risk checker, the present one is {self.life}"
        self.life = life
        if any(id in self.refused for id in ids):
            return "STALE_AUTHORITY: an approval of it by an earlier risk checker was refused"
        return ""
