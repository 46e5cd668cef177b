"""Tables, queries and the unit of work; the only room that knows SQL."""
