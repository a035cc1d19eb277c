"""The append-only log that state is rebuilt from: written by one process, followed by any number of readers."""

from runtime.journal.log import Durability, Journal, TornTail
from runtime.journal.position import Position
from runtime.journal.reader import Follower, lag_bytes
from runtime.journal.verify import Verdict, verify

__all__ = ["Durability", "Follower", "Journal", "Position", "TornTail", "Verdict", "lag_bytes", "verify"]
