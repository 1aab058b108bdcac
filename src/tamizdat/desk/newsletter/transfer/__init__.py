# SPDX-License-Identifier: AGPL-3.0-or-later
"""Subscribers from and to CSV files: ``reading`` a table, ``formats`` of others, bringing in
(``importing``) and handing out (``exporting``)."""
