"""Label fifty synthetic cases through the real window, with simulated keys and clicks, as its truth says.

python -m bench.annotate DEMO_PROJECT [WIDTHxHEIGHT] [CASES]

DEMO_PROJECT is what `coxa demo --out DIR` made; a copy is annotated. Printed are the keys that each case took and how
long it took from a key or click until its answer was saved (FULL commit) and painted, and from Enter until the next
case was painted; beside it, in the same run, the bare commit of the same answers and the bare step to the next case.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent, QEventLoop, QObject, QPointF, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.core.annotation import reader_target
from app.core.event import target_of
from app.store.annotations import Annotations
from app.store.project import ProjectStore
from app.ui.main_window import MainWindow
from tests.support.window import application, open_window, wait, wait_until

READER = "tester"
NONE = Qt.KeyboardModifier.NoModifier


class Painted(QObject):
    """Runs an action and then the event loop until it is done and every one of some widgets was painted after it."""

    def __init__(self) -> None:
        super().__init__()
        self._roots: list[QWidget] = []
        self._missing: set[int] = set()
        self._last = 0.0
        self.cpu_ms: list[float] = []

    def after(self, action: Callable[[], None], widgets: list[QWidget], *, is_done: Callable[[], bool]) -> float:
        """Milliseconds from the action until then; a widget counts as painted when it or anything in it was.

        Raises:
            RuntimeError: it did not happen within ten seconds.
        """
        loop, poll = QEventLoop(), QTimer(interval=1)
        self._roots, self._missing = widgets, {id(widget) for widget in widgets}
        application().installEventFilter(self)
        start, cpu = time.perf_counter(), time.process_time()
        action()

        def look() -> None:
            hidden = {id(root) for root in self._roots if not root.isVisible()}  # a case may have one view
            if (is_done() and self._missing <= hidden) or time.perf_counter() - start > 10:
                self._missing -= hidden
                loop.quit()

        poll.timeout.connect(look)
        poll.start()
        loop.exec()
        poll.stop()
        application().removeEventFilter(self)
        if self._missing:
            raise RuntimeError("it was not painted within ten seconds")
        self.cpu_ms.append((time.process_time() - cpu) * 1000)
        return (self._last - start) * 1000

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The paint itself is over when control comes back to the event loop; a timer of 0 ms notes that."""
        if event.type() == QEvent.Type.Paint and isinstance(watched, QWidget):
            for root in self._roots:
                if watched is root or root.isAncestorOf(watched):
                    QTimer.singleShot(0, lambda root=root: self._note(id(root)))
        return False

    def _note(self, name: int) -> None:
        self._missing.discard(name)
        self._last = time.perf_counter()


def keys_for(labels: dict[str, Any]) -> str:
    """What a reader presses before Enter."""
    if not labels["has_fracture"]:
        return "2"
    if labels["garden"]:
        return f"g{labels['garden']}"
    if labels["is_atypical"] is not None:
        return "a1" if labels["is_atypical"] else "a2"
    return "r" + {"neck": "1", "trochanteric": "2", "subtrochanteric": "3", "shaft": "4"}[labels["region"]]


def main() -> None:
    words = sys.argv[1:]
    source = Path(words[0])
    width, height = (int(part) for part in (words[1] if len(words) > 1 else "1280x800").split("x"))
    count = int(words[2]) if len(words) > 2 else 50
    truth = json.loads((source / "demo-truth.json").read_text(encoding="utf-8"))
    application()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "project"
        shutil.copytree(source, path)
        for name in ("project.db-wal", "project.db-shm"):
            (path / name).unlink(missing_ok=True)
        cases = [name for name in labellable(path) if name in truth][: count + 1]
        print(f"{width}×{height}, load average {os.getloadavg()[0]:.1f}, {len(cases) - 1} cases", flush=True)
        run(path, cases, truth, (width, height))


def labellable(path: Path) -> list[str]:
    """Cases whose views are known, in the order of the worklist."""
    with ProjectStore.open(path, is_read_only=True) as store:
        return [case.id for case in store.cases.all() if not case.questions and case.frontal_id and case.lateral_id]


def run(path: Path, cases: list[str], truth: dict[str, Any], size: tuple[int, int]) -> None:
    window = open_window(path, size=size)
    viewer, project = window.viewer, window.project
    assert viewer is not None
    assert project is not None
    window.actions_by_id["show_labels"].trigger()
    wait(100)
    painted = Painted()
    keys_used, key_ms, next_ms, click_ms, step_ms = [], [], [], [], []
    window.cases.go_to(cases[0])
    wait_until(lambda: viewer.is_settled and viewer.content.case.id == cases[0])  # type: ignore[union-attr]
    for number, case_id in enumerate(cases[:-1]):
        if viewer.content is None or viewer.content.case.id != case_id:
            window.cases.go_to(case_id)
            wait_until(lambda name=case_id: viewer.is_settled and viewer.content.case.id == name)  # type: ignore[misc]
            wait(400)  # a reader looks at a case; meanwhile the next one is decoded
        form = window.labelling.form
        assert form is not None
        if number % 5 == 0:  # every fifth also with alignment
            click_ms += align(window, painted, truth[case_id])
        keys = keys_for(truth[case_id]["labels"])
        for key in keys:
            head = project.look().events.head()[0]
            target = QApplication.focusWidget() or window
            is_answer = key.isdigit()
            spent = painted.after(
                lambda target=target, key=key: QTest.keyClick(target, key),  # type: ignore[misc]
                [form],
                is_done=lambda head=head, is_answer=is_answer: (  # type: ignore[misc]
                    not is_answer or project.look().events.head()[0] > head
                ),
            )
            if is_answer:
                key_ms.append(spent)
        wait(300)
        before = case_id
        target = QApplication.focusWidget() or window
        next_ms.append(
            painted.after(
                lambda target=target: QTest.keyClick(target, Qt.Key.Key_Return),  # type: ignore[misc]
                [place.pane.graphics.viewport() for place in viewer.places],
                is_done=lambda before=before: viewer.is_settled and viewer.content.case.id != before,  # type: ignore
            )
        )
        keys_used.append(len(keys) + 1)
        wait(300)
    check(window, cases[:-1], truth)
    for _ in cases[1:21]:
        before = viewer.content.case.id if viewer.content else ""
        step_ms.append(
            painted.after(
                lambda: window.actions_by_id["previous"].trigger(),
                [place.pane.graphics.viewport() for place in viewer.places],
                is_done=lambda before=before: viewer.is_settled and viewer.content.case.id != before,  # type: ignore
            )
        )
        wait(300)
    commits = bare_commits(project.look(), cases[0])
    window.close()
    print(f"keys a case, with Enter: {statistics.mean(keys_used):.2f} on average, {max(keys_used)} at most")
    report("key → saved and painted", key_ms, 50)
    report("click of an alignment → saved and painted", click_ms, 50)
    report("Enter → next case painted", next_ms, 100)
    report("baseline: commit of an answer alone", commits)
    report("baseline: step to a case, nothing saved", step_ms)
    report("processor time of a gesture, all threads", painted.cpu_ms)
    print(f"ratio key / bare commit: {statistics.median(key_ms) / statistics.median(commits):.1f}")
    print(f"ratio Enter / bare step: {statistics.median(next_ms) / statistics.median(step_ms):.1f}")


def align(window: MainWindow, painted: Painted, truth: dict[str, Any]) -> list[float]:
    """Two clicks on the frontal view; returns what the second took."""
    assert window.viewer is not None
    assert window.project is not None
    pane, view = window.viewer.places[0].pane, truth["views"][0]
    window.actions_by_id["align"].trigger()
    wait(50)
    center = view["fracture_centre"] or view["head_centre"]
    axis = view["shaft_axis"][1]
    viewport = pane.graphics.viewport()
    places = [pane.map_from_image(*xy).toPoint() for xy in (center, axis)]
    inside = [QPointF(place) for place in places if viewport.rect().contains(place)]
    if len(inside) < 2:
        return []
    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, NONE, places[0])
    wait(30)
    head = window.project.look().events.head()[0]
    spent = painted.after(
        lambda: QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, NONE, places[1]),
        [viewport],
        is_done=lambda: window.project.look().events.head()[0] > head,  # type: ignore[union-attr]
    )
    window.actions_by_id["pan"].trigger()
    window.case_list.table.setFocus()
    return [spent]


def check(window: MainWindow, cases: list[str], truth: dict[str, Any]) -> None:
    """Every case holds what its truth says; nothing went to another one."""
    assert window.project is not None
    for case_id in cases:
        labels, wanted = window.project.annotations.labels(case_id, READER), truth[case_id]["labels"]
        assert labels["fracture"] == ("yes" if wanted["has_fracture"] else "no"), case_id
        if wanted["garden"]:
            assert labels["garden"] == str(wanted["garden"]), case_id
            assert labels["displacement"] == wanted["displacement"], case_id
        elif wanted["is_atypical"] is not None:
            assert labels["atypical"] == ("aff" if wanted["is_atypical"] else "nff"), case_id
        case = window.project.look().cases.get(case_id)
        assert case is not None
        assert case.status.value == "annotated", case_id


def bare_commits(store: ProjectStore, case_id: str) -> list[float]:
    """The same answers, recorded without a window."""
    annotations = Annotations(store)
    spent = []
    for number in range(60):
        target = reader_target(case_id, "bench")
        change = annotations.change(target, "label.quality", ("good", "limited")[number % 2])
        start = time.perf_counter()
        annotations.record(case_id, [change], author="bench")
        spent.append((time.perf_counter() - start) * 1000)
    assert store.events.current_of(target_of("case", case_id)) is not None
    return spent


def report(name: str, spent: list[float], limit_ms: float | None = None) -> None:
    ordered = sorted(spent)
    if not ordered:
        print(f"{name}: not measured")
        return
    p95 = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    limit = "" if limit_ms is None else f" (claim: ≤ {limit_ms:g} ms: {'held' if p95 <= limit_ms else 'MISSED'})"
    print(
        f"{name}: median {statistics.median(ordered):.1f} ms, p95 {p95:.1f} ms, max {ordered[-1]:.1f} ms, "
        f"n = {len(ordered)}{limit}"
    )


if __name__ == "__main__":
    main()
