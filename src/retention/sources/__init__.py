"""Where messages come from: one interface, one file per kind of source."""
