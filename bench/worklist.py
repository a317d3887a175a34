"""The worklist with very many cases, until painted, against Qt's own models over the same rows in the same run.

    QT_QPA_PLATFORM=offscreen python -m bench.worklist [CASES] [PROJECT] [scroll]

PROJECT is made first if it is not there (`tests.support.many_cases`: about a minute for 100,000 cases). Everything is
measured in the window's thread from the request to the end of a synchronous repaint. `scroll` measures scrolling only.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QSortFilterProxyModel, Qt
from PySide6.QtSql import QSqlDatabase, QSqlTableModel
from PySide6.QtWidgets import QApplication, QTableView, QWidget

from app.core.event import target_of
from app.core.worklist import Query, Sort, WorklistRow, parse_filter
from app.store.derived import DerivedCache
from app.store.project import ProjectStore
from app.store.worklist.worklist import Worklist
from app.ui import theme
from app.ui.case_list import CaseList
from app.ui.thumbnails import Subject, Thumbnails
from tests.support.many_cases import make_many_cases

SIZE = (1000, 700)
ROUNDS = 60
PROXY_ROUNDS = 2
COLUMNS = ("patient", "date", "side", "status", "views", "projection", "spacing", "notice", "questions", "year",
           "comment", "changed")  # fmt: skip
SORTS = ("patient", "date", "status", "side", "label.score", "changed", "questions", "label.garden")
FILTERS = ("status=new", "status=annotated,reviewed", "side=left", "label.score>=0.5", "date>=2021-06-01", "open=yes",
           "label.garden=III,IV", "views=pair", "spacing!=trusted")  # fmt: skip
SEARCHES = ("n", "ne", "nec", "neck", "neck left", "20", "2019 neck", "p", "trochanteric reviewed", "lossy", "zzz")


def milliseconds(act: Callable[[], object]) -> float:
    """How long something takes."""
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1000


def line(what: str, times: Sequence[float]) -> str:
    """One row of the table of results."""
    ordered = sorted(times)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    return f"| {what} | {statistics.median(ordered):.1f} | {p95:.1f} | {ordered[-1]:.1f} | {len(ordered)} |"


def rss_mib() -> float:
    """Memory of this process."""
    return float(psutil.Process().memory_info().rss) / 2**20


class PlainModel(QAbstractTableModel):
    """All rows in a Python list: what a proxy is usually put over."""

    def __init__(self, rows: list[tuple[str, ...]]) -> None:
        super().__init__()
        self._rows = rows

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        """Number of rows."""
        return len(self._rows)

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        """Number of columns."""
        return len(COLUMNS)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """One cell."""
        return self._rows[index.row()][index.column()] if role == Qt.ItemDataRole.DisplayRole else None


def view_of(model: Any) -> QTableView:
    """A table of the same size on a model."""
    view = QTableView()
    view.verticalHeader().hide()
    view.verticalHeader().setDefaultSectionSize(30)
    view.horizontalHeader().setDefaultSectionSize(SIZE[0] // len(COLUMNS))
    view.setModel(model)
    view.resize(*SIZE)
    show(view)
    return view


def show(widget: QWidget) -> None:
    """Show a widget and wait until it may be painted."""
    widget.show()
    while not (widget.windowHandle() and widget.windowHandle().isExposed()):
        QApplication.processEvents()
    QApplication.processEvents()


def frames(view: QTableView, steps: Sequence[float]) -> list[float]:
    """Scroll to shares of the whole, one after another, and paint each."""
    bar = view.verticalScrollBar()

    def go(share: float) -> Callable[[], None]:
        def act() -> None:
            bar.setValue(round(share * bar.maximum()))
            view.viewport().repaint()

        return act

    return [milliseconds(go(share)) for share in steps]


def scroll_steps(count: int) -> list[float]:
    """A page at a time, from a place in the middle."""
    return [0.4 + number * 15 / count for number in range(200)]


def bench_list(cases: CaseList, worklist: Worklist, queries: Sequence[Query]) -> list[float]:
    """Ask for each query until it is painted."""

    def ask(query: Query) -> Callable[[], None]:
        def act() -> None:
            cases.ask(query)
            cases.table.viewport().repaint()

        return act

    return [milliseconds(ask(query)) for query in queries]


@contextmanager
def open_list(store: ProjectStore, derived: DerivedCache) -> Iterator[CaseList]:
    """The worklist with small radiographs."""

    def look(view_id: str) -> Subject | None:
        view = store.views.get(view_id)
        return None if view is None else Subject(sha256=view.image_sha256, grey=view.grey)

    thumbnails = Thumbnails(look, store.images.load, derived)
    cases = CaseList()
    cases.set_thumbnails(thumbnails)
    thumbnails.changed.connect(cases.table.viewport().update)
    cases.set_source(store.worklist)
    cases.resize(*SIZE)
    show(cases)
    cases.table.viewport().repaint()
    yield cases
    cases.set_source(None)
    cases.close()
    thumbnails.close()


def row_words(row: WorklistRow) -> tuple[str, ...]:
    """The cells of a row."""
    return tuple(", ".join(row.values(name)) for name in COLUMNS)


def bench_ours(store: ProjectStore, count: int) -> dict[str, float]:
    """Everything about our own list; prints, and returns the medians that others are compared with."""
    random.seed(1)
    worklist = store.worklist
    with open_list(store, store.derived) as cases:
        cold = bench_list(cases, worklist, [Query(sort=Sort(name)) for name in SORTS])
        print(line("first sort by each of 8 fields", cold))
        orders = [Query(sort=Sort(SORTS[k % 8], k % 16 > 7)) for k in range(ROUNDS * 2)]
        sorts = bench_list(cases, worklist, orders)
        print(line("re-sort all", sorts))
        cold = bench_list(cases, worklist, [Query(filters=(parse_filter(text),)) for text in FILTERS])
        print(line("first filter by each of 9 fields", cold))
        narrowed = [Query(filters=(parse_filter(FILTERS[k % 9]),), sort=Sort(SORTS[k % 8])) for k in range(ROUNDS * 2)]
        filters = bench_list(cases, worklist, narrowed)
        print(line("filter and sort", filters))
        searches = [Query(SEARCHES[k % len(SEARCHES)], sort=Sort("date")) for k in range(ROUNDS * 2)]
        print(line("search and sort", bench_list(cases, worklist, searches)))
        print(
            line(
                "facets with counts, every field",
                [milliseconds(lambda: worklist.facets(narrowed[3])) for _ in range(20)],
            )
        )
        cases.ask(Query())
        steps, jumps = scroll_steps(count), [random.random() for _ in range(200)]
        scroll = frames(cases.table, steps)
        print(line("scroll a page, two lines a row and pictures", scroll))
        print(line("jump anywhere, two lines a row and pictures", frames(cases.table, jumps)))
        cases.set_small_rows(True)
        small = frames(cases.table, steps)
        print(line("scroll a page, small rows", small))
        print(line("jump anywhere, small rows", frames(cases.table, jumps)))
        cases.set_small_rows(False)
        cases.ask(Query(filters=(parse_filter("status!=excluded"),), sort=Sort("status")))
        ids = worklist.case_ids(range(400))
        changes = []
        for number, case_id in enumerate(ids[:40]):
            store.events.append(target=target_of("case", case_id), field="label.bench", after=number, author="bench")
            changes.append(milliseconds(lambda: (cases.refresh(), cases.table.viewport().repaint())))
        print(line("after a decision: list right again", changes))
        print(f"| memory of the process, MiB | {rss_mib():.0f} | | | |")
    return {"sort": statistics.median(sorts), "filter": statistics.median(filters)}  # fmt: skip


def bench_cold_pictures(store: ProjectStore, folder: Path) -> None:
    """Frames while small radiographs are made in their thread: 200 jumps, with 20 ms for the event loop after each."""
    with open_list(store, DerivedCache(folder)) as cases:
        bar, times = cases.table.verticalScrollBar(), []
        for share in [random.random() for _ in range(200)]:
            bar.setValue(round(share * bar.maximum()))
            times.append(milliseconds(cases.table.viewport().repaint))
            end = time.perf_counter() + 0.02
            while time.perf_counter() < end:
                QApplication.processEvents()
        print(line("jump anywhere while pictures are being made", times))


def bench_proxy(rows: list[tuple[str, ...]]) -> tuple[float, float]:
    """QSortFilterProxyModel over the same rows: median times of a sort and a filter."""
    plain, proxy = PlainModel(rows), QSortFilterProxyModel()
    proxy.setSourceModel(plain)
    view = view_of(proxy)

    def sort(column: int, order: Qt.SortOrder) -> None:
        proxy.sort(column, order)
        view.viewport().repaint()

    def keep(words: str) -> None:
        proxy.setFilterKeyColumn(COLUMNS.index("status"))
        proxy.setFilterFixedString(words)
        view.viewport().repaint()

    sorts = [milliseconds(lambda c=c, o=o: sort(c, o)) for _ in range(PROXY_ROUNDS)
             for c, o in ((0, Qt.SortOrder.AscendingOrder), (1, Qt.SortOrder.DescendingOrder))]  # fmt: skip
    print(line("QSortFilterProxyModel: re-sort all", sorts))
    proxy.sort(-1)
    filters = [milliseconds(lambda w=w: keep(w)) for _ in range(3) for w in ("new", "reviewed", "")]
    print(line("QSortFilterProxyModel: filter, not sorted", filters))
    view.close()
    return statistics.median(sorts), statistics.median(filters)


def bench_sql(store: ProjectStore, file: Path, count: int) -> tuple[float, float]:
    """A scrolled page by turns with QSqlTableModel on a table of the same rows, all fetched: the two ratios."""
    database = QSqlDatabase.addDatabase("QSQLITE")
    database.setDatabaseName(str(file))
    assert database.open()
    model = QSqlTableModel(None, database)
    model.setTable("rows")
    model.select()
    fetch = milliseconds(lambda: fetch_all(model))
    print(f"| QSqlTableModel: fetch all | {fetch:.0f} | | | 1 |")
    view = view_of(model)
    with open_list(store, store.derived) as cases:
        result = []
        for is_small in (False, True):
            cases.set_small_rows(is_small)
            QApplication.processEvents()
            mine, theirs = [], []
            for step in scroll_steps(count):  # by turns, so that both meet the same load
                mine += frames(cases.table, [step])
                theirs += frames(view, [step])
            what = "small rows" if is_small else "two lines a row and pictures"
            print(line(f"by turns: scroll a page, {what}", mine))
            print(line("by turns: scroll a page, QSqlTableModel", theirs))
            result.append(statistics.median(mine) / statistics.median(theirs))
    view.close()
    model.clear()
    return result[0], result[1]


def fetch_all(model: QSqlTableModel) -> None:
    """Let the model read to the end."""
    while model.canFetchMore():
        model.fetchMore()


def write_rows(file: Path, rows: list[tuple[str, ...]]) -> None:
    """The rows as a plain table."""
    import sqlite3

    with sqlite3.connect(file) as connection:
        connection.execute(f"CREATE TABLE rows ({', '.join(COLUMNS)})")
        connection.executemany(f"INSERT INTO rows VALUES ({', '.join('?' * len(COLUMNS))})", rows)  # noqa: S608


def main() -> None:
    """The whole run."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    app = QApplication([])
    theme.apply(app)
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(temporary) / "project"
        if not path.exists():
            make_many_cases(path, count)
        print("| what | median ms | p95 ms | worst ms | n |\n|---|---|---|---|---|")
        print(f"| opening the project | {milliseconds(lambda: ProjectStore.open(path).close()):.0f} | | | 1 |")
        with ProjectStore.open(path) as store:
            (path / "cache" / "worklist.db").unlink(missing_ok=True)
            print(
                f"| making the index for the first time | {milliseconds(lambda: store.worklist.count()):.0f} | | | 1 |"
            )
        with ProjectStore.open(path) as store:

            def first() -> None:
                with open_list(store, store.derived):
                    pass

            print(f"| list painted, index there | {milliseconds(first):.0f} | | | 1 |")
            print(f"| cases.all(), what the list was made from before | {milliseconds(store.cases.all):.0f} | | | 1 |")
            ours = bench_ours(store, count) if "scroll" not in sys.argv else {"sort": 1.0, "filter": 1.0}
            bench_cold_pictures(store, Path(temporary) / "cold")
            worklist = store.worklist
            numbers = worklist.numbers()
            rows = [row_words(row) for row in worklist.rows(numbers).values()]
            write_rows(Path(temporary) / "rows.db", rows)
            scroll = bench_sql(store, Path(temporary) / "rows.db", count)
        sort, kept = bench_proxy(rows) if "scroll" not in sys.argv else (0.0, 0.0)
    print()
    print(f"re-sort: {sort / ours['sort']:.0f} times as quick as QSortFilterProxyModel (target 100)")
    print(f"filter and sort: {kept / ours['filter']:.0f} times as quick as its filter alone")
    print(f"scrolled page: {scroll[0]:.2f} of QSqlTableModel's, small rows {scroll[1]:.2f} (target 1.5)")


if __name__ == "__main__":
    main()
