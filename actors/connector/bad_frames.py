"""The last frames that could not be understood, kept for diagnosis."""

from collections import deque

from actors.connector.complaints import Complaints
from actors.venues.contract import BadFrame

KEPT_FRAMES = 8
KEPT_BYTES = 300


class BadFrames:
    def __init__(self) -> None:
        self.count = 0
        self._complaints = Complaints()
        self._last: deque[dict[str, str]] = deque(maxlen=KEPT_FRAMES)

    def keep(self, bad: BadFrame, now: int) -> int:
        """For how many frames like it a line in the log would stand now; 0 if none should be written."""
        self.count += 1
        start = bad.payload[:KEPT_BYTES].decode("utf-8", "replace")
        self._last.append({"link": bad.link, "reason": bad.reason, "payload": start})
        return self._complaints.worth_a_line(bad.reason, now)

    def plain(self) -> list[dict[str, str]]:
        return list(self._last)
