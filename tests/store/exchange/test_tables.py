"""Tables: what is in them, that no spreadsheet runs it, and that CSV and Parquet say the same."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from app.core.annotation import COMMENT
from app.core.event import canonical_json
from app.core.export import Content, ExportFormat, ExportRequest
from app.core.geometry import axis_angle_deg
from app.store.exchange.plan import plan_export
from app.store.exchange.tables import ROWS_AT_ONCE, csv_chunks, parquet_chunks, read_csv
from app.store.exchange.write import write_export
from app.store.project import ProjectStore
from tests.support.data_sets import ANN, BEN, FORMULA

TABLES = frozenset({ExportFormat.TABLES})
NAMES = ("cases", "views", "labels", "comments", "alignments", "regions", "measurements", "landmarks", "calibrations",
         "crops", "history")  # fmt: skip


@pytest.fixture(scope="module")
def tables(labelled_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tables") / "set"
    contents = frozenset(Content) - {Content.FINDINGS, Content.HEATMAPS}
    with ProjectStore.open(labelled_path, is_read_only=True) as project:
        write_export(project, plan_export(project, ExportRequest(contents=contents, formats=TABLES)), out)
    return out / "tables"


def read_parquet(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


def test_every_table_is_there_twice(tables: Path) -> None:
    assert {path.name for path in tables.iterdir()} == {f"{name}.{end}" for name in NAMES for end in ("csv", "parquet")}


@pytest.mark.parametrize("name", NAMES)
def test_csv_and_parquet_say_the_same(tables: Path, name: str) -> None:
    rows, texts = read_parquet(tables / f"{name}.parquet"), read_csv((tables / f"{name}.csv").read_bytes())
    assert len(rows) == len(texts) > 0
    for row, text in zip(rows, texts, strict=True):
        assert list(row) == list(text)
        for key, value in row.items():
            shown = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
            assert text[key] == shown


def test_words_survive_and_are_not_run(tables: Path) -> None:
    assert b"\n=" not in (tables / "comments.csv").read_bytes()
    assert b'"=' not in (tables / "comments.csv").read_bytes()
    assert (tables / "comments.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert {row["text"] for row in read_csv((tables / "comments.csv").read_bytes())} == {FORMULA}
    assert {row["text"] for row in read_parquet(tables / "comments.parquet")} == {FORMULA}
    readers = {row["reader"] for row in read_csv((tables / "labels.csv").read_bytes())}
    assert readers == {ANN, BEN}


def test_numbers_are_exact(tables: Path, project: ProjectStore) -> None:
    rows = {(row["view"], row["reader"]): row for row in read_parquet(tables / "alignments.parquet")}
    row = rows["V-00002-LF", ANN]
    assert (row["center_x"], row["center_y"]) == (92.25, 110.5)
    assert row["angle_deg"] == axis_angle_deg((92.25, 110.5), (95.0, 180.0))
    assert row["crop_state"] == "approved"
    length = {row["view"]: row for row in read_parquet(tables / "measurements.parquet")}["V-00002-LF"]
    assert (length["value"], length["unit"], length["length_scale"]) == (25.0, "mm", "manual")


def test_the_history_is_the_projects_own(tables: Path, project: ProjectStore) -> None:
    rows = read_parquet(tables / "history.parquet")
    events = project.events.since()
    assert [row["event"] for row in rows] == [event.id for event in events]
    assert rows[-1]["row_hash"] == project.events.head()[1].hex()
    after = next(row["after"] for row in rows if row["field"].startswith(COMMENT))
    assert after == canonical_json(FORMULA)


def test_a_table_holds_only_what_was_asked_for(project: ProjectStore, tmp_path: Path) -> None:
    request = ExportRequest(contents=frozenset({Content.LABELS}), formats=TABLES, case_ids=("C-00002-LEFT",),
                            has_free_text=False)  # fmt: skip
    write_export(project, plan_export(project, request), tmp_path / "set")
    names = {path.stem for path in (tmp_path / "set" / "tables").iterdir()}
    assert names == {"cases", "views", "labels"}
    assert [row["case"] for row in read_parquet(tmp_path / "set" / "tables" / "cases.parquet")] == ["C-00002-LEFT"]
    whole = b"".join(path.read_bytes() for path in (tmp_path / "set").rglob("*") if path.is_file())
    assert b"C-00003" not in whole
    assert b"HYPERLINK" not in whole


def test_every_kind_of_cell_is_written_and_read() -> None:
    columns = {"a": str, "b": int, "c": float, "d": bool}
    rows = [{"a": "'=\u00fc;+1\r\n@", "b": -3, "c": -0.1, "d": True}, {"a": "", "b": None, "c": None, "d": False}]
    assert read_csv(b"".join(csv_chunks(columns, rows))) == [
        {"a": "'=\u00fc;+1\r\n@", "b": "-3", "c": "-0.1", "d": "true"},
        {"a": "", "b": "", "c": "", "d": "false"},
    ]
    parquet = b"".join(parquet_chunks(columns, rows))
    assert pq.read_table(io.BytesIO(parquet)).to_pylist() == rows
    assert parquet == b"".join(parquet_chunks(columns, rows))
    with pytest.raises(ValueError, match="empty"):
        read_csv(b"")


@pytest.mark.parametrize("count", [0, 1, ROWS_AT_ONCE, ROWS_AT_ONCE + 1])
def test_long_tables_are_written_in_pieces(count: int) -> None:
    columns = {"n": int}
    rows = [{"n": number} for number in range(count)]
    assert [int(row["n"]) for row in read_csv(b"".join(csv_chunks(columns, rows)))] == list(range(count))
    table = pq.read_table(io.BytesIO(b"".join(parquet_chunks(columns, iter(rows)))))
    assert table.column("n").to_pylist() == list(range(count))
