"""The register and everything beside it in the database. SQLite and PostgreSQL differ in one file each."""
