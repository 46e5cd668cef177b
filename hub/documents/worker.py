"""The process that fills in one document: a job as JSON comes in, the file goes out; it can do nothing else.

It has no network to speak of, no secrets in its environment, and bounds on memory and processor time.
"""

from __future__ import annotations

import base64
import json
import resource
import sys
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from crm_core.errors import InvalidInput
from crm_core.model.templates import rendered
from crm_core.wording import Sentence, kept

MEMORY = 1024 * 1024 * 1024
CPU_S = 30
OK, REFUSED = b"+", b"-"


def packed(job: Mapping[str, Any]) -> bytes:
    """A job on its way to the process."""
    return json.dumps(job, default=_written).encode()


def _written(value: object) -> Any:
    if isinstance(value, datetime):
        return {"$moment": value.isoformat()}
    if isinstance(value, date):
        return {"$day": value.isoformat()}
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    raise TypeError(f"{type(value).__name__} is no plain value")


def _read(value: dict[str, Any]) -> Any:
    if len(value) == 1:
        if "$moment" in value:
            return datetime.fromisoformat(value["$moment"])
        if "$day" in value:
            return date.fromisoformat(value["$day"])
        if "$bytes" in value:
            return base64.b64decode(value["$bytes"])
    return value


def made(job: Mapping[str, Any]) -> bytes:
    """The document of a job: `{docx | html, pictures, values, zone, language}`; for one that only has a Word
    file looked at, `{look}`, what its placeholders name, as JSON. Raises InvalidInput."""
    from hub.documents import docx, pdf  # here, for the hub itself opens no documents, and their libraries are heavy

    if "look" in job:
        return json.dumps(sorted(docx.tried(job["look"]))).encode()
    zone, language = job["zone"], job["language"]
    if job.get("docx") is not None:
        return docx.filled(
            job["docx"], job["values"], lambda text, values: rendered(text, values, zone=zone, language=language)
        )
    page = rendered(job["html"], job["values"], zone=zone, language=language, html=True)
    return pdf.printed(page, job.get("pictures") or {})


def main() -> None:
    """Do the job of standard input."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    job = json.loads(sys.stdin.buffer.read(), object_hook=_read)
    try:
        answer = OK + made(job)
    except InvalidInput as err:
        answer = REFUSED + kept(str(err)).encode()
    except MemoryError:
        answer = REFUSED + kept(Sentence("the document takes more memory than one may")).encode()
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
