"""What may be kept and what is due. Pure: no clock, no database, no network, no log."""
