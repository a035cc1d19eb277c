"""Those who wanted to connect to a host and do not belong to its run: counted, logged, and nothing else."""

from runtime.actor import Logger
from runtime.clock import NS_PER_S, Clock

LOG_EVERY_NS = 1 * NS_PER_S
"""Who knocks all the time does not fill the disk."""


class Strangers:
    def __init__(self, clock: Clock, log: Logger) -> None:
        self.count = 0
        self._clock = clock
        self._log = log
        self._logged = 0

    def refused(self, peer: str, reason: str) -> None:
        self.count += 1
        now = self._clock.now()
        if now - self._logged >= LOG_EVERY_NS:
            self._logged = now
            self._log.warning("stranger_refused", peer=peer, reason=reason, count=self.count)
