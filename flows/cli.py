"""The command line: `soc VERB …`, one module in flows/commands per verb, imported when it is used."""

from __future__ import annotations

import argparse
import atexit
import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from detectors.errors import DefinitionError, SocError, UsageError
from flows.terminal import plain

OK, FINDINGS, USAGE, PARTIAL = 0, 1, 2, 3
FAULTS = 50  # told of at most
YOUNG = 20_000  # objects between two looks for garbage: modules and rules stay, and looking them through costs a tenth

COMMANDS = {
    "demo": "the main job on a simulated province: collect, detect, report",
    "scan": "find what matters in files and folders of logs",
    "parse": "print logs as normalised ECS events",
    "rules": "write, check, test, explain and try Sigma rules",
    "sources": "list, check, propose and test source definitions; the letter to a system's owner",
    "privacy": "keys of tokens that stand for personal data, and the vault",
    "reveal": "what a token stands for, to two people who both say so",
    "hunt": "run a rule over the archive, or ask it a question in SQL",
    "backfill": "run rules over the archive and store what they find, as though they had been there then",
    "train": "learn from the archive what is usual, per feature set",
    "models": "list, show, compare, promote and roll back what was learnt",
    "deploy": "by the clock of a Prefect server: score, look after sources and retention, watch drift, train",
    "score": "find behaviour out of the ordinary in closed hours and days of the archive",
    "collect": "syslog, files, folders of EVTX and HTTP into Kafka, until stopped",
    "run": "the detection pipeline of soc.yml, until stopped or caught up",
    "findings": "list, show, judge, assign and export findings of the embedded store",
    "risk": "which hosts, accounts, systems and organisations are most at risk, and through what",
    "incident": "findings that belong together: list, story, decisions, STIX and case bundle",
    "verdicts": "how right and how noisy each rule was, and what to do with it",
    "shift": "what fits into the next shift; the handover sheet",
    "notify": "tell people of open incidents by mail, Telegram, Teams, Slack or webhook",
    "report": "the weekly or monthly report of an organisation or of the province",
    "web": "a local page to read findings and decide about them",
    "dead": "list dead letters, and read them once more",
    "dashboards": "build, show, push, pull and compare Kibana's dashboards",
    "setup": "install templates and roles in Elasticsearch and topics in Kafka, or take them back",
    "simulate": "write the logs of a simulated province, with labelled attacks",
    "bench": "speed and memory of reading, parsing and matching",
    "doctor": "check configuration, rules, store, servers, disk and clock",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 fine, 1 findings (--fail-on), 2 usage, 3 part of the work failed."""
    gc.set_threshold(YOUNG)
    atexit.register(gc.freeze)  # a last look for garbage, of which the end of the process makes an end anyway
    words = list(sys.argv[1:] if argv is None else argv)
    parser = _parser(words)
    try:
        args = parser.parse_args(words)
        return int(args.run(args))
    except SocError as error:
        _tell(error.lines())
        return USAGE if isinstance(error, UsageError | DefinitionError) else PARTIAL
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except OSError as error:  # most often a file to write, which was named at the command line
        if error.filename is None:
            raise
        _tell([f"{error.filename}: {error.strerror}; name another file, or see who may write there"])
        return PARTIAL
    except KeyboardInterrupt:
        print("soc: stopped", file=sys.stderr)
        return 130


class _Version(argparse.Action):
    """Tell the version, and import what knows it when somebody asks."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version  # noqa: PLC0415

        print(f"soc {version('gialai-soc')}")
        parser.exit()


def _tell(lines: Sequence[str]) -> None:
    more = len(lines) - FAULTS
    for line in [*lines[:FAULTS], *([f"and {more:,} faults more"] if more > 0 else [])]:
        print(f"soc: {plain(line)}", file=sys.stderr)


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """Build the parser with the arguments of the command that was asked for only."""
    parser = argparse.ArgumentParser(
        prog="soc",
        description="Log analysis of a provincial security operations centre.",
        epilog="`soc VERB --help` tells more. Exit codes: 0 fine, 1 findings (--fail-on), 2 usage, 3 partly failed.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show program's version number and exit")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    asked = next((word for word in words if not word.startswith("-")), None)
    for verb, text in COMMANDS.items():
        command = verbs.add_parser(verb, help=text, description=text[0].upper() + text[1:] + ".")
        if verb == asked:
            module = import_module(f"flows.commands.{verb}")
            module.configure(command)
            command.set_defaults(run=module.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
