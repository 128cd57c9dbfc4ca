"""Pages as PDF, through a Chromium or Chrome that is there; without one, pages are printed from any browser.

The page is ours and loads nothing: its policy forbids scripts and sources, and for the browser no name leads anywhere.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from detectors.errors import UnavailableError, UsageError

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
PATIENCE: Final = 120  # seconds
FLAGS: Final = (
    "--headless",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--no-pdf-header-footer",
)


def browser() -> str | None:
    """Return the program that prints, if there is one."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def print_pdf(page: str, out: Path) -> None:
    """Write a page (HTML) as PDF.

    Raises:
        UsageError: there is no browser to print it.
        UnavailableError: the browser didn't.
    """
    program = browser()
    if program is None:
        raise UsageError(
            "there is no Chromium or Chrome here that could print a PDF",
            fix=f"install one, or write {out.with_suffix('.html').name} and print that from any browser",
        )
    with tempfile.TemporaryDirectory(prefix="soc-pdf-") as folder:
        source, made = Path(folder, "page.html"), Path(folder, "page.pdf")
        source.write_text(page, "utf-8")
        # a browser refuses to sandbox itself as root
        rights = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        command = [program, *FLAGS, *rights, f"--user-data-dir={folder}/profile", f"--print-to-pdf={made}"]
        try:
            subprocess.run([*command, source.as_uri()], check=True, capture_output=True, timeout=PATIENCE)  # noqa: S603 - our own words
            out.write_bytes(made.read_bytes())
        except (subprocess.SubprocessError, OSError) as error:
            raise UnavailableError(
                f"{program} didn't print {out}: {error}", fix="write .html and print that"
            ) from error
