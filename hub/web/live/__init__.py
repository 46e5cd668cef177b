"""What changes reaches the pages by itself: topics, who follows them, and the stream that tells.

A page says what it shows by topics. A change of the record makes some topics stale; whoever follows one is told, and
asks for that part of the page again, or is handed the finished piece at once. Positions are those of the change feed,
so that a browser that comes back, to whichever node, misses nothing.
"""
