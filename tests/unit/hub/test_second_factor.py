"""Codes of an authenticator and on paper: what fits, what is kept."""

from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pyotp
import pytest

from hub.access.second_factor import SecondFactors
from hub.settings import parse_settings
from tests.fakes.clock import DrivenClock

_KEY = 'secret_key = "a-key-of-the-tests-a-key-of-the-tests"'


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock()


@pytest.fixture
def factors(clock: DrivenClock, tmp_path: Path) -> SecondFactors:
    return SecondFactors(parse_settings(_KEY, folder=tmp_path), clock)


def test_a_code_fits_its_own_step_and_the_ones_beside_it(factors: SecondFactors, clock: DrivenClock) -> None:
    secret = factors.fresh()
    now = int(clock.now().timestamp())
    totp = pyotp.TOTP(secret)
    for off in (-1, 0, 1):
        assert factors.step(secret, totp.at(now, counter_offset=off)) == now // 30 + off
    code = totp.at(now)
    assert factors.step(secret, f" {code[:3]} {code[3:]} ") == now // 30
    for off in (-2, 2):
        assert factors.step(secret, totp.at(now, counter_offset=off)) is None
    clock.advance(timedelta(seconds=90))
    assert factors.step(secret, code) is None


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５６", "-12345", "\ud800"])
def test_what_is_no_code_fits_nothing(factors: SecondFactors, code: str) -> None:
    assert factors.step(factors.fresh(), code) is None


def test_a_secret_is_kept_sealed_and_for_its_owner_alone(factors: SecondFactors, tmp_path: Path) -> None:
    secret = factors.fresh()
    sealed = factors.seal("ivan", secret)
    assert secret not in sealed
    assert factors.open("ivan", sealed) == secret
    assert factors.open("olga", sealed) is None
    other = SecondFactors(parse_settings(_KEY.replace("tests", "office"), folder=tmp_path), DrivenClock())
    assert other.open("ivan", sealed) is None
    assert factors.open("ivan", "rubbish") is None


def test_codes_on_paper_are_ten_and_fit_however_they_are_typed(factors: SecondFactors) -> None:
    codes, digests = factors.codes("ivan")
    assert len(set(codes)) == len(set(digests)) == 10
    assert factors.digest("ivan", f" {codes[3].upper().replace('-', ' ')}") == digests[3]
    assert factors.digest("olga", codes[3]) not in digests
    assert not any(code in digest for code in codes for digest in digests)


def test_the_picture_has_no_style_of_its_own_and_the_address_names_the_office(factors: SecondFactors) -> None:
    proposed = factors.propose("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "ivan", "Окна и двери")
    assert proposed.typed == "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP"
    assert pyotp.parse_uri(proposed.address).name == "ivan"
    assert ET.fromstring(proposed.picture).tag.endswith("svg")
    assert "style" not in proposed.picture
