"""Side-by-side measurements: the hub against bare programs doing the same work, in one run, as ratios."""
