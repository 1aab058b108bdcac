# SPDX-License-Identifier: AGPL-3.0-or-later
"""The road not taken: an article as a Wagtail page. Only ``bench.article_model`` uses it."""
