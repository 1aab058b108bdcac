# SPDX-License-Identifier: AGPL-3.0-or-later
"""Backups: what a newsroom cannot make again, in one file sealed to its operator."""
