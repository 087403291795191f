"""The promise as the public reads it: written from the schedule, and compared with what was published."""
