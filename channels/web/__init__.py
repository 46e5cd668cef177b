"""Forms on web sites."""
