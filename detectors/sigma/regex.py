r"""Regular expressions, run by RE2: linear time whatever the pattern and the text.

Sigma means a subset of PCRE: search anywhere in the text, case-sensitive, `$` at the very end only, and `\d \w \s \b`
of ASCII letters. That is RE2's own reading; look-around and back-references, which no linear-time engine has, are
refused.
"""

from __future__ import annotations

import re
from functools import lru_cache

import re2

from detectors.errors import RuleError

MAX_LENGTH = 20_000
_FIXES = {  # what RE2 says, or how it begins → what an author can do
    "invalid perl operator": "look-around and the like take more than linear time; split the rule instead",
    "invalid escape sequence": "back-references take more than linear time; the end of the text is `$`",
    "bad repetition operator": "keep one of the signs, or put the inner repetition in parentheses",
    "no argument for repetition operator": "a plain sign is escaped, as in `\\*`; `.*` is any text",
    "invalid repetition size": "1000 is the most, and what is repeated within a repetition multiplies",
    "pattern too large": "split the rule",
    "missing": "a plain sign is escaped, as in `\\(`",
}
_BACKSLASH = "\ue000"  # stands for an escaped one while a pattern is taken apart
_TOKEN = re.compile(r"\\(.)|(\[\^?\]?)|(\])|(.)", re.DOTALL)
_INLINE = re.compile(r"\(\?[a-zA-Z]*\)")
_COUNTED = re.compile(r"(?<!\\)\{\d*,?\d*\}")
_UNSET = re.compile(r"\(\?[a-zA-Z]*-")  # (?i-s): too clever for what reads flags here
_CODE = re.compile(r"\\[^\WdDwWsSbBnrt_]")  # \x41, \pL …: a character that the text doesn't show


def checked(pattern: str, *, shown: str = "") -> str:
    """Return the pattern if it can be run, else raise RuleError with the engine's reason.

    `shown` is what the author wrote, where that is something else.
    """
    if len(pattern) > MAX_LENGTH:
        raise RuleError(f"a pattern of {len(pattern)} characters", fix=f"at most {MAX_LENGTH} can be run")
    try:
        program(pattern)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        fix = next((fix for fault, fix in _FIXES.items() if reason.startswith(fault)), "")
        raise RuleError(f"the pattern `{shown or pattern:.200}` can't be run: {reason:.200}", fix=fix) from error
    return pattern


@lru_cache(maxsize=8192)
def program(pattern: str) -> re2._Regexp:
    """Return the compiled pattern; its `search(text)` is None where it doesn't match."""
    options = re2.Options()
    options.log_errors = False  # they are raised
    return re2.compile(pattern, options)


def literal(pattern: str) -> str:
    """Return lower-case plain text that every match contains whatever its case, or "" if that isn't plain to see.

    Sound, not complete: only a run of plain characters outside of groups and classes counts, and none if there is an
    alternation outside of groups.
    """
    if _BACKSLASH in pattern:
        return ""
    body = _COUNTED.sub("*", _INLINE.sub("", pattern.replace(r"\\", _BACKSLASH)))
    if "[[:" in body or _CODE.search(body) or _UNSET.search(body):
        return ""
    # In any case `s` is also the long s and `k` the Kelvin sign, which fold to other letters
    special = "^$.?*+" + ("sSkK" if any("i" in flags for flags in _INLINE.findall(pattern)) else "")
    plain_runs = (text.replace(_BACKSLASH, "\\").lower() for text in _runs(body, special))
    return max((text for text in plain_runs if text.isascii()), key=len, default="")


def _runs(body: str, special: str) -> list[str]:
    """Return the runs of plain characters that stand outside of groups and classes."""
    runs = [""]
    inside, depth = False, 0
    for escaped, opening, closing, char in _TOKEN.findall(body):
        if inside:
            inside = not (closing or opening.endswith("]"))  # of `[a[]` the second bracket is a plain one
            continue
        inside = bool(opening)
        depth += (char == "(") - (char == ")")
        if char == "|" and not depth:
            return []
        plain = escaped if escaped and not escaped.isalnum() else char if char not in special + "()" else ""
        if char in ("?", "*") and char:
            runs[-1] = runs[-1][:-1]  # the character before may be missing
        if depth or not plain:
            runs.append("")
        else:
            runs[-1] += plain
    return runs
