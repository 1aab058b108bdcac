# SPDX-License-Identifier: AGPL-3.0-or-later
"""Everything the newsroom writes, but for the editor's own Save (Wagtail's).

Each action is one transaction with an audit row; what follows from it happens on commit.
Permissions are checked by who calls. Publishing is in ``desk.publishing.actions``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, BinaryIO

from django.core.files.base import ContentFile, File
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from wagtail.log_actions import log
from wagtail.models import Locale

from tamizdat.desk.newsroom import attachment_cleaning, attachments
from tamizdat.desk.newsroom.errors import ActionError
from tamizdat.desk.newsroom.models import (
    Article,
    ArticleComment,
    Attachment,
    FrontPin,
    Photo,
    Section,
    SitePage,
    SitePageVersion,
)
from tamizdat.desk.newsroom.photo_cleaning import clean_photo
from tamizdat.desk.staff.models import User
from tamizdat.edition.body import clean

PIN_LIMIT = 30


def refresh_paper(acting_user: User | None) -> None:
    """Have fronts and pages built anew once this transaction is through."""
    from tamizdat.desk.publishing import actions as publishing  # It imports our models.

    transaction.on_commit(lambda: publishing.refresh_fronts(acting_user=acting_user))


@transaction.atomic
def add_photo(*, data: bytes, title: str, acting_user: User | None = None, **fields: Any) -> Photo:
    """Take in a photo, cleaned. ``fields`` are those of ``Photo``; an empty credit is filled from
    the file. Raises ``PhotoError``."""
    cleaned = clean_photo(data)
    sha256 = hashlib.sha256(data).hexdigest()
    fields["credit"] = fields.get("credit") or cleaned.credit
    photo = Photo(title=title[:255] or "Photo", source_sha256=sha256, **fields)
    photo.uploaded_by_user = acting_user
    photo.file = ContentFile(cleaned.data, f"photo-{sha256[:12]}.{cleaned.extension}")
    photo._set_image_file_metadata()
    photo.save()
    log(instance=photo, action="wagtail.create", user=acting_user)
    return photo


@transaction.atomic
def add_attachment(
    *, file: BinaryIO, name: str, title: str, acting_user: User | None = None, **fields: Any
) -> Attachment:
    """Take in a recording, film or document, cleaned. Raises ``FileError``."""
    media_type = attachments.sniff(file, name)
    cleaned = attachment_cleaning.clean(file, media_type)
    attachment = Attachment(
        title=title[:255] or name,
        media_type=media_type,
        sha256=attachments.sha256_of(cleaned),
        uploaded_by_user=acting_user,
        **fields,
    )
    with cleaned:
        cleaned.seek(0)
        attachment.file = File(cleaned, name=name)
        attachment._set_document_file_metadata()
        attachment.save()
    log(instance=attachment, action="wagtail.create", user=acting_user)
    return attachment


@transaction.atomic
def comment(
    *, article: Article, acting_user: User, text: str, reply_to: ArticleComment | None = None
) -> ArticleComment:
    """Say something about an article. An answer to a resolved thread opens it again."""
    words = text.strip()
    if not words:
        raise ActionError("Write something first.")
    if reply_to and reply_to.article_id != article.pk:
        raise ActionError("That comment belongs to another article.")
    thread = reply_to and (reply_to.parent or reply_to)
    if thread and thread.resolved_at:
        ArticleComment.objects.filter(pk=thread.pk).update(resolved_at=None, resolved_by=None)
    made = ArticleComment.objects.create(
        article=article, author=acting_user, text=words, parent=thread
    )
    log(instance=article, action="tamizdat.comment", user=acting_user)
    return made


@transaction.atomic
def resolve_comment(*, thread: ArticleComment, acting_user: User, resolved: bool = True) -> None:
    """Settle a thread, or open it again."""
    if thread.parent_id:
        raise ActionError("Only the first comment of a thread can be resolved.")
    ArticleComment.objects.filter(pk=thread.pk).update(
        resolved_at=timezone.now() if resolved else None,
        resolved_by=acting_user if resolved else None,
    )
    log(instance=thread.article, action="tamizdat.resolve", user=acting_user)


@transaction.atomic
def set_pins(
    *, locale: Locale, section: Section | None, articles: Sequence[int], acting_user: User
) -> list[FrontPin]:
    """Put these articles, in this order, at the top of a front; any others leave it.

    Raises ``ActionError`` where one is gone, in another language, or named twice.
    """
    if len(articles) > PIN_LIMIT:
        raise ActionError(f"A front holds at most {PIN_LIMIT} pinned stories.")
    if section and section.locale_id != locale.pk:
        raise ActionError("That section belongs to another language.")
    known = set(Article.objects.filter(pk__in=articles, locale=locale).values_list("pk", flat=True))
    if len(known) != len(articles):
        raise ActionError(
            "A story of this list is gone, in another language, or there twice. "
            "Reload the page and try again."
        )
    FrontPin.objects.filter(locale=locale, section=section).delete()
    pins = FrontPin.objects.bulk_create(
        FrontPin(locale=locale, section=section, article_id=pk, order=order)
        for order, pk in enumerate(articles)
    )
    log(
        instance=section or locale,
        action="tamizdat.pin",
        user=acting_user,
        data={"articles": list(articles)},
    )
    refresh_paper(acting_user)
    return pins


@transaction.atomic
def translate_article(*, article: Article, locale: Locale, acting_user: User) -> Article:
    """Make a linked draft of an article in another language, with the text to be translated.

    Photos, bylines, sources and filing come along; topics, places, series and section become
    their translations, where there are such. Raises ``ActionError`` where there is one already.
    """
    if article.get_translation_or_none(locale):
        raise ActionError(f"This article already has a translation in {locale}.")
    source: Article = article.get_latest_revision_as_object()
    copy: Article = source.copy_for_translation(locale, exclude_fields=_NOT_TRANSLATED)
    copy.created_by = copy.edited_by = acting_user
    for name in ("section", "series"):
        term = getattr(source, name)
        setattr(copy, name, term.get_translation_or_none(locale) if term else None)
    for name in ("topics", "places"):
        terms = [term.get_translation_or_none(locale) for term in getattr(source, name).all()]
        getattr(copy, name).set([term for term in terms if term])
    copy.full_clean()
    copy.save()
    copy.save_revision(user=acting_user, changed=True)
    log(instance=copy, action="wagtail.copy_for_translation", user=acting_user)
    return copy


_NOT_TRANSLATED = [
    *("story_uri", "path", "import_key", "imported_from", "original_url", "corrections"),
    *("withdrawn_at", "withdrawal_reason", "created_at", "updated_at", "live_revision"),
    *("first_published_at", "last_published_at", "go_live_at", "expire_at", "embargoed_until"),
    *("locked", "locked_at", "locked_by", "has_unpublished_changes", "live", "latest_revision"),
]


@transaction.atomic
def publish_page(*, page: SitePage, acting_user: User | None) -> SitePageVersion:
    """Give readers the page as it is now, under the next number. Nothing is done where it did
    not change."""
    newest = page.published
    html = clean(page.body)
    if newest and (newest.title, newest.html) == (page.title, html):
        return newest
    last = page.versions.aggregate(last=Max("number"))["last"] or 0
    version = SitePageVersion.objects.create(
        page=page,
        number=last + 1,
        title=page.title,
        html=html,
        published_at=timezone.now(),
        published_by=acting_user,
    )
    log(
        instance=page,
        action="tamizdat.publish_page",
        user=acting_user,
        data={"number": version.number},
    )
    refresh_paper(acting_user)
    return version
