"""Invented social media traffic, for the narrated demo, for tests and for measurements. No real person is in it."""
