"""The face for programs: providers' webhooks, API v1 with its description, health and metrics."""
