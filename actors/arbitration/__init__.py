"""Market data that two or more connectors publish alike: one reader takes each event once."""

from actors.arbitration.arbiter import Arbiter

__all__ = ["Arbiter"]
