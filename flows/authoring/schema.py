"""`soc rules schema`: the JSON schema of rule files, so that editors complete and mark what they know of.

One schema for rules, correlations and exceptions. The fields that are offered are those of the rule's log source; of
one that no source here has, those of all. Completion is generous where checks are strict: a field may have any name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from connectors.definition import Definition
from detectors.attack import RELEASE, TACTICS, techniques
from detectors.contracts import LogSource
from detectors.correlation.rule import OPERATORS, TYPES
from detectors.questions import LOOKS, MEANS, catalogue
from detectors.schema import LEVELS
from detectors.sigma.logsources import EVERYTHING
from detectors.sigma.parse import STATUSES
from detectors.tables import read_table
from flows import blindness
from flows.authoring.fields import Fields
from flows.authoring.house import RUNBOOK
from flows.authoring.lint import KEYS
from flows.rulecases import Case

TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT}
QUESTION: dict[str, Any] = {
    "type": "object",
    "required": ["en", "vi", "means"],
    "additionalProperties": False,
    "properties": {
        "en": {"type": "string", "description": "Answered with yes or no, with values: Does {user.name} confirm it?"},
        "vi": {"type": "string"},
        "means": {"enum": [*MEANS], "description": "What a yes speaks for"},
        "look": {"enum": [*LOOKS], "description": "Where the answer is to be looked for (default: findings)"},
        "by": {"anyOf": [TEXT, TEXTS], "description": "Fields whose values are looked for"},
        "before": {"type": "integer", "minimum": 0, "description": "Seconds before the finding (default: a day)"},
        "after": {"type": "integer", "minimum": 0, "description": "Seconds after the finding (default: a day)"},
    },
}


def schema(definitions: Mapping[str, Definition]) -> dict[str, Any]:
    """Return the schema for the sources that there are."""
    sets, narrowed = _narrowed(definitions)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Sigma rule",
        "description": "A Sigma rule with its tests. `soc rules check` says more than an editor can.",
        "type": "object",
        "required": ["title"],
        "anyOf": [
            {"required": ["logsource", "detection"]},
            {"required": ["correlation"]},
            {"required": ["logsource", "filter"]},
        ],
        "properties": {key: _PROPERTIES.get(key, {}) for key in KEYS}
        | {
            "logsource": _logsource(definitions),
            "detection": _DETECTION,
            "filter": _FILTER,
            "correlation": _CORRELATION,
            "tags": _tags(),
            "tests": _tests(definitions),
        },
        "allOf": narrowed,
        "definitions": sets,
    }


_DETECTION: dict[str, Any] = {
    "type": "object",
    "required": ["condition"],
    "properties": {
        "condition": {"anyOf": [TEXT, TEXTS], "description": "selection and not filter; 1 of sel_*; all of them"}
    },
}
_FILTER: dict[str, Any] = {
    **_DETECTION,
    "description": "What is excepted (docs/exceptions.md): mostly `condition: not …`",
    "required": ["rules", "condition"],
    "properties": {
        "rules": {
            "anyOf": [{"const": "any"}, TEXT, TEXTS],
            "description": "Ids or names of rules and correlations, or any",
        },
        **_DETECTION["properties"],
    },
}
_TERMS: dict[str, Any] = {
    "owner": {"type": "string", "description": "Of an exception: who answers for it"},
    "organisation": {"type": "string", "description": "Of an exception: only events of this one"},
    "reason": {"type": "string", "description": "Of an exception: why"},
    "document": {"type": ["string", "number"], "description": "Of an exception: number of the paper that permits it"},
    "valid_from": {"type": "string", "description": "Of an exception: the first day, or time, of events"},
    "valid_to": {"type": "string", "description": "Of an exception: the last day, or the end, of events"},
    "intent": {"enum": ["narrow"], "description": "Of an exception: it keeps only what it describes"},
}
_LIMITS = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^[-+.\d]"}]}
_CORRELATION: dict[str, Any] = {
    "type": "object",
    "description": "Matches of rules, put together in time (docs/correlation.md)",
    "required": ["type", "rules", "timespan"],
    "properties": {
        "type": {"enum": [*TYPES]},
        "rules": {"anyOf": [TEXT, TEXTS], "description": "Names or ids of rules, or of correlations"},
        "group-by": {"anyOf": [TEXT, TEXTS], "description": "A series of windows for each of their values"},
        "timespan": {"type": "string", "pattern": r"^\s*\d+\s*[smhdwMy]\s*$", "description": "10m; s, m, h, d, w"},
        "condition": {
            "anyOf": [
                {
                    "type": "object",
                    "properties": dict.fromkeys(OPERATORS, _LIMITS)
                    | {
                        "field": {"anyOf": [TEXT, TEXTS]},
                        "percentile": {"type": "number", "minimum": 0, "maximum": 100},
                    },
                    "additionalProperties": False,
                },
                {"type": "string", "description": "a and not b, of names of rules"},
            ]
        },
        "aliases": {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": TEXT}},
        "generate": {"type": "boolean", "description": "Whether its rules have findings of their own as well"},
    },
    "additionalProperties": False,
}
_PROPERTIES: dict[str, Any] = {
    "title": {"type": "string", "maxLength": 256, "description": "What happened: the name of its findings"},
    "id": {"type": "string", "format": "uuid", "description": "A random UUID; `soc rules new` makes one"},
    "status": {"enum": [*STATUSES], "description": "`soc rules promote` raises it on evidence"},
    "description": {"type": "string"},
    "license": TEXT,
    "references": TEXTS,
    "author": TEXT,
    "date": {"type": "string", "pattern": r"^\d{4}[-/]\d{2}[-/]\d{2}$"},
    "modified": {"type": "string", "pattern": r"^\d{4}[-/]\d{2}[-/]\d{2}$"},
    "falsepositives": {**TEXTS, "description": "When it is nothing"},
    "level": {"enum": [*LEVELS]},
    "runbook": {
        "description": f"Four lines that begin with {', '.join(RUNBOOK['en'])}",
        "anyOf": [TEXT, {"type": "object", "properties": dict.fromkeys(RUNBOOK, TEXT)}],
    },
    "soc": {
        "type": "object",
        "description": "How findings are grouped, and what they say",
        "properties": {
            "group-by": {"anyOf": [TEXT, TEXTS], "description": "ECS fields of the group key"},
            "window": {
                "anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": r"^\d{1,6}[smhd]$"}],
                "description": "How long events are one finding: seconds, or 15m, 4h, 1d",
            },
            "signal": {"type": "boolean", "description": "Matches feed correlations and risk, and make no finding"},
            "title": {"type": "object", "properties": {"vi": TEXT}, "description": "The title in Vietnamese"},
            "falsepositives": {"type": "object", "properties": {"vi": TEXTS}, "description": "The same in Vietnamese"},
            **_TERMS,
            "message": {
                "type": "object",
                "properties": {"vi": TEXT, "en": TEXT},
                "description": "What a finding says, with values: {user.name} opened {object_id}",
            },
            "questions": {
                "type": "array",
                "minItems": 1,
                "description": "The decision list: shared questions by name, and the rule's own",
                "items": {"anyOf": [{"enum": sorted(catalogue().questions)}, QUESTION]},
            },
        },
    },
}


def _logsource(definitions: Mapping[str, Definition]) -> dict[str, Any]:
    legal = Fields(lambda: definitions).words()
    return {
        "type": "object",
        "description": "Whose events the rule is about",
        "properties": {part: _suggested(names) for part, names in legal.items()} | {"definition": TEXT},
        "minProperties": 1,
    }


def _narrowed(definitions: Mapping[str, Definition]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return sets of fields, by name, and for each log source which of them its rules may ask for."""
    fields, names = Fields(lambda: definitions), dict[frozenset[str], str]()
    cases = []
    for logsource in sorted(_logsources(definitions), key=str):
        if offered := fields.offered(logsource):
            name = names.setdefault(offered, f"fields{len(names)}")
            cases.append({"if": _is(logsource), "then": _asks(name)})
    others = {"not": {"anyOf": [case["if"] for case in cases]}}
    name = names.setdefault(frozenset(_fields(definitions)), f"fields{len(names)}")
    sets = {name: {"type": "object", "properties": _keys(offered)} for offered, name in names.items()}
    return sets, [*cases, {"if": others, "then": _asks(name)}]


def _logsources(definitions: Mapping[str, Definition]) -> set[LogSource]:
    """Return the log sources that rules may name of the sources that there are."""
    found = {definition.dialect.logsource for definition in definitions.values()}
    for product, kinds in read_table("sigma/logsources.yml").items():
        named = product if product != "*" else None
        found |= {LogSource(category=name, product=named) for name in kinds.get("categories", ())}
        found |= {LogSource(service=name, product=named) for name in kinds.get("services", ())}
    return found


def _is(logsource: LogSource) -> dict[str, Any]:
    """Return what holds of the rules of a log source: they name it, and nothing else."""
    named = {part: getattr(logsource, part) for part in ("category", "product", "service")}
    parts = {part: {"const": value} if value else False for part, value in named.items()}
    wanted = [part for part, value in named.items() if value]
    return {"required": ["logsource"], "properties": {"logsource": {"required": wanted, "properties": parts}}}


def _asks(name: str) -> dict[str, Any]:
    """Return that the parts of a detection, and of an exception, ask for fields of this set, or for keywords."""
    item = {"$ref": f"#/definitions/{name}"}
    part = {"anyOf": [item, {"type": "array", "items": {"anyOf": [item, {"type": ["string", "number"]}]}}, TEXT]}
    return {
        "properties": {
            "detection": {"properties": {"condition": True}, "additionalProperties": part},
            "filter": {"properties": {"condition": True, "rules": True}, "additionalProperties": part},
        }
    }


def _keys(fields: Iterable[str]) -> dict[str, Any]:
    """Return what completes to a field, and its first modifier."""
    return {key: True for name in sorted(fields) for key in (name, f"{name}|contains", f"{name}|endswith")}


def _fields(definitions: Mapping[str, Definition]) -> list[str]:
    """Return every field that is known of any source."""
    found: set[str] = set()
    for definition in definitions.values():
        found.update(blindness.columns(definition, EVERYTHING) or ())
        found.update(definition.fields, definition.aliases, definition.mapped)
    for documented in read_table("sigma/eventfields.yml").values():
        for events in documented["events"].values():
            for columns in events.values():
                found.update(name for each in columns for name in (each if isinstance(each, list) else [each]))
    return sorted(found)


def _tags() -> dict[str, Any]:
    named = [
        {"const": f"attack.{tactic}", "description": f"{key}, ATT&CK v{RELEASE}"} for tactic, key in TACTICS.items()
    ]
    named += [{"const": f"attack.{key.lower()}", "description": one.name} for key, one in techniques().items()]
    return {"type": "array", "items": {"anyOf": [*named, TEXT]}}


def _tests(definitions: Mapping[str, Definition]) -> dict[str, Any]:
    case = Case.model_json_schema()
    case["properties"]["source"] = _suggested(sorted(definitions))
    case["properties"] |= {name: {"anyOf": [TEXT, TEXTS]} for name in ("group", "message")}
    case.pop("title", None)
    return {"type": "array", "items": case, "description": "At least one that matches, and one that doesn't"}


def _suggested(names: Iterable[str]) -> dict[str, Any]:
    return {"anyOf": [{"enum": [*names]}, TEXT]}
