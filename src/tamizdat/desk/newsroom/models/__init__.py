# SPDX-License-Identifier: AGPL-3.0-or-later
"""The newsroom's models. One subject a file; this is the whole of what others import."""

from tamizdat.desk.newsroom.models.article import Article, Byline, Correction, Source
from tamizdat.desk.newsroom.models.attachment import Attachment
from tamizdat.desk.newsroom.models.comment import ArticleComment
from tamizdat.desk.newsroom.models.front import FrontPin
from tamizdat.desk.newsroom.models.page import SitePage, SitePageVersion
from tamizdat.desk.newsroom.models.person import Person, PersonText
from tamizdat.desk.newsroom.models.photo import Photo, PhotoFile, Rendition
from tamizdat.desk.newsroom.models.review import FourEyesTask
from tamizdat.desk.newsroom.models.site import LanguageText, NewsroomSettings
from tamizdat.desk.newsroom.models.taxonomy import Place, Section, Series, Topic

__all__ = [
    "Article",
    "ArticleComment",
    "Attachment",
    "Byline",
    "Correction",
    "FourEyesTask",
    "FrontPin",
    "LanguageText",
    "NewsroomSettings",
    "Person",
    "PersonText",
    "Photo",
    "PhotoFile",
    "Place",
    "Rendition",
    "Section",
    "Series",
    "SitePage",
    "SitePageVersion",
    "Source",
    "Topic",
]
