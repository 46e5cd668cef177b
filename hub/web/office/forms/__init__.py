"""Forms of the configuration: how each is drawn, what its fields are called and may name, and how it is read."""
