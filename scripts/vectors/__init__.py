# SPDX-License-Identifier: AGPL-3.0-or-later
"""The test vectors of the signed edition (docs/format/edition-v1.md) and of sealed submissions
(docs/format/submission-v1.md): made by make-vectors."""
