"""Enforce, and prove, a message retention period promised in a privacy notice."""

__version__ = "0.1.0"
