"""Read-only views of an installation, and how they are rendered."""
