# SPDX-License-Identifier: AGPL-3.0-or-later
"""The newsroom's own pages. Thin: what is written is written by ``actions``."""

from __future__ import annotations

import mimetypes
import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.mixins import PermissionRequiredMixin
from django.core.exceptions import PermissionDenied, SuspiciousFileOperation
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils._os import safe_join
from django.views import View
from django.views.generic import TemplateView
from wagtail.admin import messages
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.models import Locale

from tamizdat.desk.newsroom import actions, photos
from tamizdat.desk.newsroom.errors import ActionError
from tamizdat.desk.newsroom.models import Article, ArticleComment, FrontPin, PhotoFile, Section
from tamizdat.desk.newsroom.search import search_articles
from tamizdat.desk.newsroom.statuses import statuses_of
from tamizdat.desk.newsroom.viewsets.listing import listed
from tamizdat.desk.staff.models import User

SHOWN = frozenset(["image/jpeg", "image/png", "image/webp", "image/avif", "image/gif"])


def _user(request: HttpRequest) -> User:
    """Who is signed in. The desk's addresses let nobody else through."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


class FrontView(WagtailAdminTemplateMixin, PermissionRequiredMixin, TemplateView):
    """Which stories stand at the top of a front, in which order."""

    permission_required = "newsroom.change_frontpin"
    raise_exception = True
    template_name = "newsroom/front.html"
    page_title = "Front page"
    header_icon = "home"
    _show_breadcrumbs = True

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        codes = [code for code, _ in settings.LANGUAGES]
        wanted = request.GET.get("language", codes[0])
        self.locale = get_object_or_404(Locale, language_code=wanted)
        section = request.GET.get("section", "")
        if section and not section.isdigit():
            raise Http404
        self.section = (
            get_object_or_404(Section, pk=section, locale=self.locale) if section else None
        )

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            {"url": reverse("wagtailadmin_home"), "label": "Home"},
            {"url": "", "label": "Front page"},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        pins = FrontPin.objects.filter(locale=self.locale, section=self.section)
        keys = list(pins.order_by("order", "pk").values_list("article_id", flat=True))
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {
            "language": self.locale.language_code,
            "languages": settings.LANGUAGES,
            "section": self.section,
            "sections": Section.objects.filter(locale=self.locale),
            "stories": _rows(keys),
            "limit": actions.PIN_LIMIT,
        }

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        keys = [int(key) for key in request.POST.getlist("article") if key.isdigit()]
        try:
            actions.set_pins(
                locale=self.locale, section=self.section, articles=keys, acting_user=_user(request)
            )
        except ActionError as error:
            messages.error(request, str(error))
            context = self.get_context_data() | {"stories": _rows(keys)}
            return self.render_to_response(context, status=422)
        messages.success(request, "Saved. The front is built with the next edition, in a moment.")
        return redirect(request.get_full_path())


def _rows(keys: list[int]) -> list[dict[str, Any]]:
    """What the front's editor shows of these articles, in their order; those gone are left out."""
    found = {article.pk: article for article in listed().filter(pk__in=keys)}
    words = statuses_of(found.values())
    return [
        {
            "pk": pk,
            "headline": str(found[pk]),
            "section": str(found[pk].section or ""),
            "status": words[pk].label,
            "live": found[pk].live,
            "edit": reverse(Article.snippet_viewset.get_url_name("edit"), args=[pk]),
        }
        for pk in dict.fromkeys(keys)
        if pk in found
    ]


@permission_required("newsroom.change_frontpin", raise_exception=True)
def front_search(request: HttpRequest) -> JsonResponse:
    """The newest published articles of a language with these words; without words, the newest."""
    locale = get_object_or_404(Locale, language_code=request.GET.get("language", ""))
    articles = listed().filter(locale=locale, live=True).order_by("-updated_at", "-pk")
    query = request.GET.get("q", "").strip()
    if query:
        articles = search_articles(articles, query)
    return JsonResponse({"stories": _rows([article.pk for article in articles[:12]])})


class CommentsView(PermissionRequiredMixin, View):
    """The comments on an article as a fragment. Each POST does one thing and gives it anew."""

    permission_required = "newsroom.change_article"
    raise_exception = True

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._fragment(request, get_object_or_404(Article, pk=pk))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        article = get_object_or_404(Article, pk=pk)
        try:
            self._act(request, article)
        except ActionError as error:
            return self._fragment(request, article, error=str(error))
        return self._fragment(request, article)

    def _act(self, request: HttpRequest, article: Article) -> None:
        user = _user(request)
        key = request.POST.get("comment", "")
        of = get_object_or_404(ArticleComment, pk=key, article=article) if key.isdigit() else None
        what = request.POST.get("what")
        if what in ("resolve", "reopen") and of:
            actions.resolve_comment(thread=of, acting_user=user, resolved=what == "resolve")
        elif what == "say":
            actions.comment(
                article=article, acting_user=user, text=request.POST.get("text", ""), reply_to=of
            )
        else:
            raise ActionError("That is not possible. Reload the page and try again.")

    def _fragment(self, request: HttpRequest, article: Article, error: str = "") -> HttpResponse:
        comments = ArticleComment.objects.filter(article=article, parent=None)
        threads = comments.select_related("author", "resolved_by").prefetch_related(
            "replies__author"
        )
        context = {
            "open": [t for t in threads if not t.resolved_at],
            "resolved": [t for t in threads if t.resolved_at],
            "error": error,
            "typed": request.POST.get("text", "") if error else "",
        }
        status = 422 if error else 200
        return render(request, "newsroom/comments.html", context, status=status)


class TranslateView(PermissionRequiredMixin, View):
    """Makes the article's draft in another language, or leads to the one there is."""

    permission_required = "newsroom.add_article"
    raise_exception = True

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        article = get_object_or_404(Article, pk=pk)
        there = {a.locale_id: a for a in article.get_translations(inclusive=True)}
        context = {
            "article": article,
            "edit_name": Article.snippet_viewset.get_url_name("edit"),
            "languages": [(one, there.get(one.pk)) for one in Locale.objects.all()],
        }
        return render(request, "newsroom/translate.html", context)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        article = get_object_or_404(Article, pk=pk)
        locale = get_object_or_404(Locale, language_code=request.POST.get("language", ""))
        edit = Article.snippet_viewset.get_url_name("edit")
        there = article.get_translation_or_none(locale)
        if there:
            return redirect(edit, there.pk)
        try:
            copy = actions.translate_article(
                article=article, locale=locale, acting_user=_user(request)
            )
        except ActionError as error:
            messages.error(request, str(error))
            return redirect(edit, pk)
        messages.success(request, "This is the draft to be translated. Readers do not see it yet.")
        return redirect(edit, copy.pk)


def reader_file(request: HttpRequest, sha256: str) -> FileResponse:
    """A photo's file for readers, shown to staff in previews."""
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise Http404
    file = PhotoFile.objects.filter(sha256=sha256).first()
    if file is None:
        raise Http404
    return _shown(photos.file_path(sha256), file.media_type)


def desk_media(request: HttpRequest, path: str) -> FileResponse:
    """Wagtail's own small pictures and the cleaned photos, for staff."""
    if path.partition("/")[0] not in ("images", "original_images"):
        raise Http404
    try:
        full = Path(safe_join(settings.MEDIA_ROOT, path))
    except SuspiciousFileOperation as error:
        raise Http404 from error
    media_type = mimetypes.guess_type(full.name)[0] or ""
    if media_type not in SHOWN:
        raise PermissionDenied
    return _shown(full, media_type)


def _shown(path: Path, media_type: str) -> FileResponse:
    try:
        response = FileResponse(path.open("rb"), content_type=media_type)
    except OSError as error:
        raise Http404 from error
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, max-age=3600"
    return response
