"""What becomes of the copies that sources keep: orders, calls, what people attest, what later exports show."""
