"""Print how well formats agree: python -m tests.agreement [--format X] [--list] [--fields N]."""

from __future__ import annotations

import argparse
from collections import defaultdict

from tests.agreement.cases import Case, cases
from tests.agreement.compare import Tally
from tests.agreement.measure import REFERENCE, definitions, formats, measure, tallies, told
from tests.agreement.sources import SOURCES
from tests.agreement.witnesses import witnesses


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.agreement", description=__doc__)
    parser.add_argument("--format", help="only folders whose name holds this, or sources of this name")
    parser.add_argument("--list", action="store_true", help="only list the folders, their sources and records")
    parser.add_argument("--fields", type=int, default=8, help="how many of the worst fields of each folder to show")
    parser.add_argument("--floors", action="store_true", help="print what floors.yml should hold now")
    args = parser.parse_args()
    folders: dict[str, list[Case]] = defaultdict(list)
    for case in cases(REFERENCE):
        if not args.format or args.format in case.folder or args.format == SOURCES.get(case.folder):
            folders[case.folder].append(case)
    if args.floors:
        _floors()
    elif args.list:
        for folder, inside in folders.items():
            print(f"{folder:55} {SOURCES.get(folder, '-'):20} {sum(len(case.expected) for case in inside):6}")
    else:
        _agreement(folders, args.fields if args.format else 0)
        if not args.format:
            _witnesses()


def _floors() -> None:
    for folder, tally in sorted(tallies(REFERENCE).items()):
        print(f"{folder}: {int(tally.share * 1000) / 1000}")


def _agreement(folders: dict[str, list[Case]], fields: int) -> None:
    whole, covered = Tally(), Tally()
    answers: list[bool] = []
    found: dict[str, Tally] = {}
    for folder, inside in folders.items():
        source, tally = SOURCES.get(folder), Tally()
        for case in inside:
            tally.add(measure(case, source))
        whole.add(tally)
        if source:
            covered.add(tally)
            found[folder] = tally
            answers += [told(case, definitions()) == source for case in inside]
        _show(folder, source or "-", tally, fields)
    print("by format")
    for name, tally in sorted(formats(found).items()):
        print(f"{name:76} {tally.records:6} {tally.fields:6} {tally.share:7.1%}")
    for name, tally in (("with a source", covered), ("all", whole)):
        print(f"{name:76} {tally.records:6} {tally.fields:6} {tally.share:7.1%}")
    print(f"recognised without --source: {sum(answers)} of {len(answers)} files")


def _witnesses() -> None:
    whole = Tally()
    for case in witnesses(REFERENCE):
        source = told(case, definitions())
        tally = measure(case, source)
        whole.add(tally)
        _show(case.folder, source or "-", tally, 3)
    print(f"{'user, address, time, outcome':76} {whole.records:6} {whole.fields:6} {whole.share:7.1%}")


def _show(folder: str, source: str, tally: Tally, fields: int) -> None:
    print(f"{folder:55} {source:20} {tally.records:6} {tally.fields:6} {tally.share:7.1%}")
    for name, count in tally.missed.most_common(fields):
        where, expected, found = tally.examples[name]
        print(f"    {count:5} {name:30} {str(expected)[:60]!r} ≠ {str(found)[:60]!r}  {where}")


if __name__ == "__main__":
    main()
