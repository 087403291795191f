"""Where signed checkpoints go when they leave the machine: a file, the system log, a timestamp authority, a witness."""
