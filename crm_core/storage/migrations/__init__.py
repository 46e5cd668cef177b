"""Schema migrations (Alembic), the same on both engines."""
