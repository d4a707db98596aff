from pathlib import Path

import pytest

from fas_core.user_paths import expand_user


def test_the_users_folder_is_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.setenv("USERPROFILE", "/home/someone")
    assert expand_user("~/faces") == Path("/home/someone/faces")


@pytest.mark.parametrize("name", ["~backup.jpg", "~nobody-has-this-name/faces", "a~b", "~$a.png"])
def test_a_name_that_only_begins_like_a_users_is_a_name(name: str) -> None:
    assert expand_user(name) == Path(name)
