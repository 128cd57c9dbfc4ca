"""Whether a rule's tree is true, for many rows at once."""

from __future__ import annotations

import numpy as np

from detectors.sigma.columns import KEYWORDS, Chain, Column, Rows, Table
from detectors.sigma.fold import fold
from detectors.sigma.predicates import ABSENCE_OPS, REFERENCE_OPS, And, Node, Not, Or, Predicate
from detectors.sigma.truth import REFERENCES
from detectors.sigma.vocabulary import Flags


def evaluate(node: Node, rows: Rows, chains: dict[str, Chain], table: Table) -> Flags:
    """Say for each of the rows whether the tree is true there; a part is asked only where it still matters."""
    match node:
        case Predicate():
            return _test(node, rows, chains, table)
        case Not(part):
            return ~evaluate(part, rows, chains, table)
        case And(parts):
            return _narrow(parts, rows, chains, table, stop=False)
        case Or(parts):
            return _narrow(parts, rows, chains, table, stop=True)


def _narrow(parts: tuple[Node, ...], rows: Rows, chains: dict[str, Chain], table: Table, *, stop: bool) -> Flags:
    """Evaluate parts in turn on the rows that none has decided: true decides an Or, false an And."""
    answer = evaluate(parts[0], rows, chains, table)
    for part in parts[1:]:
        undecided = (~answer if stop else answer).nonzero()[0]
        if not undecided.size:
            break
        answer[undecided] = evaluate(part, rows[undecided], chains, table)
    return answer


def _test(predicate: Predicate, rows: Rows, chains: dict[str, Chain], table: Table) -> Flags:
    column = table.column(KEYWORDS if predicate.field is None else chains[predicate.field])
    if column is None:
        return np.full(rows.size, predicate.op in ABSENCE_OPS, np.bool_)
    if predicate.op in REFERENCE_OPS:
        other = table.column(chains[predicate.values[0]])
        return _compare(predicate.op, column, other, rows)
    return column.test(predicate, rows)


def _compare(op: str, mine: Column, theirs: Column | None, rows: Rows) -> Flags:
    """Compare two fields of the same event, in any case; where either is missing the answer is no."""
    answer = np.zeros(rows.size, np.bool_)
    if theirs is None:
        return answer
    both = np.flatnonzero((mine.codes(rows) >= 0) & (theirs.codes(rows) >= 0))
    for place, left, right in zip(both, _folded(mine, rows[both]), _folded(theirs, rows[both]), strict=True):
        answer[place] = any(REFERENCES[op](a, b) for a in left for b in right)
    return answer


def _folded(column: Column, rows: Rows) -> list[list[str]]:
    values = [value if isinstance(value, list) else [value] for value in column.pick(rows)]
    return [[fold(text) for text in texts if text is not None] for texts in values]
