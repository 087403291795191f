"""What runs all the time: does the jobs on their schedule, takes the events of webhooks and registers them."""
