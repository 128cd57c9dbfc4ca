"""Templates of pages: whatever stands in a log is escaped, and a name that nothing fills is an error."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined


def pages(package: str, folder: str = ".") -> Environment:
    """Return the HTML templates in a folder of a package."""
    return Environment(
        loader=PackageLoader(package, folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
