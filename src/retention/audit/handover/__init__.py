"""What is handed over with an exported log: a verifier in one file, a script for one record, and how to use them."""
