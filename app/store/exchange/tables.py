"""Tables: CSV that every spreadsheet opens and none runs, and the same as Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from app.core.cells import harmless_cell, plain_cell
from app.core.event import Event, canonical_json
from app.core.export import Content
from app.core.export_plan import ExportPlan
from app.store.exchange.events import exported_events
from app.store.exchange.model_words import FINDINGS, HEATMAPS, finding_rows, heatmap_rows
from app.store.exchange.rows import Cell, Row, Table, tables_of
from app.store.exchange.writer import ExportSource, OutputFile

FOLDER = "tables"
HISTORY: dict[str, type] = {
    "event": int, "at": str, "author": str, "target": str, "field": str, "before": str, "after": str, "text": str,
    "reverts": int, "previous_hash": str, "row_hash": str,
}  # fmt: skip
Encode: TypeAlias = Callable[[Mapping[str, type], Iterable[Row]], Iterator[bytes]]
_TYPES = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
ROWS_AT_ONCE = 20_000
MARK = b"\xef\xbb\xbf"  # tells a spreadsheet that it is UTF-8


class TablesWriter:
    """CSV and Parquet."""

    def files(self, plan: ExportPlan, source: ExportSource) -> Iterator[OutputFile]:
        """Two files for each table."""
        found = [(table, False) for table in tables_of(plan)]
        if plan.has(Content.HISTORY):
            history = Table(
                name="history", columns=HISTORY, rows=lambda: map(_event_row, exported_events(source.project, plan))
            )
            found.append((history, True))
        for content, name, columns, rows in (
            (Content.FINDINGS, "findings", FINDINGS, finding_rows),
            (Content.HEATMAPS, "heatmaps", HEATMAPS, heatmap_rows),
        ):
            if plan.has(content):
                made = partial(rows, source.project, plan)
                found.append((Table(name=name, columns=columns, rows=made), True))
        for table, reads_project in found:
            for ending, encode in (("csv", csv_chunks), ("parquet", parquet_chunks)):
                yield OutputFile(
                    path=f"{FOLDER}/{table.name}.{ending}",
                    content=partial(_made, encode, table),
                    reads_project=reads_project,
                )

    def notes(self, plan: ExportPlan) -> tuple[str, ...]:
        """Nothing is left out of the tables."""
        return ()

    def guide(self) -> str:
        """Where the tables are."""
        return (
            f"`{FOLDER}/*.csv` (UTF-8, comma) and the same as `*.parquet`. Lengths are in image coordinates, px, "
            "origin at the corner of the first pixel. In CSV an apostrophe stands before text that a "
            "spreadsheet would run; Parquet holds the text as it is."
        )


def csv_chunks(columns: Mapping[str, type], rows: Iterable[Row]) -> Iterator[bytes]:
    """A CSV table in pieces: UTF-8 with a mark, commas, line feeds, nothing that a spreadsheet runs."""
    yield MARK
    parts = iter(rows)
    lines = [[harmless_cell(name) for name in columns]]
    while lines:
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(lines)
        yield text.getvalue().encode("utf-8", "surrogatepass")
        lines = [[_cell(row[name]) for name in columns] for row in islice(parts, ROWS_AT_ONCE)]


def read_csv(content: bytes) -> list[dict[str, str]]:
    """A table that `csv_chunks` wrote, with every text as it was. Numbers stay text.

    Raises:
        ValueError: not such a table.
    """
    lines = list(csv.reader(io.StringIO(content.removeprefix(MARK).decode("utf-8"), newline=""), strict=True))
    if not lines:
        raise ValueError("an empty file is no table")
    names = [plain_cell(name) for name in lines[0]]
    return [dict(zip(names, map(plain_cell, line), strict=True)) for line in lines[1:]]


def parquet_chunks(columns: Mapping[str, type], rows: Iterable[Row]) -> Iterator[bytes]:
    """A Parquet table; only its compressed form is held whole. The same library gives the same bytes again."""
    schema = pa.schema([(name, _TYPES[kind]) for name, kind in columns.items()])
    sink, parts = io.BytesIO(), iter(rows)
    with pq.ParquetWriter(sink, schema, compression="zstd", store_schema=False) as writer:
        part = list(islice(parts, ROWS_AT_ONCE))
        while True:
            writer.write_table(pa.Table.from_pylist(part, schema=schema))
            part = list(islice(parts, ROWS_AT_ONCE))
            if not part:
                break
    yield sink.getvalue()


def _made(encode: Encode, table: Table) -> Iterator[bytes]:
    return encode(table.columns, table.rows())


def _cell(value: Cell) -> str:
    if isinstance(value, str):
        return harmless_cell(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else repr(value)


def _event_row(event: Event) -> Row:
    return {
        "event": event.id,
        "at": event.at,
        "author": event.author,
        "target": event.target,
        "field": event.field,
        "before": None if event.before is None else canonical_json(event.before),
        "after": None if event.after is None else canonical_json(event.after),
        "text": event.text,
        "reverts": event.reverts,
        "previous_hash": event.previous_hash.hex(),
        "row_hash": event.row_hash.hex(),
    }
