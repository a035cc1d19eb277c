"""Durations measured in this host, kept as histograms and shipped in batches."""

from runtime.message import Measured
from runtime.telemetry.histogram import Histogram


class Measures:
    """`record` is on the hot path: one dictionary look-up and one bucket."""

    def __init__(self) -> None:
        self._histograms: dict[tuple[str, str], Histogram] = {}

    def record(self, stage: str, label: str, duration_ns: int) -> None:
        try:
            self._histograms[stage, label].record(duration_ns)
        except KeyError:
            self._histograms[stage, label] = Histogram()
            self._histograms[stage, label].record(duration_ns)

    def take(self) -> list[Measured]:
        """What was recorded since the last time."""
        taken, self._histograms = self._histograms, {}
        return [Measured(stage, label, histogram.to_plain()) for (stage, label), histogram in taken.items()]
