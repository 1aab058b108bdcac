# SPDX-License-Identifier: AGPL-3.0-or-later
"""Messages to readers: written, looked at on a real article, approved, taken down."""
