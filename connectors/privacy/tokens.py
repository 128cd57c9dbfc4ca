"""Tokens in the place of personal values: equal values get equal tokens, and nobody without the key finds the value.

    pd_k1_5mzq3w…   key id, and the first 130 bits of HMAC-SHA256 (RFC 2104) of the value in base 32

A token has only letters, digits and `_`, so it reads in every format where its value stood.
"""

from __future__ import annotations

import base64
import hmac
import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from connectors.privacy.keys import Key

LENGTH: Final = 26  # characters of base 32: no two values share them by chance
TOKEN: Final = re.compile(rf"pd_[a-z0-9]{{1,16}}_[a-z2-7]{{{LENGTH}}}")


def token(value: str, key: Key) -> str:
    """Return the token of a value; spellings of one text in NFC and NFD have one."""
    normal = unicodedata.normalize("NFC", value).strip().encode("utf-8", "surrogatepass")
    digest = hmac.digest(key.secret, normal, "sha256")
    return f"pd_{key.id}_{base64.b32encode(digest).decode('ascii')[:LENGTH].lower()}"


def tokens(values: Iterable[str], key: Key) -> dict[str, str]:
    """Return the tokens of values; what is a token already stays one."""
    return {value: value if TOKEN.fullmatch(value) else token(value, key) for value in values}
