# SPDX-License-Identifier: AGPL-3.0-or-later
"""Giving, without Django: amounts, the port to payment providers, and one folder a provider."""
