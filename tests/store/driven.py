"""A store that is driven by hand: its timers fire when the test says so."""

import time
from pathlib import Path
from typing import Any

from actors.store import Store
from actors.store.actor import LOOK_NS, PATIENCE_NS, StepDue
from runtime.actor import Started, Stopping
from tests.store.backing import Backing, built_anew, rows_of
from tests.support.context import RecordingContext

IN_TIME_S = 240.0


class DrivenStore:
    def __init__(self, journal: Path, backing: Backing, patience_ns: int = PATIENCE_NS) -> None:
        self.journal = journal
        self.backing = backing
        self.ctx = RecordingContext("store")
        self.store = Store(journal, backing.database(), patience_ns)
        self.most_receives = 0
        """While one step was under way: as often as it looked whether that is done, and did not wait for it."""
        self._receive(Started())
        self._settle()

    def run(self) -> None:
        """One more look at the journal and everything that it leads to, until it waits for its timer again."""
        self._receive(StepDue())
        self._settle()

    def stop(self) -> None:
        self._receive(Stopping())
        self._settle()

    def until_it_is_well(self) -> None:
        """Retries until there is no problem any more."""
        deadline = time.monotonic() + IN_TIME_S
        self.run()
        while self.state["problem"]:
            assert time.monotonic() < deadline, self.state
            self.run()

    def assert_equal_to_one_built_anew(self) -> None:
        """Row by row; stops the store."""
        self.stop()
        assert self.store.is_finished()
        rows = rows_of(self.backing.database())
        assert rows["orders"]
        assert rows == built_anew(self.journal, self.backing.elsewhere())

    @property
    def state(self) -> dict[str, Any]:
        return self.store.report().state

    @property
    def counters(self) -> dict[str, int]:
        return self.store.report().counters

    @property
    def wait_ns(self) -> int:
        return self.ctx.timers[-1].due - self.ctx.time

    def _settle(self) -> None:
        """The context's clock follows the real one while a step is under way, and stands still otherwise."""
        begun, began = time.monotonic_ns(), self.ctx.time
        receives = 0
        while not self.store.is_finished() and self.wait_ns <= LOOK_NS:
            assert time.monotonic_ns() - begun < IN_TIME_S * 1e9, self.state
            if self.wait_ns:
                time.sleep(0.001)
            self.ctx.time = began + time.monotonic_ns() - begun
            self._receive(StepDue())
            receives += 1
        self.most_receives = max(self.most_receives, receives)

    def _receive(self, message: object) -> None:
        self.store.receive(message, self.ctx)
