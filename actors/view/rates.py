"""Messages per second of each venue, from one status to the next."""

from actors.status import Status

WINDOW_NS = 2_000_000_000


class Rates:
    def __init__(self) -> None:
        self._seen: list[tuple[int, dict[str, int]]] = []

    def update(self, status: Status) -> dict[str, float]:
        """Per venue, over the last two seconds; nothing before there are two statuses."""
        self._seen.append((status.ts, {name: venue.messages for name, venue in status.venues.items()}))
        while len(self._seen) > 2 and status.ts - self._seen[1][0] >= WINDOW_NS:
            del self._seen[0]
        ts, messages = self._seen[0]
        if status.ts <= ts:
            return {}
        elapsed_s = (status.ts - ts) / 1e9
        return {
            name: max(0, venue.messages - messages[name]) / elapsed_s
            for name, venue in status.venues.items()
            if name in messages
        }
