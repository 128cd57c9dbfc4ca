"""What an author reads where a rule can't be run: what is wrong, at which line and column, and the fix."""

from __future__ import annotations

import pytest

from tests.detectors.sigma.asking import faults

LISTS = {"none": [], "many": [str(number) for number in range(1_000)]}

# what stands under `detection:` as part `sel` → line, column and message; the part begins at 6:5
ITEMS: dict[str, str] = {
    # modifiers: the column is the modifier's
    "f|contans: x": "6:7: `f|contans`: unknown modifier `contans`; did you mean `contains`?",
    "f|re|Contains: x": "6:10: `f|re|Contains`: unknown modifier `Contains`; did you mean `contains`?",
    "f||contains: x": "6:7: `f||contains`: a `|` without a modifier; take it away, or name one",
    "'f|contains|': x": "6:17: `f|contains|`: a `|` without a modifier; take it away, or name one",
    "f|gt|hour: 5": "6:10: `f|gt|hour`: `hour` takes a number, so it can't follow `gt`; keep one of them",
    "f|hour|minute: 5": "6:12: `f|hour|minute`: `minute` takes a number, so it can't follow `hour`; keep one of them",
    "f|lt|gt: 5": "6:10: `f|lt|gt`: `gt` takes a number, so it can't follow `lt`; keep one of them",
    "f|cidr|contains: 10.0.0.0/8": (
        "6:12: `f|cidr|contains`: `contains` takes a text, so it can't follow `cidr`; keep one of them"
    ),
    "f|gt|contains: 5": "6:10: `f|gt|contains`: `contains` takes a text, so it can't follow `gt`; keep one of them",
    "f|contains|gt: 5": "6:16: `f|contains|gt`: `gt` takes a number, so it can't follow `contains`; keep one of them",
    "f|re|cased: x": "6:10: `f|re|cased`: `cased` takes a text, so it can't follow `re`; keep one of them",
    "f|fieldref|cased: x": (
        "6:16: `f|fieldref|cased`: `cased` takes a text, so it can't follow `fieldref`; keep one of them"
    ),
    "f|base64|windash: x": (
        "6:14: `f|base64|windash`: `windash` takes a text, so it can't follow `base64`; keep one of them"
    ),
    "f|i: x": "6:7: `f|i`: `i` takes a regular expression; use it after `re` only",
    "f|contains|i: x": (
        "6:16: `f|contains|i`: `i` takes a regular expression, so it can't follow `contains`; use it after `re` only"
    ),
    "f|contains|re: x": "6:16: `f|contains|re`: `re` can't follow `contains`; put it right behind the field",
    "f|cased|cidr: 10.0.0.0/8": "6:13: `f|cased|cidr`: `cidr` can't follow `cased`; put it right behind the field",
    "f|cased|fieldref: g": "6:13: `f|cased|fieldref`: `fieldref` can't follow `cased`; put it right behind the field",
    "f|re|exists: true": "6:10: `f|re|exists`: `exists` can't follow `re`; put it right behind the field",
    "f|neq|contains|neq: x": "6:20: `f|neq|contains|neq`: `neq` stands twice; keep one of them",
    "f|re|i|ignorecase: x": "6:12: `f|re|i|ignorecase`: `ignorecase` stands twice; keep one of them",
    "f|wide|utf16le: x": "6:12: `f|wide|utf16le`: `utf16le` stands twice; keep one of them",
    f"f{'|base64' * 9}: x": (f"6:63: `f{'|base64' * 9}`: more than 8 modifiers; leave out what the others do already"),
    # values: the column is the value's
    "f|contains: 5": (
        "6:17: `f|contains`: `contains` takes a text, not the number 5; "
        "write a text (in quotes if it looks like something else)"
    ),
    "f|contains: [a, true]": (
        "6:21: `f|contains`: `contains` takes a text, not true; "
        "write a text (in quotes if it looks like something else)"
    ),
    "f|gt: '5'": "6:11: `f|gt`: `gt` takes a number, not the text '5'; write a number without quotes",
    "f|gt:": "6:10: `f|gt`: `gt` takes a number, not null; write a number without quotes",
    "f|hour: '5'": "6:13: `f|hour`: `hour` takes a number, not the text '5'; write a number without quotes",
    "f|hour: 5.5": "6:13: `f|hour`: a part of a time is a whole number, not 5.5",
    "f|exists: 'yes'": "6:15: `f|exists`: `exists` takes a boolean, not the text 'yes'; write true or false",
    "f|re: true": (
        "6:11: `f|re`: `re` takes a text, not true; write a text (in quotes if it looks like something else)"
    ),
    "f|cidr: 10.0.0.1/8": "6:13: `f|cidr`: `10.0.0.1/8` is not a network; write `10.0.0.0/8`",
    "f|cidr: fe80::1/10": "6:13: `f|cidr`: `fe80::1/10` is not a network; write `fe80::/10`",
    "f|cidr:\n  - 10.0.0.0/8\n  - 10.0.*": (
        "8:9: `f|cidr`: `10.0.*` is not a network; write an IPv4 or IPv6 network such as 10.0.0.0/8"
    ),
    "f|fieldref: 'a*'": "6:17: `f|fieldref`: `a*` is not the name of a field; write one, without wildcards",
    "f|fieldref: ''": "6:17: `f|fieldref`: `` is not the name of a field; write one, without wildcards",
    "f|base64: 'a*'": ("6:15: `f|base64`: wildcards can't be encoded; put `contains` and the like behind the encoding"),
    "f|contains|base64: a": (
        "6:24: `f|contains|base64`: wildcards can't be encoded; put `contains` and the like behind the encoding"
    ),
    "f|base64offset|contains: a": (
        "6:30: `f|base64offset|contains`: too short: one of its Base64 offsets is empty and matches everything; "
        "write at least two characters"
    ),
    "f|windash: '-a -b -c -d'": (
        "6:16: `f|windash`: 4 dashes to vary in 11 characters, each in 5 spellings; "
        "split it so that each value has at most 3"
    ),
    "f|expand: '%none%'": "6:15: `f|expand`: the list `none` is empty; give it at least one value",
    "f|re|expand: '%none%'": "6:18: `f|re|expand`: the list `none` is empty; give it at least one value",
    "f|expand: '%many%%many%%many%'": (
        "6:15: `f|expand`: its placeholders make 1000000000 values; shorten the lists, or write fewer placeholders"
    ),
    "f|expand|base64: '%many%'": (
        "6:22: `f|expand|base64`: a placeholder can't be encoded; write the values out, or encode them in the list"
    ),
    "f|expand|wide: '%many%'": (
        "6:20: `f|expand|wide`: a placeholder can't be encoded; write the values out, or encode them in the list"
    ),
    # regular expressions
    "f|re: '(a'": "6:11: `f|re`: the pattern `(a` can't be run: missing ): (a; a plain sign is escaped, as in `\\(`",
    "f|re: '(?=a)'": (
        "6:11: `f|re`: the pattern `(?=a)` can't be run: invalid perl operator: (?=; "
        "look-around and the like take more than linear time; split the rule instead"
    ),
    r"f|re: '(a)\1'": (
        r"6:11: `f|re`: the pattern `(a)\1` can't be run: invalid escape sequence: \1; "
        "back-references take more than linear time; the end of the text is `$`"
    ),
    "f|re: 'a{1001}'": (
        "6:11: `f|re`: the pattern `a{1001}` can't be run: invalid repetition size: {1001}; "
        "1000 is the most, and what is repeated within a repetition multiplies"
    ),
    "f|re: [a, 'b++']": (
        "6:15: `f|re`: the pattern `b++` can't be run: bad repetition operator: ++; "
        "keep one of the signs, or put the inner repetition in parentheses"
    ),
    "f|re: '*a'": (
        "6:11: `f|re`: the pattern `*a` can't be run: no argument for repetition operator: *; "
        r"a plain sign is escaped, as in `\*`; `.*` is any text"
    ),
    # what is no value
    "f: []": "6:5: `f`: an empty list; give it a value, or `null` for a missing field",
    "f|all: [x]": "6:5: `f|all`: `all` of a single value; leave `all` out, or add the others",
    "f|contains|all: x": "6:5: `f|contains|all`: `all` of a single value; leave `all` out, or add the others",
    "f: [x, null]": "6:12: `f`: `null` can't stand in a list; give it a part of its own, joined by `or`",
    "f: {g: h}": "6:8: `f`: a value can't be a map or a list of lists; write scalars, or a list of them",
    "f: [x, [y]]": "6:12: `f`: a value can't be a map or a list of lists; write scalars, or a list of them",
    "f: 2020-01-01": "6:8: `f`: YAML takes 2020-01-01 for a date; put it in quotes",
    "f: .nan": "6:8: `f`: nan is no number that an event can hold; put it in quotes if it is a text",
    "f: -.inf": "6:8: `f`: -inf is no number that an event can hold; put it in quotes if it is a text",
    f"f: 0x{'f' * 300}": (
        f"6:8: `f`: {str(16**300 - 1)[:40]} is no number that an event can hold; put it in quotes if it is a text"
    ),
    "f: !!binary aGk=": "6:8: `f`: a value can't be bytes; put it in quotes",
    # names that YAML reads as something else
    "No: x": "6:5: YAML takes the name `No` for False; put it in quotes",
    "~: x": "6:5: YAML takes the name `~` for None; put it in quotes",
    "010: x": "6:5: YAML takes the name `010` for 8; put it in quotes",
    "1: x\n'1': y": "7:5: the key `1` stands twice; keep one of them",
    # parts
    "{}": "5:3: an empty detection; give it at least one field",
    "[]": "5:3: an empty detection; give it at least one field",
    "- f: x\n- {}": "7:7: an empty detection; give it at least one field",
    # keywords
    "- x\n- true": "7:7: `keyword`: a keyword can't be a boolean; name a field for it",
    "- null": "6:7: `keyword`: a keyword can't be null; name a field for it",
    "'|cidr': 10.0.0.0/8": "6:14: `|cidr`: a keyword can't be a network; name a field for it",
    "'|gt': 5": "6:12: `|gt`: a keyword can't be a comparison; name a field for it",
    "'|exists': true": "6:16: `|exists`: a keyword can't be an existence test; name a field for it",
    "'|fieldref': g": "6:18: `|fieldref`: a keyword can't be a field reference; name a field for it",
    "'|hour': 3": "6:14: `|hour`: a keyword can't be a part of a time; name a field for it",
}


@pytest.mark.parametrize("item", ITEMS)
def test_item(item: str) -> None:
    assert faults(item, LISTS) == [f"test.yml:{ITEMS[item]}"]


# what stands under `detection:` → line, column and message; it begins at 5:3
CONDITIONS: dict[str, str] = {
    "sel: {f: x}\ncondition:": "6:3: no condition; add `condition:` that says how the parts go together",
    "sel: {f: x}\ncondition: []": "6:3: no condition; add `condition:` that says how the parts go together",
    "sel: {f: x}\ncondition: [sel, null]": "6:20: a condition is a text; write one, or a list of them",
    "sel: {f: x}\ncondition: {a: b}": "6:14: a condition is a text; write one, or a list of them",
    "'no': {f: x}\ncondition: no": "6:14: YAML takes the condition `no` for False; put it in quotes",
    "'yes': {f: x}\ncondition: [ yes ]": "6:16: YAML takes the condition `yes` for True; put it in quotes",
    "'010': {f: x}\ncondition: 010": "6:14: YAML takes the condition `010` for 8; put it in quotes",
    "no: {f: x}\ncondition: 'no'": "5:3: YAML takes the name `no` for False; put it in quotes",
    "sel: {f: x}\ncondition: seel": "6:14: condition: there is no `seel` in the detection; did you mean `sel`?",
    "sel: {f: x}\ncondition: 'sel and not (sel'": "6:27: condition: `(` without its `)`",
    "sel: {f: x}\ncondition: >\n  sel\n  or b": "6:14: condition: there is no `b` in the detection; known: `sel`",
    "sel: {f: x}\ncondition: sel AND sel": (
        "6:18: condition: `AND` where `and`, `or` or the end was expected; write `and`"
    ),
    "sel: {f: x}\ncondition: 2 of sel": "6:14: condition: `2 of` is not known; write `1 of`, `any of` or `all of`",
    "sel: {f: x}\ncondition: sel and not 1 of filter_*": (
        "6:31: condition: `1 of filter_*` fits nothing in the detection; known: `sel`"
    ),
    "_sel: {f: x}\ncondition: 1 of them": ("6:19: condition: `1 of them` fits nothing in the detection; known: `_sel`"),
    "sel: {f: x}\ncondition: 1 of (sel, sel)": (
        "6:19: condition: `(` where a pattern or `them` was expected; name the parts alike, and write `sel_*`"
    ),
    "sel: {f: x}\ncondition: sel | count() by g > 5": (
        "6:18: condition: an aggregation (`|`) of Sigma 1; write a correlation rule that refers to this one"
    ),
    "sel: {f: x}\ntimeframe: 5m\ncondition: sel": (
        "6:3: `timeframe` belongs to the aggregations of Sigma 1; write a correlation rule instead"
    ),
}


@pytest.mark.parametrize("detection", CONDITIONS)
def test_condition(detection: str) -> None:
    assert faults(detection) == [f"test.yml:{CONDITIONS[detection]}"]


def test_hostile_words_are_cut_in_messages() -> None:
    for detection in (
        "f|" + "x" * 10_000 + ": y",
        "sel: {f: x}\ncondition: " + "y" * 10_000,
        "f|cidr: " + "1" * 10_000,
    ):
        (fault,) = faults(detection)
        assert len(fault) < 500
