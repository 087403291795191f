"""What becomes of the copies that sources keep: orders, what people attest, what later exports show."""
