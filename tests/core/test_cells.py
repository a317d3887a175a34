"""Cells that no spreadsheet runs, and that become themselves again."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.cells import harmless_cell, plain_cell

NASTY = st.text(alphabet=st.sampled_from("=+-@'\";\t\r\n ,|aé＝－\u00a0\u3000\ufeff0"), max_size=12)
RUNS = re.compile(r"(?:^|[;\t\r\n])[ \"\u00a0\u3000\ufeff]*[=+\-@＝＋－＠]")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "a;=1", "a\n=1", "\t=1", '";=1', "＝1"])
def test_what_a_spreadsheet_would_run_is_text(text: str) -> None:
    assert RUNS.search(text)
    assert not RUNS.search(harmless_cell(text))


@pytest.mark.parametrize("text", ["", "Überlagerung, Gips", "3-4 weeks", "a=b", "O'Brien", "100 %", "V-7K3Q9-XWD2M"])
def test_ordinary_words_stay_as_they_are(text: str) -> None:
    assert harmless_cell(text) == text


@given(st.one_of(NASTY, st.text()))
def test_every_text_is_harmless_and_comes_back(text: str) -> None:
    assert not RUNS.search(harmless_cell(text))
    assert plain_cell(harmless_cell(text)) == text
