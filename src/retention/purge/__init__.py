"""The only code that makes anything disappear: rows of the register, and files with personal data."""
