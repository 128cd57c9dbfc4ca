"""One HTML page that tells what was found: self-contained, safe to open, made for analysts and for print."""

from flows.report.page import build
from flows.report.stories import Told

__all__ = ["Told", "build"]
