# SPDX-License-Identifier: AGPL-3.0-or-later
"""What readers see: templates, one stylesheet, words in each language, one small script.

See docs/theme.md. What is not done here: knowing what a story is; the theme is given plain
values and knows nothing of ``edition``.
"""
