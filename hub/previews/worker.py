"""The process that makes one picture small: the picture comes in, the small one goes out; it can do nothing else.

What strangers send is opened here and nowhere else of the hub: without secrets in the environment, and with bounds on
memory, processor time and the size of the picture. Nothing goes out where there is anything wrong with it.
"""

from __future__ import annotations

import io
import resource
import sys
import warnings
from typing import Final

MEMORY: Final = 1024 * 1024 * 1024
CPU_S: Final = 10
BOX: Final = (528, 396)
"""Three times what a page shows it in: sharp on any screen."""
_MOST_PIXELS: Final = 80_000_000
_FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF")
_QUALITY: Final = 75


def small(picture: bytes) -> bytes:
    """The picture as it is to be looked at, within `BOX`, of a film its first image; WebP without what its camera told.

    Raises whatever the library does of what it can't read.
    """
    from PIL import Image, ImageOps  # here, for the hub itself opens no pictures

    Image.MAX_IMAGE_PIXELS = _MOST_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    with Image.open(io.BytesIO(picture), formats=_FORMATS) as opened:
        opened.draft("RGB", (BOX[0] * 2, BOX[1] * 2))  # of a JPEG only as much as is needed is read
        opened.thumbnail((max(BOX), max(BOX)))
        found = ImageOps.exif_transpose(opened)
    found.thumbnail(BOX)
    seen_through = found.mode in {"RGBA", "LA", "PA"} or "transparency" in found.info
    target = io.BytesIO()
    found.convert("RGBA" if seen_through else "RGB").save(target, "WEBP", quality=_QUALITY, method=4)
    return target.getvalue()


def main() -> None:
    """Do the job of standard input."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stdout.buffer.write(small(sys.stdin.buffer.read()))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
