"""Hootsuite's REST API: outbound messages, listed in windows of four weeks and deleted one by one."""
