from pathlib import Path

import pytest
from platformdirs import user_cache_path

from fas_core.user_paths import cache_folder, expand_user


def test_the_users_folder_is_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.setenv("USERPROFILE", "/home/someone")
    assert expand_user("~/faces") == Path("/home/someone/faces")


@pytest.mark.parametrize("name", ["~backup.jpg", "~nobody-has-this-name/faces", "a~b", "~$a.png"])
def test_a_name_that_only_begins_like_a_users_is_a_name(name: str) -> None:
    assert expand_user(name) == Path(name)


@pytest.mark.parametrize("folder", [None, "", " ", "/var/cache/someone", "caches"])
def test_the_cache_is_where_platformdirs_says(monkeypatch: pytest.MonkeyPatch, folder: str | None) -> None:
    monkeypatch.delenv("FAS_CACHE_DIR", raising=False)
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if folder is not None:
        monkeypatch.setenv("XDG_CACHE_HOME", folder)
    assert cache_folder() == user_cache_path("fas")
