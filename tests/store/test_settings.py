"""Settings: sparse, readable, never lost, never in the way."""

from __future__ import annotations

import dataclasses
import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.store.settings import FILE_NAME, Settings, SettingsFile, config_folder

WORD = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)


def test_nothing_is_written_until_something_is_changed(tmp_path: Path) -> None:
    assert SettingsFile(tmp_path).settings == Settings()
    assert list(tmp_path.iterdir()) == []


def test_only_what_differs_from_the_defaults_is_written_and_read_again(tmp_path: Path) -> None:
    kept = SettingsFile(tmp_path)
    kept.change(theme="light", shortcuts={"next": ("J", "Down")})
    assert tomllib.loads((tmp_path / FILE_NAME).read_text(encoding="utf-8")) == {
        "theme": "light", "shortcuts": {"next": ["J", "Down"]},
    }  # fmt: skip
    assert SettingsFile(tmp_path).settings == Settings(theme="light", shortcuts={"next": ("J", "Down")})
    kept.change(theme="dark", shortcuts={})
    assert tomllib.loads((tmp_path / FILE_NAME).read_text(encoding="utf-8")) == {}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    shortcuts=st.dictionaries(WORD, st.lists(WORD, max_size=3).map(tuple), max_size=4),
    filters=st.dictionaries(WORD, WORD, max_size=4), author=st.text(max_size=20), hide_names=st.booleans(),
)  # fmt: skip
def test_every_setting_comes_back(tmp_path: Path, **values: object) -> None:
    try:
        SettingsFile(tmp_path).change(**values)
    except UnicodeEncodeError:
        return  # a lone surrogate is no text
    assert SettingsFile(tmp_path).settings == dataclasses.replace(Settings(), **values)  # type: ignore[arg-type]


def test_unknown_keys_comments_and_what_another_window_wrote_stay(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_text('# mine\nfuture = 3\ntheme = "light"  # bright room\n', encoding="utf-8")
    first, second = SettingsFile(tmp_path), SettingsFile(tmp_path)
    first.change(language="de")
    second.change(hide_names=True)
    text = path.read_text(encoding="utf-8")
    assert "# mine" in text
    assert "# bright room" in text
    assert tomllib.loads(text) == {"future": 3, "theme": "light", "language": "de", "hide_names": True}


@pytest.mark.parametrize("content", [b"theme = ", b"\xff\xfe\x00", b"a = 1\na = 2\n"])
def test_a_broken_file_is_put_aside_and_never_overwritten(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    kept = SettingsFile(tmp_path)
    assert kept.settings == Settings()
    assert kept.set_aside is not None
    assert kept.set_aside.read_bytes() == content
    kept.change(theme="light")
    (tmp_path / FILE_NAME).write_bytes(content)
    again = SettingsFile(tmp_path)
    assert again.set_aside not in (None, kept.set_aside)


@pytest.mark.parametrize(
    ("line", "name"),
    [('theme = "purple"', "theme"), ("hide_names = 1", "hide_names"), ('shortcuts = "x"', "shortcuts"),
     ("scale_percent = 117", "scale_percent"), ("[shortcuts]\nnext = [1]", "shortcuts"), ("author = 5", "author"),
     ("[filters]\na = 1", "filters"), ('recent_commands = "x"', "recent_commands")],
)  # fmt: skip
def test_a_value_that_is_not_understood_is_ignored_and_named(tmp_path: Path, line: str, name: str) -> None:
    (tmp_path / FILE_NAME).write_text(f'language = "de"\n{line}\n', encoding="utf-8")
    kept = SettingsFile(tmp_path)
    assert kept.settings == Settings(language="de")
    assert kept.ignored == (name,)


def test_a_change_that_makes_no_sense_is_refused() -> None:
    kept = SettingsFile(None)
    with pytest.raises(ValueError, match="theme"):
        kept.change(theme="purple")
    with pytest.raises(TypeError):
        kept.change(nonsense=1)
    assert kept.settings == Settings()


def test_what_cannot_be_written_holds_and_says_so(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder", encoding="utf-8")
    kept = SettingsFile(blocked / "below")
    assert kept.change(theme="light").theme == "light"
    assert kept.write_failure
    assert kept.settings.theme == "light"


def test_what_is_assumed_is_not_written(tmp_path: Path) -> None:
    kept = SettingsFile(tmp_path)
    kept.assume(theme="light")
    kept.change(language="de")
    assert SettingsFile(tmp_path).settings == Settings(language="de")


def test_tests_never_see_the_settings_of_a_person(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert config_folder() == Path(os.environ["COXA_CONFIG"])
    monkeypatch.delenv("COXA_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert config_folder().name == "coxa"
