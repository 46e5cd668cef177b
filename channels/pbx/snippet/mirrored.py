"""How the rows are called in Asterisk's own database by which the dialplan does without the hub."""

from __future__ import annotations

# hubclient/<last two digits>/<last ten digits> = owner; in portions, so that a list of them is never long
CLIENTS = "hubclient"
# hubuser/<owner> = what Dial() is given
PEOPLE = "hubuser"
# which writing this is, and how far it has come
MARK = ("hub", "mirror")
