"""Which hosts may not live on: those that are silent for too long, or hold more memory than they may."""

from collections.abc import Iterable, Mapping

from runtime.clock import NS_PER_MS, NS_PER_S
from runtime.spec import Launcher
from runtime.supervision.changes import HostPlan
from runtime.supervision.table import HostEntry

START_GRACE_NS = 60 * NS_PER_S
"""A host that has not sent its first heartbeat after so long is taken for hung."""
MB = 1 << 20


class Patience:
    def __init__(self, patience_ns: int, launcher: Launcher, plans: Mapping[str, HostPlan]) -> None:
        self._patience_ns = patience_ns
        self._launcher = launcher
        self._plans = plans
        self._looked = 0

    def looks(self, entries: Iterable[HostEntry], now: int) -> None:
        """To be called each time before it is asked. Who was frozen or blocked itself has heard nobody meanwhile: that
        is no silence of the hosts, which are given as long again."""
        if self._looked and now - self._looked > self._patience_ns:
            for entry in entries:
                entry.seen = now if entry.seen else 0
        self._looked = now

    def given_up(self, entry: HostEntry, now: int) -> str:
        """Why it may not live on, or ""."""
        limit = self._patience_ns if entry.seen else START_GRACE_NS
        silence = now - (entry.seen or entry.launched)
        if silence > limit:
            return f"silent for {silence // NS_PER_MS} ms"
        allowed = self._plans[entry.name].memory_limit_bytes
        if allowed:
            held = self._launcher.resident_bytes(entry.name, entry.incarnation)
            if held > allowed:
                return f"MEMORY: its process holds {held // MB} MB, its limit is {allowed // MB} MB"
        return ""
