"""The key that sessions and visitors' tokens are sealed with: the configured one, else one of the hub's own beside its
data."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from hub.settings import Secret, Settings

_NAME = "secret.key"
_BYTES = 32


def session_key(settings: Settings) -> Secret:
    """The configured key, or the one kept in the data folder, made at the first start (readable by its owner only).

    Raises OSError where the folder can't be written. Several nodes need `secret_key` configured: they share sessions.
    """
    if settings.secret_key is not None and settings.secret_key:
        return settings.secret_key
    folder = settings.database_url.path.parent if settings.database_url.path is not None else settings.files.parent
    return Secret(_kept(folder / _NAME))


def key_for(settings: Settings, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose, from which no other can be told. Raises OSError like `session_key`."""
    return hmac.new(session_key(settings).reveal().encode(), purpose.encode(), hashlib.sha256).digest()


def _kept(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        return _read(path)
    except FileNotFoundError:
        pass  # the first start
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        # Of two that start at once, the first to link wins, and whole.
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink(missing_ok=True)
    return _read(path)


def _read(path: Path) -> str:
    key = path.read_text(encoding="ascii").strip()
    if len(key) < _BYTES:
        raise OSError(f"{path}: the session key is damaged; delete the file, and everybody logs in anew")
    return key
