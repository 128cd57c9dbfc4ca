r"""Vietnamese that older machines write: their bytes, which lines keep as escapes, become the letters they stand for.

    Nguy\xd4n Th\xde          TCVN3 (ABC)        Nguyễn Thị
    Nguye\xe3n Th\xf2         VNI                Nguyễn Thị
    Nguy\xea\xden Thi\xf2     Windows-1258       Nguyễn Thị

Letters of several code points (NFD) become those of one (NFC), so that values can be compared. The record keeps what
came; only what is read from it is changed. TCVN3 has no capitals with tones: it wrote them in a font of its own.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, Literal

import polars as pl

Encoding = Literal["utf-8", "windows-1258", "tcvn3", "vni"]

ESCAPED: Final = r"\\x[89a-f][0-9a-f]"  # a byte that is not UTF-8
COMBINING: Final = "[\u0300-\u0303\u0306\u0309\u031b\u0323]"
SAMPLE: Final = 200  # lines that tell an encoding
SURE: Final = 0.8  # share of words with letters of it that can be Vietnamese
TONES: Final = "\u0300\u0301\u0303\u0309\u0323"
FEW: Final = 3  # words that tell an encoding
LEFT: Final = "\ufffc"
WORD: Final = re.compile(r"[^\W\d_]+")
FOREIGN: Final = re.compile(r"(?:[^\W\d_]*[^\W\d_\x00-\x7f])[^\W\d_]*|[^\x00-\x7f]")  # words and signs beyond ASCII
SYLLABLE: Final = re.compile(
    r"(?:ngh?|nh|ch|gh?|gi|kh|ph|qu|th|tr|[bcdđhklmnprstvx])?"
    r"(?:uyê|iê|yê|ươ|uô|oa|oă|oe|uâ|uê|uy|ưa|ia|ua|ya|ưu|[aăâeêioôơuưy])(?:ng|nh|ch|[cmnptiyuo])?"
)

_TCVN3: Final = (
    "ĂÂÊÔƠƯĐăâêôơưđ\x00\x00\x00\x00\x00\x00àảãáạ\x00ằẳẵắ\x00\x00\x00\x00\x00\x00\x00ặầẩẫấậè\x00ẻẽéẹềểễếệìỉ\x00\x00\x00ĩíịò\x00ỏõóọồổỗốộờởỡớợù"
    "\x00ủũúụừửữứựỳỷỹýỵ"
)
_VNI_MARKS: Final = {
    "aeouy": {"ù": "\u0301", "ø": "\u0300", "û": "\u0309", "õ": "\u0303", "ï": "\u0323"},
    "ôö": {"ù": "\u0301", "ø": "\u0300", "û": "\u0309", "õ": "\u0303", "ï": "\u0323"},
    "aeo": {"â": "\u0302", "á": "\u0302\u0301", "à": "\u0302\u0300", "å": "\u0302\u0309", "ã": "\u0302\u0303",
            "ä": "\u0302\u0323"},
    "a": {"ê": "\u0306", "é": "\u0306\u0301", "è": "\u0306\u0300", "ú": "\u0306\u0309", "ü": "\u0306\u0303",
          "ë": "\u0306\u0323"},
}  # fmt: skip
_VNI_BASES: Final = {"ô": "ơ", "ö": "ư"}
_VNI_ALONE: Final = {"í": "í", "ì": "ì", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ", "ñ": "đ", "ô": "ơ", "ö": "ư"}


def _vni() -> dict[str, str]:
    pairs = {
        base + mark: unicodedata.normalize("NFC", _VNI_BASES.get(base, base) + tone)
        for bases, marks in _VNI_MARKS.items()
        for base in bases
        for mark, tone in marks.items()
    }
    small = pairs | _VNI_ALONE
    return small | {written.upper(): meant.upper() for written, meant in small.items()}


def _windows_1258() -> dict[str, str]:
    every = {chr(byte): bytes([byte]).decode("cp1258", "ignore") for byte in range(0x80, 0x100)}
    return {written: meant for written, meant in every.items() if meant}


# what stands for what, as the bytes look in Latin-1
TABLES: Final[dict[str, dict[str, str]]] = {
    "windows-1258": _windows_1258(),
    "tcvn3": {chr(0xA1 + place): letter for place, letter in enumerate(_TCVN3) if letter != "\x00"},
    "vni": _vni(),
}


def readable(lines: pl.Series, encoding: Encoding | None = None, *, json: bool = False) -> pl.Series:
    """Return lines whose bytes of an older encoding are letters, in NFC; the same series where there are none.

    Without an encoding it is told by the words that the bytes would make; bytes that make none stay escapes.
    """
    read = lines
    if encoding != "utf-8":
        read = _decoded(lines, encoding, json=json)
    wide = (read.str.len_bytes() != read.str.len_chars()).arg_true()
    apart = _that(read, wide, COMBINING)
    return read if not apart.len() else read.clone().scatter(apart, read.gather(apart).str.normalize("NFC"))


def _that(lines: pl.Series, rows: pl.Series, pattern: str) -> pl.Series:
    """Return those of the rows whose lines hold the pattern; to ask Polars of none takes longer than all else here."""
    return rows.filter(lines.gather(rows).str.contains(pattern)) if rows.len() else rows


def _decoded(lines: pl.Series, encoding: Encoding | None, *, json: bool) -> pl.Series:
    likely = lines.str.contains("\\x", literal=True).arg_true()  # a tenth of what the pattern takes
    rows = _that(lines, likely, ESCAPED)
    if not rows.len():
        return lines
    escaped = lines.gather(rows)
    name = encoding or told(escaped.head(SAMPLE), json=json)
    if name is None:
        return lines
    return lines.clone().scatter(rows, _letters(escaped, name, json=json))


def _letters(lines: pl.Series, encoding: str, *, json: bool) -> pl.Series:
    table = {_written(text, json=json): meant for text, meant in TABLES[encoding].items()}
    return lines.str.replace_many(list(table), list(table.values()), leftmost=True).str.normalize("NFC")


def _written(text: str, *, json: bool) -> str:
    """Return bytes as a line has them: escapes, whose backslash is one itself where the line is JSON."""
    slash = "\\\\x" if json else "\\x"
    return "".join(letter if letter.isascii() else f"{slash}{ord(letter):02x}" for letter in text)


def told(lines: pl.Series, *, json: bool = False) -> str | None:
    """Name the encoding in which the words of these lines are Vietnamese, or None where they are in none."""
    shares = {name: _share(_letters(lines, name, json=json)) for name in TABLES}
    best = max(shares, key=lambda name: shares[name])
    return best if shares[best] >= SURE else None


def _share(lines: pl.Series) -> float:
    """Return which share of what is more than ASCII are words that can be Vietnamese; none where they are too few."""
    text = re.sub(ESCAPED, LEFT, "\n".join(lines.to_list()))
    good = sum(_syllable(word) for word in WORD.findall(text) if not word.isascii())
    return good / len(FOREIGN.findall(text)) if good >= FEW else 0.0


def _syllable(word: str) -> bool:
    """Say whether a word can be a Vietnamese syllable: its letters in their order, and one tone at most."""
    apart = unicodedata.normalize("NFD", word.lower())
    tones = sum(letter in TONES for letter in apart)
    bare = unicodedata.normalize("NFC", "".join(letter for letter in apart if letter not in TONES))
    return tones <= 1 and SYLLABLE.fullmatch(bare) is not None
