"""Where secrets come from, and that they are not shown."""

from pathlib import Path

import pytest

from actors.credentials import Keys, Secret, read_keys, resolve
from actors.settings import Credentials
from runtime.errors import ConfigError


def test_a_secret_shows_stars_wherever_it_is_printed() -> None:
    secret = Secret("hunter2")
    assert repr(secret) == "***"
    assert f"{secret} {secret!s} {[secret]}" == "*** *** [***]"
    assert "hunter2" not in repr(Keys(secret, secret))
    assert secret.reveal() == "hunter2"


def test_demo_stands_for_the_account_of_the_fake_venues() -> None:
    keys = read_keys(Credentials(key="demo", secret="demo"))
    assert (keys.key.reveal(), keys.secret.reveal()) == ("demo-key", "demo-secret")


def test_an_environment_variable_holds_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_KEY", "abc")
    assert resolve("env:DESK_KEY", "").reveal() == "abc"


def test_a_missing_environment_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DESK_KEY", raising=False)
    with pytest.raises(ConfigError, match="DESK_KEY"):
        resolve("env:DESK_KEY", "")


def test_a_file_holds_the_secret_and_its_last_newline_is_not_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("abc\n")
    assert resolve(f"file:{tmp_path}/secret", "").reveal() == "abc"


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_a_file_without_a_secret_is_named(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    with pytest.raises(ConfigError, match="secret"):
        resolve(f"file:{tmp_path}/secret", "")


def test_a_value_in_place_of_a_reference_is_refused_without_showing_it() -> None:
    with pytest.raises(ConfigError) as refusal:
        resolve("hunter2", "")
    assert "hunter2" not in str(refusal.value)
