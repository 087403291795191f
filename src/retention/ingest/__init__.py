"""Read a source and register what is new."""
