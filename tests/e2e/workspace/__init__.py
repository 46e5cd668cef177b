"""The workspace as people of the office meet it: real browsers, a hub of its own process, real ports."""
