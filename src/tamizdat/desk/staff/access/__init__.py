# SPDX-License-Identifier: AGPL-3.0-or-later
"""How staff get in and stay out of each other's sessions.

``store`` keeps sessions · ``policy`` says what the newsroom demands · ``factors``, ``passkeys`` and
``codes`` hold a second factor against what somebody shows · ``throttle`` counts failures ·
``entry`` opens the desk · ``gate`` leads who may not go on · ``views_*`` are the pages.
"""
