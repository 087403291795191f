"""What runs as a service: today it takes the events of webhooks and registers them."""
