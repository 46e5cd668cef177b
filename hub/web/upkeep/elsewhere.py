"""What has to be put elsewhere for an account to work: pieces of Asterisk's configuration, a site's tag."""

from __future__ import annotations

from dataclasses import dataclass, replace

from channels.pbx.snippet import Form, Part, snippet
from hub.accounts.kinds import Account
from hub.connectors import pbx_config
from hub.settings import PbxSettings, Secret, Settings, VkSettings, WebSettings
from hub.settings.model import VkMode
from hub.web.tongues import _

_INSTEAD = "***"
_FILES = {
    Form.PLAIN: {Part.DIALPLAN: "extensions.conf", Part.MANAGER: "manager.conf", Part.CDR: "cdr.conf"},
    Form.FREEPBX: {Part.DIALPLAN: "extensions_custom.conf", Part.MANAGER: "manager_custom.conf", Part.CDR: "cdr.conf"},
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A text to be copied, and where to; `what` says so."""

    what: str
    text: str


def pieces(account: Account, settings: Settings, *, freepbx: bool = False, plainly: bool = False) -> list[Piece]:
    """What to put elsewhere for an account; the password of a PBX stands in it only `plainly`. Raises ValueError where
    a setting can't stand in Asterisk's configuration."""
    base = settings.base_url.rstrip("/")
    match account:
        case PbxSettings():
            safe = account if plainly else replace(account, ami=replace(account.ami, password=Secret(_INSTEAD)))
            config, form = pbx_config(safe, settings), Form.FREEPBX if freepbx else Form.PLAIN
            return [Piece(f"/etc/asterisk/{file}", snippet(config, part, form)) for part, file in _FILES[form].items()]
        case WebSettings():
            found = [
                Piece(_("Where forms of the site are sent (POST)"), f"{base}/in/web/{account.name}?key=…"),
            ]
            if account.chat:
                tag = f'<script src="{base}/in/web/{account.name}/widget.js" async></script>'
                found.append(Piece(_("Before </body> on the pages of the site"), tag))
            return found
        case VkSettings(mode=VkMode.CALLBACK):
            return [Piece(_("Address of the server in the Callback API settings"), f"{base}/in/vk/{account.name}")]
        case _:
            return []
