"""The second factor: codes of an authenticator (TOTP, RFC 6238), and codes on paper for a lost telephone.

A secret is kept sealed with a key of the hub's own and names whose it is; of paper codes a keyed digest is kept. So
the database alone gives nobody a code.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyotp
import segno
from cryptography.fernet import Fernet, InvalidToken

from crm_core.ports import Clock
from hub.access.secret_key import key_for
from hub.access.security import same_text
from hub.log import get_logger
from hub.settings import Settings

log = get_logger(__name__)

_STEP_S = 30
_AROUND = (0, -1, 1)  # clocks of telephones go a little wrong
_DIGITS = 6
_CODES = 10
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # what is not mistaken for another on paper
_CODE_LENGTH = 10


@dataclass(frozen=True, slots=True)
class Proposed:
    """A secret that is being set up: how to type it, and how to photograph it (an SVG element without styles)."""

    secret: str = field(repr=False)
    typed: str = field(repr=False)
    address: str = field(repr=False)
    picture: str = field(repr=False)


class SecondFactors:
    """Makes and checks codes; what was used is remembered by the record."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(key_for(settings, "second factor")))
        self._paper = key_for(settings, "recovery codes")
        self._clock = clock

    # ------------------------------------------------------------ setting up

    def fresh(self) -> str:
        """A new secret, 160 bits in base32."""
        return pyotp.random_base32()

    def propose(self, secret: str, login: str, office: str) -> Proposed:
        """What a person is shown of a secret."""
        address = pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=office)
        picture = segno.make(address, error="m", micro=False).svg_inline(scale=5, border=4, light="#fff", dark="#000")
        return Proposed(secret, " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)), address, picture)

    def seal(self, login: str, secret: str) -> str:
        """A secret as it is kept."""
        return self._fernet.encrypt(f"{login}\n{secret}".encode()).decode()

    def codes(self, login: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Ten codes for paper, and what is kept of them."""
        codes = tuple(_fresh_code() for _ in range(_CODES))
        return codes, tuple(self.digest(login, code) for code in codes)

    # ------------------------------------------------------------ checking

    def step(self, secret: str, code: str) -> int | None:
        """Which step of time a code is of, None for a wrong one; the one before and the one after count too."""
        typed = "".join(code.split())
        if len(typed) != _DIGITS or not (typed.isascii() and typed.isdigit()):
            return None
        now, totp = int(self._clock.now().timestamp()) // _STEP_S, pyotp.TOTP(secret)
        fitting = [now + off for off in _AROUND if same_text(totp.generate_otp(now + off), typed)]
        return fitting[0] if fitting else None

    def open(self, login: str, sealed: str) -> str | None:
        """The secret again; None where the hub's key is another one now, which is logged."""
        try:
            whose, _, secret = self._fernet.decrypt(sealed.encode()).decode().partition("\n")
        except InvalidToken:
            log.error(  # noqa: TRY400 - where it was found tells nothing
                "a second factor can't be read: the hub's secret key is another one", login=login
            )
            return None
        if whose != login:
            log.error("a second factor is somebody else's", login=login)
            return None
        return secret

    def digest(self, login: str, code: str) -> str:
        """What is kept of a code on paper, however it is typed."""
        plain = "".join(mark for mark in code.lower() if mark.isalnum())
        return hmac.new(self._paper, f"{login}\n{plain}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def written(codes: Sequence[str]) -> str:
    """Codes on paper as a text, a line each."""
    return "".join(f"{code}\n" for code in codes)


def _fresh_code() -> str:
    marks = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
    return f"{marks[:5]}-{marks[5:]}"
