# SPDX-License-Identifier: AGPL-3.0-or-later
"""A report of subscribers from a file, in the desk's words. No address stands in it."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from tamizdat.desk.newsletter.models import Upload
from tamizdat.desk.newsletter.transfer.formats import BY_NAME
from tamizdat.desk.newsletter.transfer.importing import Report

SHOWN = 50  # rows for each reason


class Reason(NamedTuple):
    """Why rows are not taken in: how many, and the numbers of the first; ``more`` are not named."""

    why: str
    number: int
    rows: str
    more: int


class Told(NamedTuple):
    """``counts``: words and numbers; ``bad``: all rows that are not taken in."""

    report: Report
    format: str
    counts: list[tuple[str, int]]
    bad: int
    reasons: list[Reason]


def told(upload: Upload) -> Told:
    report = msgspec.convert(upload.report, Report)
    done = upload.state in (Upload.State.TAKING, Upload.State.DONE)
    return Told(
        report=report,
        format=BY_NAME[report.format].title if report.format in BY_NAME else "",
        counts=[
            ("New: subscribed" if done else "New: would be subscribed", report.subscribed),
            ("Known here, left as they are", report.here_before),
            ("Left there: remembered as gone", report.left),
            ("Not to be written to", report.suppressed),
        ],
        bad=sum(report.reasons.values()),
        reasons=[_reason(report, why, number) for why, number in report.reasons.items()],
    )


def _reason(report: Report, why: str, number: int) -> Reason:
    rows = [str(one.row) for one in report.refused if one.why == why][:SHOWN]
    return Reason(why, number, ", ".join(rows), number - len(rows))
