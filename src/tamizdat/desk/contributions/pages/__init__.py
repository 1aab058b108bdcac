# SPDX-License-Identifier: AGPL-3.0-or-later
"""What people of the desk see and do about contributions: messages, gifts, numbers."""
