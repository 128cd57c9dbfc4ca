"""TLS for senders: version 1.2 or newer, and with `clients` only those whose certificate that authority signed."""

from __future__ import annotations

import ssl
from asyncio.sslproto import SSLProtocol
from pathlib import Path
from typing import Final

from detectors.errors import Place, UsageError

BUFFER: Final = 32 << 10  # bytes read at once, two TLS records; asyncio gives each connection 256 KiB for its lifetime


def context(certificate: Path, key: Path, clients: Path | None) -> ssl.SSLContext:
    """Return what a listener needs; raise UsageError naming the file that is wrong."""
    SSLProtocol.max_size = BUFFER  # thousands of senders would take a gigabyte
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    try:
        made.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        fix = "name a certificate and its key as PEM files that this user may read"
        raise UsageError(f"no certificate for TLS: {_reason(error)}", place=Place(str(certificate)), fix=fix) from error
    if clients is not None:
        try:
            made.load_verify_locations(clients)
        except (OSError, ssl.SSLError) as error:
            fix = "name the PEM file of the authority that signs the senders' certificates"
            raise UsageError(f"no authority: {_reason(error)}", place=Place(str(clients)), fix=fix) from error
        made.verify_mode = ssl.CERT_REQUIRED
    return made


def _reason(error: OSError) -> str:
    return getattr(error, "reason", None) or error.strerror or str(error)
