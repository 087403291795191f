"""A server that speaks what Hootsuite publishes, on this machine and with invented messages: for drills and tests."""
