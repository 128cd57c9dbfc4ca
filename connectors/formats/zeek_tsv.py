r"""Zeek's own logs: values between tabs, named by the comments at the head of the file.

    #path	conn
    #fields	ts	uid	id.orig_h	id.orig_p	id.resp_h	id.resp_p	proto	service	…
    #types	time	string	addr	port	addr	port	enum	string	…
    1772414100.857497	C1	192.0.2.7	38339	198.51.100.9	53	udp	dns	…

Own columns: the fields as they are named, and `kind`, the path. Sets and vectors are lists; `T` and `F` become `true`
and `false`, as in Zeek's JSON. Lines that come before any `#fields` (a batch need not begin where its file did) are
read as the default layout that has as many.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import polars as pl

from connectors.formats.frames import ERROR, scatter

CONNECTION: Final = "ts uid id.orig_h id.orig_p id.resp_h id.resp_p"
DEFAULTS: Final = {  # of Zeek 6, by path
    "conn": f"{CONNECTION} proto service duration orig_bytes resp_bytes conn_state local_orig local_resp missed_bytes "
    "history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes tunnel_parents",
    "dns": f"{CONNECTION} proto trans_id rtt query qclass qclass_name qtype qtype_name rcode rcode_name AA TC RD RA Z "
    "answers TTLs rejected",
    "http": f"{CONNECTION} trans_depth method host uri referrer version user_agent origin request_body_len "
    "response_body_len status_code status_msg info_code info_msg tags username password proxied orig_fuids "
    "orig_filenames orig_mime_types resp_fuids resp_filenames resp_mime_types",
}
LISTS: Final = {"answers", "tunnel_parents", "TTLs", "orig_fuids", "resp_fuids", "tags", "proxied"}  # of the defaults
FLAGS: Final = {"T": "true", "F": "false"}


@dataclass(frozen=True, slots=True)
class ZeekTsv:
    """Reads lines by the heading above them."""

    name: ClassVar[str] = "zeek_tsv"
    marks: ClassVar[tuple[str, ...]] = ("\t",)
    structured: ClassVar[bool] = False

    def parse(self, original: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
        """Return the wanted columns and `error.message`."""
        comment = original.str.starts_with("#").fill_null(value=True)
        heading = _heading(original).with_columns(line=original, width=original.str.count_matches("\t") + 1)
        rows = heading.with_row_index("row").filter(~comment)
        frame = pl.DataFrame({"ts": pl.Series([None], dtype=pl.String).new_from_index(0, original.len())})
        for _, part in rows.group_by("path", "fields", "types", pl.col("width").over("fields"), maintain_order=True):
            if (read := _read(part)) is not None:
                frame = scatter(frame, part["row"], read)
        reason = (
            pl.when(comment)
            .then(pl.lit("is a comment"))
            .when(frame["ts"].is_null())
            .then(pl.lit("has not the fields that #fields names"))
        )
        names = frame.columns if wanted is None else sorted(wanted)
        columns = [pl.col(name) if name in frame.columns else pl.lit(None, pl.String).alias(name) for name in names]
        return frame.select(*columns, reason.alias(ERROR))


def _heading(original: pl.Series) -> pl.DataFrame:
    """Return what the comments above each line say."""
    marks = {name: original.str.extract(rf"^#{name}\t(.*)$").forward_fill() for name in ("path", "fields", "types")}
    return pl.DataFrame([text.alias(name) for name, text in marks.items()])


def _read(part: pl.DataFrame) -> pl.DataFrame | None:
    path, fields, types, width = part.select("path", "fields", "types", "width").row(0)
    names = str(fields).split("\t") if fields else []
    lists = {name for name, kind in zip(names, str(types).split("\t"), strict=False) if "[" in kind}
    if not names:
        path, names = _default(width)
        lists = LISTS.intersection(names)
    if len(names) != width:
        return None
    values = part["line"].str.split("\t").list.to_struct(fields=names).struct.unnest()
    plain = pl.when(~pl.all().is_in(["-", "(empty)"])).then(pl.all())
    values = values.select(plain).with_columns(pl.all().exclude(lists).replace(FLAGS) if set(names) - lists else [])
    return values.with_columns(
        *[pl.col(name).str.split(",") for name in names if name in lists], pl.lit(path, pl.String).alias("kind")
    )


def _default(width: int) -> tuple[str | None, list[str]]:
    for path, fields in DEFAULTS.items():
        if len(fields.split()) == width:
            return path, fields.split()
    return None, []
