"""Which findings of the embedded store are wanted, and the statements that choose them.

What a list is chosen and ordered by stands in one index beside the documents, so a page of a long list reads the
documents of that page only. Everything asked is a parameter.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final, Literal, get_args

from connectors.store_rows import micros
from detectors.errors import UsageError
from detectors.schema import LEVELS

Status = Literal["new", "in_progress", "closed"]
Order = Literal["newest", "severe"]
NOBODY: Final = ""  # the owner of findings that nobody was given

_ORDERS: Final[dict[Order, str]] = {"newest": "f.time DESC, f.id", "severe": "f.level DESC, f.time DESC, f.id"}
_BUCKETS: Final = 60  # columns of a timeline at most


@dataclass(frozen=True, slots=True)
class Wanted:
    """What findings have to be; None is anything.

    `level` is the least one wanted, `rule` an id or a name, `since` belongs to the period and `until` doesn't; `text`
    stands anywhere in the title, the group or the id.
    """

    level: str | None = None
    rule: str | None = None
    host: str | None = None
    user: str | None = None
    ip: str | None = None
    source: str | None = None
    organisation: str | None = None
    status: Status | None = None
    owner: str | None = None
    reason: str | None = None
    text: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def asked(self) -> dict[str, object]:
        """Return the parameters of the statements below."""
        if self.level is not None and self.level not in LEVELS:
            raise UsageError(f"there is no level {self.level!r}", fix=f"choose one of {', '.join(LEVELS)}")
        if self.status is not None and self.status not in get_args(Status):
            raise UsageError(f"there is no status {self.status!r}", fix=f"choose one of {', '.join(get_args(Status))}")
        given = asdict(self) | {
            "level": None if self.level is None else LEVELS.index(self.level),
            "since": micros(self.since),
            "until": micros(self.until),
            "text": None if self.text is None else folded(self.text),
        }
        return dict(given)


def folded(text: str | None) -> str | None:
    """Return a text as it is searched: SQLite itself knows small letters of ASCII only."""
    return None if text is None else text.casefold()


_FROM: Final = """
FROM listed f LEFT JOIN states s ON s.finding = f.id
WHERE (:level IS NULL OR f.level >= :level)
  AND (:rule IS NULL OR f.rule = :rule OR f.name = :rule)
  AND (:source IS NULL OR f.source = :source)
  AND (:organisation IS NULL OR f.organisation = :organisation)
  AND (:since IS NULL OR f.time >= :since)
  AND (:until IS NULL OR f.time < :until)
  AND (:host IS NULL OR f.id IN (SELECT finding FROM entities WHERE kind = 'host' AND value = :host))
  AND (:user IS NULL OR f.id IN (SELECT finding FROM entities WHERE kind = 'user' AND value = :user))
  AND (:ip IS NULL OR f.id IN (SELECT finding FROM entities WHERE kind = 'ip' AND value = :ip))
  AND (:status IS NULL OR coalesce(s.status, 'new') = :status)
  AND (:owner IS NULL OR coalesce(s.owner, '') = :owner)
  AND (:reason IS NULL OR s.reason = :reason)
  AND (:text IS NULL OR instr(folded(f.name), :text) OR instr(folded(f.title_vi), :text)
       OR instr(folded(f.groupkey), :text) OR instr(f.id, :text))
"""


_TOLD: Final = """f.document, (SELECT count(*) FROM matches m WHERE m.finding = f.id),
    coalesce(s.status, 'new'), nullif(s.owner, ''), s.reason"""
ONE: Final = f"SELECT {_TOLD} FROM findings f LEFT JOIN states s ON s.finding = f.id WHERE f.id = ?"  # noqa: S608


def listing(order: Order) -> str:
    """Return the statement for a page: document, matches, status, owner, reason of each finding."""
    by = _ORDERS[order]
    return f"""
        WITH page AS MATERIALIZED (SELECT f.id, row_number() OVER (ORDER BY {by}) AS place {_FROM}
            ORDER BY {by} LIMIT :limit OFFSET :offset)
        SELECT {_TOLD} FROM page JOIN findings f USING (id) LEFT JOIN states s ON s.finding = f.id ORDER BY page.place
    """  # noqa: S608 - made of this module's own words


# The ids of all that are wanted, the newest first; of some, in their order, what a page shows, or documents alone.
IDS: Final = f"SELECT f.id {_FROM} ORDER BY {_ORDERS['newest']}"
SOME: Final = f"""SELECT {_TOLD} FROM json_each(?) some JOIN findings f ON f.id = some.value
    LEFT JOIN states s ON s.finding = f.id ORDER BY some.key"""  # noqa: S608 - as above
DOCUMENTS: Final = "SELECT document FROM json_each(?) some JOIN findings f ON f.id = some.value ORDER BY some.key"

# By level and status, how many; what a page says above its list.
COUNTS: Final = f"SELECT f.level, coalesce(s.status, 'new'), count(*) {_FROM} GROUP BY 1, 2"

# By stretch of time and level, how many; `:step` is the length of a stretch in microseconds.
TIMELINE: Final = f"SELECT f.time / :step, f.level, count(*) {_FROM} AND f.time IS NOT NULL GROUP BY 1, 2"
SPAN: Final = f"SELECT min(f.time), max(f.time) {_FROM} AND f.time BETWEEN 0 AND 4102444800000000"

# Whose they are.
ORGANISATIONS: Final = f"SELECT DISTINCT f.organisation {_FROM} AND f.organisation IS NOT NULL"

# The values a column has, the most frequent first.
CHOICES: Final[dict[str, str]] = {
    name: f"SELECT {name}, count(*) FROM listed WHERE {name} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT :limit"  # noqa: S608
    for name in ("source", "organisation", "name")
}


def step(first: int, last: int) -> int:
    """Return the length of a stretch, in microseconds, so that a timeline has not too many."""
    minute = 60_000_000
    for minutes in (1, 5, 15, 60, 180, 720, 1440, 10080, 43200):
        if (last - first) // (minutes * minute) < _BUCKETS:
            return minutes * minute
    return max((last - first) // _BUCKETS, minute)
