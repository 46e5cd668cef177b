"""Passwords, tokens and the patience with whoever guesses."""

from datetime import timedelta

from argon2 import PasswordHasher

from hub.security import LoginThrottle, Passwords, Patience, new_token, same_text, token_digest
from tests.fakes.clock import DrivenClock

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


async def test_a_password_matches_its_own_hash_only() -> None:
    passwords = Passwords(CHEAP)
    kept = await passwords.hash("правильный пароль")
    assert "правильный" not in kept
    assert await passwords.matches("правильный пароль", kept)
    assert not await passwords.matches("другой пароль", kept)


async def test_nobody_and_broken_hashes_match_nothing() -> None:
    passwords = Passwords(CHEAP)
    assert not await passwords.matches("x", None)
    assert not await passwords.matches("", None)
    assert not await passwords.matches("x", "not a hash")
    assert not await passwords.matches("x" * 5000, await passwords.hash("x" * 5000))


def test_tokens_differ_and_only_their_digest_is_told() -> None:
    one, two = new_token(), new_token()
    assert one != two
    assert len(one) > 40
    assert len(token_digest(one)) == 64
    assert one not in token_digest(one)
    assert token_digest("\ud800") != token_digest("x")


def test_texts_are_compared_whole() -> None:
    assert same_text("ключ", "ключ")
    assert not same_text("ключ", "ключи")
    assert not same_text("", "a")


def test_too_many_failures_of_a_person_wait_out_the_window() -> None:
    clock = DrivenClock()
    throttle = LoginThrottle(clock, Patience(per_person=3, per_place=10, window=timedelta(minutes=5)))
    for _ in range(3):
        assert throttle.wait_s("ivan", "10.0.0.1") == 0
        throttle.failed("ivan", "10.0.0.1")
        clock.advance(10)
    assert throttle.wait_s("ivan", "10.0.0.1") == 300 - 30
    assert throttle.wait_s("ivan", "10.0.0.2") == 0, "the real Ivan elsewhere is not locked out"
    assert throttle.wait_s("olga", "10.0.0.1") == 0
    clock.advance(270)
    assert throttle.wait_s("ivan", "10.0.0.1") == 0


def test_success_forgets_the_persons_failures_and_not_the_places() -> None:
    throttle = LoginThrottle(DrivenClock(), Patience(per_person=2, per_place=3))
    throttle.failed("ivan", "a")
    throttle.failed("ivan", "a")
    throttle.succeeded("ivan", "a")
    assert throttle.wait_s("ivan", "a") == 0
    throttle.failed("olga", "a")
    assert throttle.wait_s("petr", "a") == 0, "the attempt that turned out well does not count"
    throttle.failed("oleg", "a")
    assert throttle.wait_s("petr", "a") > 0, "somebody tries all names in turn"


def test_old_failures_take_no_memory() -> None:
    clock = DrivenClock()
    throttle = LoginThrottle(clock)
    for number in range(1000):
        throttle.failed(f"guess{number}", f"10.0.{number // 256}.{number % 256}")
    clock.advance(timedelta(hours=1))
    throttle.failed("last", "x")
    assert len(throttle._failures) == 2
