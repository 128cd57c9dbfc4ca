"""How much one sender may send: a token bucket each, of a bounded number of senders."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

SENDERS: Final = 65_536  # remembered at once: whoever spoofs more addresses makes the oldest forgotten, not memory full


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float  # seconds


class RateLimit:
    """Lets every sender have `rate` lines a second on average, and `burst` at once; a rate of 0 lets all through."""

    def __init__(self, rate: float, burst: float = 0.0, senders: int = SENDERS) -> None:
        self.rate = rate
        self.burst = max(burst, rate)
        self._senders = senders
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, sender: str, wanted: int, now: float) -> int:
        """Return how many of the lines wanted the sender may send now."""
        if not self.rate:
            return wanted
        bucket = self._bucket(sender, now)
        granted = min(wanted, max(0, int(bucket.left)))
        bucket.left -= granted
        return granted

    def owe(self, sender: str, sent: int, now: float) -> float:
        """Count lines that were sent, allowed or not; return after how many seconds the sender may go on."""
        if not self.rate:
            return 0.0
        bucket = self._bucket(sender, now)
        bucket.left -= sent
        return max(0.0, -bucket.left / self.rate)

    def _bucket(self, sender: str, now: float) -> _Bucket:
        bucket = self._buckets.get(sender)
        if bucket is None:
            if len(self._buckets) >= self._senders:
                self._buckets.popitem(last=False)
            bucket = self._buckets[sender] = _Bucket(self.burst, now)
            return bucket
        self._buckets.move_to_end(sender)
        bucket.left = min(self.burst, bucket.left + (now - bucket.at) * self.rate)
        bucket.at = now
        return bucket
