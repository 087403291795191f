"""The audit trail: an append-only Merkle log whose entries, heads and proofs can be checked without this program."""
