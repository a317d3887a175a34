"""Words, filters and queries of the worklist."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.worklist import (
    FIELDS,
    MAX_WORDS,
    Filter,
    Operator,
    Query,
    Sort,
    WorklistRow,
    as_number,
    fixed_values,
    indexed_words,
    parse_filter,
    parse_sort,
    read_query,
    row_texts,
    search_words,
)

ROW = WorklistRow(
    case_id="C-1",
    position=3,
    study_id="S",
    patient_id="P-7K3Q9",
    date="2024-05-06",
    side="left",
    frontal_id="V-1",
    frontal_sha256="ab",
    projections=("frontal",),
    notices=("lossy",),
    spacing="trusted",
    status="second-look",
    questions=("V-2: frontal or lateral?",),
    labels={"label.garden": ("III",)},
    adjudication="waiting",
    readings={"label.garden@Anna": ("III",), "label.garden@Bo": ("II",)},
    comments=("Überlagerung",),
)


def test_words_know_neither_case_nor_accents_nor_signs() -> None:
    assert search_words("  Überlagerung, P-7K3Q9/ÉTÉ ") == ("uberlagerung", "p", "7k3q9", "ete")
    assert search_words("Straße ＡＢ１ ﬁ") == ("strasse", "ab1", "fi")
    assert search_words("***  \"' -- \x00 \ud800") == ()
    assert len(search_words(" ".join(f"w{n}" for n in range(100)))) == MAX_WORDS


@given(st.text())
def test_a_word_never_holds_anything_but_letters_and_digits(text: str) -> None:
    for word in search_words(text):
        assert word
        assert all(mark.isalnum() or ord(mark) > 127 for mark in word)
        assert search_words(word) == (word,)
    assert set(search_words(text)) <= set(indexed_words([text]).split(" "))


def test_what_a_search_looks_at() -> None:
    words = set(indexed_words(row_texts(ROW)).split(" "))
    assert {"p", "7k3q9", "2024", "05", "06", "left", "second", "look", "frontal", "lossy", "open", "garden", "iii",
            "uberlagerung"} <= words  # fmt: skip


def test_every_field_has_values_in_its_order() -> None:
    values = dict(zip((field.name for field in FIELDS), fixed_values(ROW), strict=True))
    assert values["views"] == ("frontal",)
    assert values["open"] == ("yes",)
    assert values["blocked"] == ("no",)
    assert values["year"] == ("2024",)
    assert values["disagreement"] == ("yes",)
    for field in FIELDS:
        assert ROW.values(field.name) == tuple(value for value in values[field.name] if value)
        if field.values:
            assert set(values[field.name]) <= set(field.values)
    assert ROW.values("label.garden") == ("III",)
    assert ROW.values("label.garden@Bo") == ("II",)
    assert ROW.values("label.nothing") == ROW.values("nothing") == ()


names = st.text(st.characters(exclude_characters="=!<>\x1f", exclude_categories=("Cs",)), min_size=1).map(str.strip)
conditions = st.builds(
    Filter, names.filter(bool), st.lists(st.text(), min_size=1, max_size=4, unique=True).map(tuple),
    st.sampled_from([Operator.IS, Operator.IS_NOT]),
)  # fmt: skip
bounds = st.builds(
    Filter, names.filter(bool), st.text(min_size=1).map(lambda text: (text,)),
    st.sampled_from([Operator.AT_LEAST, Operator.AT_MOST]),
)  # fmt: skip


@given(st.one_of(conditions, bounds))
def test_a_filter_is_read_as_it_was_written(condition: Filter) -> None:
    assert parse_filter(str(condition)) == condition


@pytest.mark.parametrize("text", ["", "status", "=new", "date>=", "date>=a,b", "date<=", " =x"])
def test_a_text_that_is_no_filter(text: str) -> None:
    with pytest.raises(ValueError, match=r"form|bound"):
        parse_filter(text)


def test_a_query_is_read_as_it_was_kept() -> None:
    query = Query("neck left", (parse_filter("status=new,annotated"), parse_filter("label.x>=0.5")), Sort("date", True))
    assert read_query(query.to_texts()) == query
    assert read_query([]) == Query()
    assert Query(search="—").is_everything
    assert not query.is_everything
    with pytest.raises(ValueError, match="no field"):
        parse_sort(" - ")


def test_filters_on_one_field_replace_each_other() -> None:
    query = Query().with_filter(parse_filter("status=new")).with_filter(parse_filter("date>=2020"))
    query = query.with_filter(parse_filter("status=reviewed")).with_filter(parse_filter("date<=2021"))
    assert [str(condition) for condition in query.filters] == ["date>=2020", "status=reviewed", "date<=2021"]
    assert query.without_filter(parse_filter("date>=2020")).filters[0] == parse_filter("status=reviewed")


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 1.0), ("-.5", -0.5), ("1e3", 1000.0), ("+2.", 2.0), ("nan", None), ("inf", None), ("1_0", None), ("", None),
     ("0x1", None), (" 1", None), ("1e999", None), ("٣", None), (".", None)],
)  # fmt: skip
def test_what_is_a_number(text: str, number: float | None) -> None:
    assert as_number(text) == number


def test_bounds_compare_numbers_with_numbers_and_words_with_words() -> None:
    assert parse_filter("x>=9").accepts("10")
    assert not parse_filter("x>=9").accepts("2020-01-01")
    assert parse_filter("date>=2020-01-01").accepts("2020-01-01")
    assert parse_filter("date<=2020-01-01").accepts("2019-12-31")
    assert not parse_filter("date<=2020-01-01").accepts("")


@pytest.mark.parametrize(
    ("text", "first_in", "last_in", "out"),
    [("date>=2020", "2020-01-01", "2031-12-31", "2019-12-31"), ("date<=2020", "1999-01-01", "2020-12-31", "2021-01-01"),
     ("date<=2020-02", "2019-12-31", "2020-02-29", "2020-03-01"),
     ("date>=2020-02", "2020-02-01", "2020-02-29", "2020-01-31"),
     ("changed<=2020-02-03", "2019-01-01T00:00:00", "2020-02-03T23:59:59", "2020-02-04T00:00:00"),
     ("changed>=2020-02-03T12", "2020-02-03T12:00:00", "2020-02-04T00:00:00", "2020-02-03T11:59:59")],
)  # fmt: skip
def test_a_year_or_a_month_bounds_dates_with_all_of_it(text: str, first_in: str, last_in: str, out: str) -> None:
    condition = parse_filter(text)
    assert (condition.accepts(first_in), condition.accepts(last_in), condition.accepts(out)) == (True, True, False)


@pytest.mark.parametrize("text", ["date>=abc", "date<=2015-13", "date>=2015-13-45", "date>=201", "questions<=many"])
def test_a_bound_that_is_no_date_or_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"needs a (date|number), for example"):
        parse_filter(text)
