"""Pseudonyms, UIDs, date shifts, ages."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.pseudonym import (
    PatientIdentity,
    Pseudonyms,
    capped_age,
    comparable,
    iso_date,
    iso_datetime,
    shifted_date,
)

ONE = Pseudonyms(bytes(range(32)))
OTHER = Pseudonyms(bytes(range(1, 33)))
ANNA = PatientIdentity(issuer="A", patient_id="1", study_uid="1.2")


def test_the_same_key_gives_the_same_pseudonym_another_key_another() -> None:
    assert ONE.patient(ANNA) == Pseudonyms(bytes(range(32))).patient(ANNA)
    assert ONE.patient(ANNA) != OTHER.patient(ANNA)
    assert re.fullmatch(r"P-[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}", ONE.patient(ANNA))


def test_the_study_does_not_matter_when_there_is_a_patient_id() -> None:
    assert ONE.patient(ANNA) == ONE.patient(PatientIdentity(issuer="A", patient_id=" 1 ", study_uid="9.9"))


def test_the_issuer_does() -> None:
    assert ONE.patient(ANNA) != ONE.patient(PatientIdentity(issuer="B", patient_id="1", study_uid="1.2"))


def test_without_patient_id_every_study_is_somebody_else() -> None:
    first = ONE.patient(PatientIdentity(study_uid="1.2"))
    assert first != ONE.patient(PatientIdentity(study_uid="1.3"))
    assert first == ONE.patient(PatientIdentity(study_uid="1.2", fallback="x"))
    assert ONE.patient(PatientIdentity(fallback="x")) != ONE.patient(PatientIdentity(fallback="y"))
    with pytest.raises(ValueError, match="nothing identifies"):
        ONE.patient(PatientIdentity())


def test_ten_thousand_patients_have_ten_thousand_pseudonyms() -> None:
    assert len({ONE.patient(PatientIdentity(patient_id=str(n))) for n in range(10_000)}) == 10_000


def test_uids_are_well_formed_and_consistent() -> None:
    uid = ONE.uid("1.2.840.1")
    assert re.fullmatch(r"2\.25\.(0|[1-9]\d*)", uid)
    assert len(uid) <= 64
    assert uid == ONE.uid("1.2.840.1 ")
    assert uid != ONE.uid("1.2.840.2")


def test_uses_are_kept_apart() -> None:
    assert ONE.key_of("object", "1.2") != ONE.key_of("predecessor", "1.2")
    assert str(int(ONE.key_of("uid", "1.2"), 16)) not in ONE.uid("1.2")


def test_check_values_ignore_spelling_but_not_the_name() -> None:
    assert ONE.check("name", "Müller^Anna") == ONE.check("name", "MULLER ANNA")
    assert ONE.check("name", "") is None
    values = {ONE.check("name", f"person {n}") for n in range(2000)}
    assert values == set(range(256))


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Pseudonyms(b"short")


@given(st.text(max_size=30), st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.dates(date(1900, 1, 1), date(2100, 1, 1)))
def test_intervals_between_dates_of_one_patient_stay(patient: str, first: date, second: date) -> None:
    days = ONE.shift_days(PatientIdentity(patient_id=patient, fallback="f"))
    assert -3650 <= days <= -1
    moved = [shifted_date(day.strftime("%Y%m%d").rjust(8, "0"), days) for day in (first, second)]
    assert all(moved)
    apart = date.fromisoformat(iso_date(moved[0] or "")) - date.fromisoformat(iso_date(moved[1] or ""))
    assert apart == first - second


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("20240301", "20240229"),
        ("2024.03.01", "20240229"),
        ("20240301101500.25+0100", "20240229101500.25+0100"),
        ("20241301", None),
        ("2024", None),
        ("", None),
        ("20240301 JOHN", None),
        ("00010101", None),  # before the calendar begins
    ],
)
def test_dates_move_and_what_is_no_date_does_not_stay(text: str, moved: str | None) -> None:
    assert shifted_date(text, -1) == moved


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("045Y", "045Y"),
        ("089Y", "089Y"),
        ("090Y", "090Y"),
        ("103Y", "090Y"),
        ("999M", "999M"),
        ("018M", "018M"),
        ("45", None),
        ("", None),
        ("MILLER", None),
    ],
)
def test_ages_over_89_become_90(text: str, moved: str | None) -> None:
    assert capped_age(text) == moved


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("20240301101500.5", "2024-03-01T10:15:00"),
        ("202403011015", "2024-03-01T10:15:00"),
        ("20240301", "2024-03-01"),
        ("20240301991500", "2024-03-01"),
        ("", ""),
    ],
)
def test_times_for_sorting(text: str, iso: str) -> None:
    assert iso_datetime(text) == iso


def test_comparable_names() -> None:
    assert comparable("Doe^John ") == comparable("DOE, JOHN") == "doejohn"
