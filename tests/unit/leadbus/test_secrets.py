"""Credentials are unreadable without the key, and keys can be changed."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadbus.security.secrets import SecretBox, Unreadable
from leadbus.settings import ConfigurationError

OLD = base64.urlsafe_b64encode(b"o" * 32).decode()
NEW = base64.urlsafe_b64encode(b"n" * 32).decode()


@settings(max_examples=25)
@given(st.text())
def test_what_was_encrypted_is_decrypted(text: str) -> None:
    box = SecretBox(OLD)
    token = box.encrypt(text)
    assert box.decrypt(token) == text
    assert len(text) < 4 or text.encode() not in token


def test_a_key_is_changed_by_putting_the_new_one_in_front() -> None:
    token = SecretBox(OLD).encrypt("credential")
    both = SecretBox(f"{NEW},{OLD}")
    assert both.decrypt(token) == "credential"
    renewed = both.renew(token)
    assert SecretBox(NEW).decrypt(renewed) == "credential"
    with pytest.raises(Unreadable, match="LEADBUS_SECRET_KEY"):
        SecretBox(NEW).decrypt(token)


def test_an_altered_secret_is_refused() -> None:
    token = bytearray(SecretBox(OLD).encrypt("credential"))
    token[20] ^= 1
    with pytest.raises(Unreadable):
        SecretBox(OLD).decrypt(bytes(token))


@pytest.mark.parametrize("key", ["", " , ", "short", OLD[:-5], "ü" * 44])
def test_an_unusable_key_is_a_sentence_that_does_not_show_it(key: str) -> None:
    with pytest.raises(ConfigurationError, match="LEADBUS_SECRET_KEY") as wrong:
        SecretBox(key)
    assert not key.strip(" ,") or key not in str(wrong.value)
