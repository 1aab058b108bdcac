# SPDX-License-Identifier: AGPL-3.0-or-later
"""Mirrors: getting the signed edition to byte stores, and letting a volunteer pull a copy.

Each kind of mirror is a folder of one shape (``folder/``, ``s3/``, ``rsync/``): a module with
``open_target(mirror, secrets, work) -> Target``. To add a kind copy one of them and name it in
``kinds``. The port is in ``ports``.
"""
