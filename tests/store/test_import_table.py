"""The report of an import as groups and as a table."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from app.store.import_report import ImportItem, ImportReport, Outcome
from app.store.import_table import grouped, matching, report_csv

ITEMS = (
    ImportItem(label="a/1.dcm", outcome=Outcome.IMPORTED, view_id="V-1"),
    ImportItem(label="a/2.txt", outcome=Outcome.REFUSED, reason="Not an image.", remedy="Leave it out.", kind="no"),
    ImportItem(label="b/3.dcm", outcome=Outcome.DUPLICATE, reason="The same as V-1.", kind="same", view_id="V-1"),
    ImportItem(label="b/4.txt", outcome=Outcome.REFUSED, reason="Not an image.", remedy="Leave it out.", kind="no"),
    ImportItem(label="b/5.dcm", outcome=Outcome.REFUSED, reason="Cut off. Row 7 of 9.", remedy="Again.", kind="cut"),
    ImportItem(label="b/6.dcm", outcome=Outcome.REFUSED, reason="Cut off. Row 3 of 9.", remedy="Again.", kind="cut"),
    ImportItem(label="b/7.dcm", outcome=Outcome.REFUSED, reason="Cut off. Row 1 of 9.", remedy="Again.", kind="cut"),
)  # fmt: skip


def test_refused_files_come_first_and_frequent_reasons_before_rare_ones() -> None:
    groups = grouped(ITEMS)
    assert [(group.outcome, group.reason, len(group.items)) for group in groups] == [
        (Outcome.REFUSED, "Cut off.", 3),
        (Outcome.REFUSED, "Not an image.", 2),
        (Outcome.DUPLICATE, "The same as V-1.", 1),
        (Outcome.IMPORTED, "", 1),
    ]


def test_what_is_said_of_a_group_holds_for_each_of_its_files() -> None:
    def refused(reason: str) -> ImportItem:
        return ImportItem(label="x", outcome=Outcome.REFUSED, reason=reason, remedy="Copy it again.", kind="damaged")

    def known(reason: str) -> ImportItem:
        return ImportItem(label="x", outcome=Outcome.DUPLICATE, reason=reason, kind="bit-identical")

    items = (
        refused("The file is empty."), refused("The file is damaged. It ends in its header."),
        refused("The file is empty."), refused("The file is damaged."), refused("The file is damaged. Row 3 is cut."),
        refused("There is no frame 4."), refused("There is no frame 12."),
        known("Bit-identical with V-1."), known("Bit-identical with V-2."),
    )  # fmt: skip
    assert [(group.reason, len(group.items)) for group in grouped(items)] == [
        ("The file is damaged.", 3), ("", 2), ("The file is empty.", 2), ("", 2),
    ]  # fmt: skip


def test_every_word_of_the_search_must_be_there() -> None:
    assert [item.label for item in matching(ITEMS, "b/ ROW 3")] == ["b/6.dcm"]
    assert [item.label for item in matching(ITEMS, "v-1")] == ["a/1.dcm", "b/3.dcm"]
    assert len(matching(ITEMS, "  ")) == len(ITEMS)


@given(st.text(max_size=30))
def test_a_spreadsheet_takes_no_file_name_for_a_formula(name: str) -> None:
    report = ImportReport(items=(ImportItem(label=name, outcome=Outcome.IMPORTED),), cases=())
    rows = list(csv.reader(io.StringIO(report_csv(report), newline="")))
    assert len(rows) == 2
    assert rows[1][0] in (name, f"'{name}")
    assert not rows[1][0].startswith(("=", "+", "-", "@", "\t", "\r"))
