"""The venue's clock, as far as it is known here: requests carry its time, not ours."""

from collections import deque

from runtime.clock import NS_PER_MS

SAMPLES = 8


class VenueClock:
    """Offset of the venue's clock to ours, from the sample of the last few whose answer came back fastest."""

    def __init__(self) -> None:
        self._samples: deque[tuple[int, int]] = deque(maxlen=SAMPLES)
        self._distrusted = False
        self.offset_ns = 0

    @property
    def is_known(self) -> bool:
        return bool(self._samples)

    def learn(self, sent: int, received: int, server_time_ms: int) -> None:
        """One answer: when its request was sent and it was received (ours, ns), and the time in it (the venue's, ms).

        The venue cuts off fractions of a millisecond; half of one is added back.
        """
        if self._distrusted:
            self._samples.clear()
            self._distrusted = False
        venue = server_time_ms * NS_PER_MS + NS_PER_MS // 2
        self._samples.append((received - sent, venue - (sent + received) // 2))
        self.offset_ns = min(self._samples)[1]

    def distrust(self) -> None:
        """The venue refused our time (−1021): the next sample replaces all earlier ones."""
        self._distrusted = True

    def time(self, now: int) -> int:
        """The venue's time at our time `now`, nanoseconds."""
        return now + self.offset_ns

    def timestamp_ms(self, now: int) -> int:
        return (now + self.offset_ns) // NS_PER_MS
