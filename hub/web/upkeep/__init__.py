"""Keeping the hub itself: its channels, its health, who did what, calls compared, tables brought in and taken away."""

from __future__ import annotations

from crm_core.model.rights import Right
from hub.web.pages import Pages
from hub.web.routes import Route, does, shows
from hub.web.upkeep.accounts import AccountPages
from hub.web.upkeep.audit import Audit
from hub.web.upkeep.channels import ChannelPages
from hub.web.upkeep.exports import Exports
from hub.web.upkeep.health import Health
from hub.web.upkeep.imports import Imports
from hub.web.upkeep.reconciliation import Reconciliations


def routes(pages: Pages) -> tuple[Route, ...]:
    """The routes of the room."""
    channels, imports = ChannelPages(pages), Imports(pages)
    table = pages.hub.settings.imports.max_size + 1024 * 1024
    accounts = AccountPages(pages, "/office/channels", "upkeep/account.html")
    return (
        shows("/office/channels", channels.show, Right.CONFIGURE_CHANNELS),
        does("/office/channels/try", channels.tried, Right.CONFIGURE_CHANNELS),
        shows(r"/office/channels/new/{kind:\w+}", accounts.new, Right.CONFIGURE_CHANNELS),
        does(r"/office/channels/new/{kind:\w+}", accounts.add, Right.CONFIGURE_CHANNELS),
        shows(r"/office/channels/{id:\d+}", accounts.one, Right.CONFIGURE_CHANNELS),
        does(r"/office/channels/{id:\d+}", accounts.change, Right.CONFIGURE_CHANNELS),
        does(r"/office/channels/{id:\d+}/try", accounts.tried, Right.CONFIGURE_CHANNELS),
        does(r"/office/channels/{id:\d+}/remove", accounts.remove, Right.CONFIGURE_CHANNELS),
        shows("/office/health", Health(pages).show, Right.SEE_ALARMS),
        shows("/office/reconciliation", Reconciliations(pages).show, Right.SEE_ALARMS),
        shows("/office/audit", Audit(pages).show, Right.SEE_ACCESS),
        shows("/office/imports", imports.show, Right.IMPORT),
        does("/office/imports/upload", imports.upload, Right.IMPORT),
        does("/office/imports/columns", imports.columns, Right.IMPORT, body=table),
        does("/office/imports/begin", imports.begin, Right.IMPORT),
        shows(r"/office/imports/{id:\d+}", imports.one, Right.IMPORT),
        shows(r"/office/imports/{id:\d+}/report", imports.report, Right.IMPORT),
        shows(r"/office/imports/{id:\d+}/failed-lines", imports.failed, Right.IMPORT),
        does(r"/office/imports/{id:\d+}/cancel", imports.cancel, Right.IMPORT),
        shows(r"/office/exports/{kind:\w+}", Exports(pages).take, Right.EXPORT),
    )
