"""Where recordings are put away: a bucket of a storage that speaks S3, written as one address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, unquote

from hub.settings.errors import BadValueError
from hub.settings.secret import HIDDEN, Endpoint, Secret
from hub.settings.urls import split_address
from hub.settings.values import text

_MEND = 'Write it like "s3://KEY:SECRET@host:9000/bucket?secure=false&prefix=calls"'
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")
_PREFIX = re.compile(r"[\w.=-]+(/[\w.=-]+)*\Z")
_REGION = re.compile(r"[a-z0-9-]{1,40}\Z")
_KNOWN = {"secure", "prefix", "region"}


@dataclass(frozen=True, slots=True)
class ObjectStorage:
    """A bucket and how to log in there. `prefix` has no slash at its ends and may be empty; `secure`: over TLS."""

    host: str
    port: int
    bucket: str
    key: str
    secret: Secret
    secure: bool = True
    prefix: str = ""
    region: str = "us-east-1"

    @property
    def endpoint(self) -> str:
        """Where the storage is reached."""
        return f"{'https' if self.secure else 'http'}://{Endpoint(self.host, self.port)}"

    def __str__(self) -> str:
        return f"s3://{quote(self.key, safe='')}:{HIDDEN}@{Endpoint(self.host, self.port)}/{self.bucket}"


def object_storage(value: object) -> ObjectStorage:
    """`s3://KEY:SECRET@host[:port]/bucket[?secure=false&prefix=…&region=…]`."""
    split, port = split_address(text(value).strip(), ("s3",), _MEND)
    key, secret = unquote(split.username or ""), unquote(split.password or "")
    if not (key and secret):
        raise BadValueError("the key or the secret is missing in the address", _MEND)
    bucket = split.path.strip("/")
    if not _BUCKET.match(bucket):
        raise BadValueError("the path of the address is not the name of a bucket", _MEND)
    if split.fragment:
        raise BadValueError("the address goes on with #, which means nothing here", _MEND)
    options = {name: found[-1] for name, found in parse_qs(split.query, keep_blank_values=True).items()}
    for name in options:
        if name not in _KNOWN:
            raise BadValueError(f'the address holds an unknown "{name}"', f"Known are {', '.join(sorted(_KNOWN))}")
    secure = _flag(options.get("secure", "true"))
    prefix = options.get("prefix", "").strip("/")
    if prefix and (not _PREFIX.match(prefix) or ".." in prefix.split("/")):
        raise BadValueError("the prefix of the address is not usable", "Use letters, digits, / and the marks . _ - =")
    region = options.get("region", "us-east-1")
    if not _REGION.match(region):
        raise BadValueError("the region of the address is not usable", 'Write it like "eu-central-1"')
    return ObjectStorage(
        split.hostname or "", port or (443 if secure else 80), bucket, key, Secret(secret), secure, prefix, region
    )


def _flag(value: str) -> bool:
    if value not in {"true", "false"}:
        raise BadValueError("secure in the address is neither true nor false", _MEND)
    return value == "true"
