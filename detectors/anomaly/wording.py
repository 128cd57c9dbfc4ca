"""What a model's finding says: what was usual and seen, how improbable it is, and what was learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from detectors.anomaly.explain import Told
from detectors.numbers import number

SHOWN: Final = 5  # features told in a sentence; the others are in the details
SMALLEST: Final = 1e-6  # no calibration is so long that it knows smaller probabilities
TEXTS: Final = {
    "en": "{features}. By chance so strange a window comes up less than once in {once} (p {p}). "
    "{nearest}Learnt from {since} to {until}.",
    "vi": "{features}. Nếu ngẫu nhiên, mức lạ như vậy gặp chưa tới 1 trong {once} lần (p {p}). "
    "{nearest}Học từ {since} đến {until}.",
}
MORE: Final = {"en": "and {more} more", "vi": "và {more} đặc trưng khác"}
NEAREST: Final = {"en": "The most similar normal day: {day}. ", "vi": "Ngày bình thường giống nhất: {day}. "}


def sentence(
    features: Sequence[Told], p: float, nearest: datetime | None, period: tuple[datetime, datetime], lang: str
) -> str:
    """Return the explanation of a window in one language; `nearest` is the normal day most like it.

    What is within its usual range, if at its edge, is counted and not shown.
    """
    day = {"en": "%Y-%m-%d", "vi": "%d/%m/%Y"}[lang]
    home = timedelta(hours=7)  # days are told by their local date; windows begin at local midnight
    p = max(p, SMALLEST)
    odd = [each for each in features if not each.usual[0] <= each.seen <= each.usual[1]] or features
    words = [feature.text(lang) for feature in odd[:SHOWN]]
    if left := len(features) - len(words):
        words.append(MORE[lang].format(more=left))
    return TEXTS[lang].format(
        features="; ".join(words),
        once=number(float(f"{1 / p:.1e}"), lang),  # of more digits none is known
        p=f"{'≤' if p > SMALLEST else '<'} {p:.2g}".replace(".", {"en": ".", "vi": ","}[lang]),
        nearest=NEAREST[lang].format(day=(nearest + home).strftime(day)) if nearest else "",
        since=(period[0] + home).strftime(day),
        until=(period[1] + home - timedelta(microseconds=1)).strftime(day),
    )
