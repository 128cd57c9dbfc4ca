"""`soc collect`: a collector that runs until it is told to stop."""

from __future__ import annotations

import asyncio
import sys

from connectors.collect.gathering import Protect
from flows import assembly, protecting
from flows.collecting.collector import Collector
from flows.collecting.needs import raise_handle_limit
from flows.settings import Settings
from flows.terminal import plain


def collect(settings: Settings, standard_input: str | None = None) -> None:
    """Collect until stopped; words for people go to stderr."""

    def say(text: str) -> None:
        print(f"collect: {plain(text)}", file=sys.stderr, flush=True)

    there, wanted = raise_handle_limit(settings.collect)
    if there < wanted:
        say(f"only {there:,} files can be open, {wanted:,} may be needed: raise the limit (LimitNOFILE, ulimit -n)")
    protect = protection(settings)

    async def main() -> None:
        await Collector(settings, say, protect, standard_input).run()

    asyncio.run(main())


def protection(settings: Settings) -> Protect:
    """Return what is done to the lines of a source before they are written anywhere: tokens, where the settings say so.

    Raises:
        UsageError: there are no keys to make tokens with; nothing is collected then.
    """
    return protecting.lines(settings, assembly.definitions(settings) if settings.privacy.protect else {})
