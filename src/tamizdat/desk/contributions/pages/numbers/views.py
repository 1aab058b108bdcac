# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pages of numbers and the files of the books. Pure reading."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views import View
from django.views.generic import TemplateView
from wagtail.admin.views.generic import WagtailAdminTemplateMixin

from tamizdat.desk.contributions import providers, reports
from tamizdat.desk.contributions.exports import FORMATS
from tamizdat.desk.contributions.models import Payment
from tamizdat.desk.contributions.pages.numbers import (
    closing,
    head,
    money_charts,
    people_charts,
    periods,
    standing,
)
from tamizdat.desk.contributions.pages.numbers.menu import sees_gifts
from tamizdat.desk.contributions.pages.numbers.wording import day_words, number
from tamizdat.desk.contributions.reports import Report, times
from tamizdat.desk.contributions.reports.table import as_csv


class Guarded(View):
    """For those who see gifts; nothing of it stays in a browser."""

    http_method_names = ["get", "head"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not sees_gifts(request.user):
            raise PermissionDenied
        response = super().dispatch(request, *args, **kwargs)
        response.headers["Cache-Control"] = "no-store, private"
        return response


class Page(Guarded, WagtailAdminTemplateMixin, TemplateView):
    header_icon = "table"
    _show_breadcrumbs = True
    above: tuple[tuple[str, str], ...] = ()

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            {"url": reverse("wagtailadmin_home"), "label": "Home"},
            *({"url": reverse(name), "label": label} for name, label in self.above),
            {"url": "", "label": self.page_title},
        ]


class OverviewView(Page):
    """What was given, by whom in numbers, and what is to come."""

    page_title = "Contributions"
    template_name = "contributions/numbers/overview.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        today = timezone.localdate()
        period, form = periods.read(self.request.GET, today)
        found = super().get_context_data(**kwargs) | {
            "period": period,
            "presets": list(periods.PRESETS.items()),
            "form": form,
        }
        if not Payment.objects.exists():
            return {**found, "empty": True, "set_up": bool(providers.all_settings())}
        report = reports.report(period.since, period.until, today=today)
        currencies = _currencies(report)
        asked = self.request.GET.get("currency", "")
        currency = asked if asked in currencies else currencies[0] if currencies else ""
        return found | _shown(report, currency) | {"currencies": currencies, "currency": currency}


def _shown(report: Report, currency: str) -> dict[str, Any]:
    if not currency:
        return {"report": report, "agreed": standing.agreed(report)}
    month = head.month_of(report.until, report.today)
    return {
        "report": report,
        "head": head.of(month, currency, _givers_of_two(report, month)),
        "figures": [
            money_charts.of_sums(report, currency),
            people_charts.of_givers(report, "monthly"),
            *([people_charts.of_givers(report, "annual")] if _any_annual(report) else []),
            money_charts.of_averages(report, currency),
            money_charts.of_forecast(report, currency),
        ],
        "messages_": people_charts.of_messages(report),
        "more_messages": number(max(0, len(report.messages) - people_charts.MOST_MESSAGES)),
        "payouts": money_charts.of_payouts(report, currency),
        "held": standing.held(report, currency),
        "as_of": day_words(min(report.until, report.today)),
        "agreed": standing.agreed(report),
    }


def _any_annual(report: Report) -> bool:
    return any(row.giving or row.lapsed or row.failed for row in report.annual)


def _givers_of_two(report: Report, month: int) -> tuple[Any, ...]:
    """The givers of a month and of the one before it."""
    known = {row.month for row in report.monthly}
    if {times.name(month), times.name(month - 1)} <= known:
        return report.monthly
    since, until = times.first_day(month - 1), times.last_day(month)
    return reports.givers("monthly", since, until, today=report.today)


def _currencies(report: Report) -> list[str]:
    """Those in which there is something to see, the one with most payments first."""
    found: Counter[str] = Counter()
    for series in report.sums:
        found[series.currency] += sum(series.payments)
    for rows in (report.balances, report.payouts, report.forecast.series):
        for row in rows:
            found[row.currency] += 0
    return sorted(found, key=lambda currency: (-found[currency], currency))


class TableView(Guarded):
    """The whole report of a time as one table, as the command line writes it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        today = timezone.localdate()
        period, form = periods.read(request.GET, today)
        if form.is_bound and not form.is_valid():
            return redirect(f"{reverse('contributions:overview')}?{request.GET.urlencode()}")
        text = as_csv(reports.report(period.since, period.until, today=today))
        name = f"contributions-{period.since:%Y-%m-%d}-{period.until:%Y-%m-%d}.csv"
        return HttpResponse(
            text,
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": str(content_disposition_header(True, name))},
        )


class MonthsView(Page):
    """Month by month: whether it is whole, and its books."""

    page_title = "Close a month"
    above = (("contributions:overview", "Contributions"),)
    template_name = "contributions/numbers/months.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        today = timezone.localdate()
        years = closing.years(today)
        year = _year(self.request.GET.get("year", ""), years, today)
        return super().get_context_data(**kwargs) | {
            "years": years,
            "year": year,
            "months": closing.months_of(year, today) if years else [],
            "formats": FORMATS,
            "as_of": timezone.localtime(),
        }


def _year(asked: str, years: list[int], today: date) -> int:
    """The present one where none was asked for. Raises ``Http404`` where there are no books of
    it."""
    if not asked:
        return today.year
    if asked not in map(str, years):
        raise Http404
    return int(asked)


class BooksView(Guarded):
    """The books of one month, written while they are read."""

    def get(self, request: HttpRequest, month: str, format_: str) -> StreamingHttpResponse:
        days = closing.asked(month, timezone.localdate())
        if days is None or format_ not in FORMATS:
            raise Http404
        ending, kind = closing.FILES[format_]
        name = f"books-{month}.{ending}"
        return StreamingHttpResponse(
            closing.file(format_, *days),
            content_type=kind,
            headers={"Content-Disposition": str(content_disposition_header(True, name))},
        )
