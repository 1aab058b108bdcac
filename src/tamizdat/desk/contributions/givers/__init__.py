# SPDX-License-Identifier: AGPL-3.0-or-later
"""Those who give: what they are told by mail, what they ask for by link, what is held of them."""
