"""`soc rules blind`: the rules that can never match, by source."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

import orjson

from connectors.kept import contents
from detectors.sigma.rule import Rule
from flows import assembly
from flows.authoring.memo import Memo
from flows.commands.options import add_paths, read_config
from flows.naming import no_source
from flows.settings import Settings
from flows.terminal import counted, plain

FIELDS: Final = 8  # shown of those that the rules of a route lack


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_paths(parser)
    parser.add_argument("--source", metavar="NAME", help="this source only, and by kinds of event")
    parser.add_argument("--json", action="store_true", help="print a JSON document")


def run(args: argparse.Namespace) -> int:
    """Tell what every source lacks; 3 when any rule has a fault."""
    settings = read_config(args)
    rules = assembly.load_rules(settings, [*args.paths, *args.rules])
    memo = Memo(settings.cache, "blind", contents(settings.sources))
    told = memo.known(_question(rules.rules, args.source), lambda: _worked_out(rules.rules, args.source, settings))
    memo.save()
    if args.json:
        print(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
    else:
        for line in lines(told, whole=args.source is not None):
            print(plain(line))
    return 3 if rules.faults else 0


def _question(rules: Sequence[Rule], source: str | None) -> bytes:
    """Name all of the rules that the answer depends on or tells."""
    asked = ((rule.meta.id, rule.meta.level, rule.meta.title, rule.semantics, rule.waits_for) for rule in rules)
    return orjson.dumps([source, *asked])


def _worked_out(rules: Sequence[Rule], source: str | None, settings: Settings) -> dict[str, Any]:
    from flows import blindness  # noqa: PLC0415 - formats and enrichment: not where all is known already

    definitions = assembly.definitions(settings)
    if source is None:
        return blindness.document(rules, definitions.values())
    if source not in definitions:
        raise no_source(source, definitions)
    told = blindness.document(rules, [definitions[source]])
    del told["uncovered"]  # what other sources have is not asked
    return told


def lines(told: dict[str, Any], *, whole: bool) -> Iterator[str]:
    """Yield a document in words; `whole` names also the rules that are blind on some of a source's events only."""
    for name, seen in told["sources"].items():
        yield f"{name}: {counted(seen['rules'])}, {len(seen['blind']):,} blind"
        yield from (f"  {_line(rule)}" for rule in seen["blind"])
        for part in seen["routes"]:
            where = ", ".join(f"{column} {'/'.join(values)}" for column, values in part["where"].items())
            lacking = Counter(field for rule in part["blind"] for field in rule["lacks"])
            fields = ", ".join(f"{field} {count:,}" for field, count in lacking.most_common(FIELDS))
            yield f"  {where}: {counted(part['rules'])}, {len(part['blind']):,} blind for want of {fields}"
            yield from (f"    {_line(rule)}" for rule in part["blind"] if whole)
    if told.get("uncovered"):
        yield f"of no source here: {counted(sum(told['uncovered'].values()))}"
        yield from (f"  {name}: {count:,}" for name, count in told["uncovered"].items())


def _line(rule: dict[str, Any]) -> str:
    lacks = ", ".join(f"{field} (there is {near})" if near else field for field, near in rule["lacks"].items())
    return f"{rule['level']:<13} {rule['id']}  {rule['title']}: lacks {lacks}"
