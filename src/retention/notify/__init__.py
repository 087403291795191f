"""Notices to people: when the promise is at risk or needs a person, by mail and by a generic webhook."""
