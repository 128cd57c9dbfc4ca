"""Where the engine's time goes: its own functions, timed from outside while they work.

The engine carries no clocks, so matching costs nothing more where nobody looks. For as long as a block runs, the
functions that stand between its stages are exchanged for timed ones.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

import polars as pl

from detectors.contracts import Encoded
from detectors.sigma import engine
from detectors.sigma.columns import Chain, Column, Memory, Rows, Table
from detectors.sigma.evaluate import evaluate
from detectors.sigma.plan import Placed
from detectors.sigma.routing import Routing
from detectors.sigma.vocabulary import Flags
from flows.bench.clock import Ledger

Args = ParamSpec("Args")
Item = TypeVar("Item")

ROUTE, ENCODE, SEARCH, KEYWORDS, RULE, OTHER = "route", "encode", "search", "keywords", "rule", "other"
Part = tuple[str, Chain | int | None]  # what is done, and in which column or for which rule


@dataclass(slots=True)
class Trace:
    """What the engine did while it was traced."""

    ledger: Ledger[Part] = field(default_factory=Ledger)
    rows: dict[int, int] = field(default_factory=dict)  # rule → rows it was evaluated on
    _rule: int = -1  # that is evaluated now

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Trace every engine while the block runs."""
        stages = {
            "Table": self._table(),
            "_found": self._searched(engine._found),  # noqa: SLF001 - a profile looks inside
            "_read_keywords": self._timed(engine._read_keywords, (KEYWORDS, None)),  # noqa: SLF001
            "_candidates": self._named(engine._candidates),  # noqa: SLF001
            "evaluate": self._evaluated(evaluate),
        }
        with ExitStack() as stack:
            for name, timed in stages.items():
                stack.enter_context(_exchanged(engine, name, timed))
            stack.enter_context(_exchanged(Routing, "taken", self._timed(Routing.taken, (ROUTE, None))))
            stack.enter_context(self.ledger.timed((OTHER, None)))
            yield

    def _table(self) -> type[Table]:
        ledger = self.ledger

        class Timed(Table):
            def __init__(
                self, events: pl.DataFrame, names: Collection[str], memory: Memory, encoded: Mapping[str, Encoded]
            ) -> None:
                with ledger.timed((ENCODE, None)):
                    super().__init__(events, names, memory, encoded)

            def column(self, chain: Chain) -> Column | None:
                with ledger.timed((ENCODE, chain)):
                    return super().column(chain)

        return Timed

    def _timed(self, stage: Callable[Args, Item], part: Part) -> Callable[Args, Item]:
        def timed(*args: Args.args, **kwargs: Args.kwargs) -> Item:
            with self.ledger.timed(part):
                return stage(*args, **kwargs)

        return timed

    def _searched(self, stage: Callable[..., Iterator[Item]]) -> Callable[..., Iterator[Item]]:
        def searched(chain: Chain, *args: Any) -> Iterator[Item]:  # noqa: ANN401 - whatever the stage takes
            with self.ledger.timed((SEARCH, chain)):
                found = list(stage(chain, *args))
            return iter(found)

        return searched

    def _named(
        self, stage: Callable[..., Iterator[tuple[Placed, Rows]]]
    ) -> Callable[..., Iterator[tuple[Placed, Rows]]]:
        def named(*args: Any) -> Iterator[tuple[Placed, Rows]]:  # noqa: ANN401
            for placed, rows in stage(*args):
                self._rule = placed.rule
                self.rows[placed.rule] = self.rows.get(placed.rule, 0) + rows.size
                yield placed, rows

        return named

    def _evaluated(self, stage: Callable[..., Flags]) -> Callable[..., Flags]:
        def evaluated(*args: Any) -> Flags:  # noqa: ANN401
            with self.ledger.timed((RULE, self._rule)):
                return stage(*args)

        return evaluated


@contextmanager
def _exchanged(owner: object, name: str, new: object) -> Iterator[None]:
    old = getattr(owner, name)
    setattr(owner, name, new)
    try:
        yield
    finally:
        setattr(owner, name, old)
