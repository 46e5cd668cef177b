"""Passwords and tokens."""

from argon2 import PasswordHasher

from hub.access.security import Passwords, new_token, same_text, token_digest

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
