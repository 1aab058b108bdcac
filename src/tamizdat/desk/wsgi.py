# SPDX-License-Identifier: AGPL-3.0-or-later
"""The desk as a WSGI application, for granian or any other server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tamizdat.desk.settings.newsroom")
application = get_wsgi_application()
