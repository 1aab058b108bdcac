# SPDX-License-Identifier: AGPL-3.0-or-later
"""``python -m tamizdat`` is ``tamizdat``."""

from tamizdat.cli import main

if __name__ == "__main__":
    main()
