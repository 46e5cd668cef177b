"""How long a test waits for what ought to come.

A ceiling and no pace: a wait that succeeds ends at once, and only a failure takes so long. It fits a machine ten times
slower than a quiet one; the timeout of a whole test (pyproject.toml) lies above it.
"""

PATIENCE_S = 90.0
