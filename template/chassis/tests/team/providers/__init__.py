"""Providers of the team."""
