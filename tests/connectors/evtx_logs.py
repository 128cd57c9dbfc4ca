"""What the tests of event logs share: chunks with damage, and what the parser makes of them."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence

from connectors.evtx_chunks import CHUNK, CHUNK_HEADER
from connectors.evtx_process import Parser, held


def mutated(chunk: bytes, chance: random.Random) -> bytes:
    changed = bytearray(chunk)
    for _ in range(chance.choice((1, 2, 4, 16, 64))):
        at = chance.randrange(0 if chance.random() < 0.1 else CHUNK_HEADER, CHUNK - 64)
        length = chance.randrange(1, 64)
        other = chance.randrange(CHUNK_HEADER, CHUNK - 64)
        number = chance.choice((0, 1, 0xFFFFFFFF, 0x7FFFFFFF, at, chance.randrange(CHUNK), chance.getrandbits(32)))
        new = (
            chance.randbytes(1),
            struct.pack("<I", number),
            struct.pack("<H", number % 65536),
            chunk[other : other + length],
        )
        data = chance.choice(new)
        changed[at : at + len(data)] = data
    return bytes(changed)


def parts(parser: Parser, chunks: Sequence[bytes]) -> list[tuple[bytes, list[int], int]]:
    with held(chunks) as stretch:
        parser.ask([stretch], anyhow=True)
        return [(part.lines, part.ids.tolist(), part.errors) for part in parser.answer().parts()]


def record_ids(chunk: bytes) -> list[int]:
    parser = Parser()
    ids = parts(parser, [chunk])[0][1]
    parser.close()
    return ids
