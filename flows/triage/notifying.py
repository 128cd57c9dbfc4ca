"""Notices through Apprise: mail, Telegram, Teams, Slack, any webhook; what was told stands in the store."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from connectors.store import Store
from connectors.store_cases import Cases
from connectors.store_sums import Sums
from detectors.errors import UnavailableError, UsageError
from detectors.schema import LEVELS
from flows.settings import Settings
from flows.triage import duties
from flows.triage.notices import Matter, Quiet, Told, to_tell
from flows.triage.shift import spoken

SHOWN: Final = 20  # incidents in one message
CODE: Final = re.compile(r"[A-Z0-9.-]{1,24}")  # of an organisation; a log may claim anything else, a person's name too
TITLE: Final = {"en": "SOC incidents", "vi": "Sự cố SOC"}
OPEN: Final = {"en": "to look at", "vi": "cần xử lý"}
OVER: Final = {"en": "resolved", "vi": "đã khắc phục"}
FINDINGS: Final = {"en": "findings", "vi": "cảnh báo"}
DUE: Final = {"en": "report due", "vi": "hạn báo cáo"}
LATE: Final = {"en": "REPORT OVERDUE since", "vi": "QUÁ HẠN BÁO CÁO từ"}


def notify(settings: Settings, store: Store, now: datetime) -> tuple[int, int]:
    """Tell what has to be told now in one message; return how many incidents were told, and how many as resolved.

    Raises:
        UsageError: no address is set, or one can't be used.
        UnavailableError: the message didn't arrive; it is told again the next time.
    """
    cases, part = Cases(store), settings.notify
    zone = ZoneInfo(settings.zone)
    told = {name: Told(times, last, over) for name, times, last, over in cases.told()}
    quiet = Quiet(part.quiet_from, part.quiet_to) if part.quiet_from != part.quiet_to else None
    every = _matters(store, cases, duties.read(settings.triage.duties))
    still, over = to_tell(every, told, now.astimezone(zone), quiet, part.least)
    if still or over:
        _send(settings, *message(still, over, settings.language, now.astimezone(zone)))
        cases.tell([*((each.id, False) for each in still), *((each.id, True) for each in over)], now)
    return len(still), len(over)


def message(still: list[Matter], over: list[Matter], lang: str, now: datetime) -> tuple[str, str]:
    """Return title and text of one message for all of them; times are in the zone of `now`."""
    lines, t = [], spoken(lang)
    for each in still[:SHOWN]:
        where = f" {', '.join(each.organisations)}" if each.organisations else ""
        word = LATE if each.until and each.until < now else DUE
        due = f"; {word[lang]} {each.until.astimezone(now.tzinfo):%d/%m %H:%M}" if each.until else ""
        lines.append(
            f"[{t[f'level_{each.level}'].lower()}] {each.id[:12]}{where}: {each.findings} {FINDINGS[lang]}{due}"
        )
    lines += [f"+{len(still) - SHOWN}"] if len(still) > SHOWN else []
    lines += [f"{OVER[lang]}: {each.id[:12]}" for each in over[:SHOWN]]
    lines += [f"{OVER[lang]}: +{len(over) - SHOWN}"] if len(over) > SHOWN else []
    counts = ((len(still), OPEN), (len(over), OVER))
    title = f"{TITLE[lang]}: {', '.join(f'{count} {words[lang]}' for count, words in counts if count)}"
    return title, "\n".join(lines)


def _matters(store: Store, cases: Cases, law: duties.Duties) -> Iterator[Matter]:
    every = cases.all(sys.maxsize)
    whose = Sums(store).organisations(case.id for case in every)
    for case in every:
        left = [each.until for each in duties.due(case, cases.history(case.id), law) if each.sent is None]
        codes = tuple(code for code in whose.get(case.id, ()) if CODE.fullmatch(code))[:SHOWN]
        yield Matter(case.id, LEVELS[max(case.level, 0)], case.findings, case.status, codes, min(left, default=None))


def _send(settings: Settings, title: str, text: str) -> None:
    from apprise import Apprise, NotifyFormat  # noqa: PLC0415 - it takes long to import

    addresses = [each.get_secret_value() for each in settings.notify.urls]
    if not addresses:
        raise UsageError(
            "there is nobody to tell", fix="set SOC_NOTIFY__URLS='[\"mailto://…\"]'; see Apprise's addresses"
        )
    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its lines may hold addresses with secrets
    box = Apprise()
    for number, each in enumerate(addresses, 1):
        if not box.add(each):
            raise UsageError(f"address {number} of `notify.urls` can't be used", fix="see Apprise's addresses")
    if not box.notify(body=text, title=title, body_format=NotifyFormat.TEXT):
        raise UnavailableError(
            "the notice didn't arrive everywhere", fix="check addresses and network; it is sent again"
        )
