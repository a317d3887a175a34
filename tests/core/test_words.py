"""Finding table words in free text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.words import Match, WordTable, fold, split_camel, values_found

TABLE = WordTable(
    {
        "frontal": ["ap", "a p", "front*", "正位"],
        "lateral": ["lat", "profil", "側面"],
        "oblique": ["faux profil"],
        "pelvis": ["becken*", "骨盤"],
    }
)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("Hip AP", {"frontal"}),
        ("HÜFTE A.P.", {"frontal"}),
        ("a_p", {"frontal"}),
        ("Frontale", {"frontal"}),
        ("collateral", set()),  # no `lat` inside a word
        ("CAPTURE", set()),  # no `ap` inside a word
        ("AP1", {"frontal"}),
        ("faux profil", {"oblique"}),  # the longest match uses up its words
        ("profil", {"lateral"}),
        ("骨盤正位", {"pelvis", "frontal"}),
        ("ＡＰ", {"frontal"}),  # full-width letters
        ("Beckenübersicht", {"pelvis"}),
        ("HipLat", {"lateral"}),
        ("", set()),
    ],
)
def test_finds_whole_words_only(text: str, values: set[str]) -> None:
    assert set(values_found(TABLE.find(text))) == values


def test_what_is_returned_is_the_tables_word_not_the_text() -> None:
    assert TABLE.find("Beckenuebersicht of John Doe") == [Match("becken", "pelvis", 0)]


def test_fold_takes_away_case_and_accents_but_not_kana_marks() -> None:
    assert fold("Schräg Ｈüfte") == "schrag hufte"
    assert fold("ガ") == "ガ"


def test_capitals_separate_words() -> None:
    assert split_camel("HipLeftAP") == "Hip Left AP"
    assert split_camel("HIP AP") == "HIP AP"


def test_a_word_without_letters_is_refused() -> None:
    with pytest.raises(ValueError, match="no letters"):
        WordTable({"x": ["--"]})


@given(st.text(max_size=60))
def test_any_text_gives_only_words_of_the_table(text: str) -> None:
    words = {"ap", "a p", "front", "正位", "lat", "profil", "側面", "faux profil", "becken", "骨盤"}
    assert {match.word for match in TABLE.find(text)} <= words
