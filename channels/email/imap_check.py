"""Proving that a folder can be read: connect, log in, open it, in a thread that lasts no longer than the question."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from channels.email.config import MailServer
from channels.email.imap_tools import connected
from crm_core.wording import Sentence


async def check_folder(server: MailServer, timeout_s: float) -> str:
    """One line about the folder. Raises the delivery errors with what is wrong and how to mend it."""
    link = await connected(server, timeout_s)
    pool = ThreadPoolExecutor(1, thread_name_prefix="imap-check")
    loop = asyncio.get_running_loop()
    try:
        folder = await loop.run_in_executor(pool, link.open)
    finally:
        await loop.run_in_executor(pool, link.close)
        pool.shutdown(wait=True)
    secured = Sentence("TLS") if link.secured else Sentence("no TLS")
    at_once, asked = Sentence("told of new mail at once"), Sentence("asked for new mail every half a minute (no IDLE)")
    return Sentence(
        "mail is fetched from {folder} at {server}, {secured}, {count} mails in it, {idle}",
        folder=server.folder,
        server=server,
        secured=secured,
        count=folder.exists,
        idle=at_once if link.can_idle else asked,
    )
