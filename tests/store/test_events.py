"""The event chain and its projection."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.core.case import Case, Patient, Projection, ReviewStatus, Side, Study
from app.core.event import COMPOSITION, NO_EVENT_HASH, row_hash
from app.core.replay import replay
from app.store.audit import audit_database
from app.store.cases import Cases, composition
from app.store.database import WRITER_PRAGMAS, Database
from app.store.events import EventLog
from app.store.patients import Patients
from app.store.project import ProjectStore, migrate
from app.store.studies import Studies
from app.store.views import Views
from tests.support.projects import HEADER, make_case, make_view

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_chain_and_history(project: ProjectStore) -> None:
    first = project.events.append(target="case:1", field="garden", after=2, author="a", text="first look")
    second = project.events.append(target="case:1", field="garden", before=2, after=3, author="b", reverts=first.id)
    other = project.events.append(target="case:2", field="garden", after=1)
    assert [event.id for event in (first, second, other)] == [first.id, first.id + 1, first.id + 2]
    assert second.previous_hash == first.row_hash
    assert other.previous_hash == second.row_hash
    assert project.events.of("case:1") == [first, second]
    assert project.events.get(first.id) == first
    assert project.events.head() == (other.id, other.row_hash)
    assert project.events.current("case:1", "garden") == 3
    assert project.events.current_of("case:2") == {"garden": 1}
    everything = project.events.since()
    assert everything[0].previous_hash == NO_EVENT_HASH
    columns = {
        "id": first.id, "at": first.at, "author": "a", "target": "case:1", "field": "garden", "before": None,
        "after": "2", "text": "first look", "reverts": None, "previous_hash": first.previous_hash,
    }  # fmt: skip
    assert first.row_hash == row_hash("event", columns)


def test_before_is_filled_in_and_checked(project: ProjectStore) -> None:
    project.events.append(target="t:1", field="f", after=1)
    assert project.events.append(target="t:1", field="f", after=2).before == 1
    with pytest.raises(ValueError, match="changed meanwhile"):
        project.events.append(target="t:1", field="f", before=1, after=3)
    project.events.append(target="t:1", field="f", after=None)
    assert project.events.current("t:1", "f") is None
    assert project.events.current_of("t:1") == {}


def test_rows_are_recorded_by_the_store_only(project: ProjectStore) -> None:
    with pytest.raises(ValueError, match="written with their row"):
        project.events.append(target="view:1", field="created", after="x")


def test_a_clock_that_jumps_back_does_not_matter(tmp_path: Path) -> None:
    times = iter(datetime(2030, 1, 1, tzinfo=UTC) - timedelta(days=day) for day in range(100))
    database = Database.open_writer(tmp_path / "x.db")
    events = EventLog(database, clock=lambda: next(times))
    with database.transaction():
        migrate(database, events)
    for number in range(5):
        events.append(target="t:1", field="f", after=number)
    assert [event.after for event in events.of("t:1")] == [0, 1, 2, 3, 4]
    assert events.current("t:1", "f") == 4
    assert audit_database(database.connection) == []
    database.close()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("fg"), JSON), max_size=12))
def test_any_json_value_comes_back(project: ProjectStore, edits: list[tuple[str, str, object]]) -> None:
    for target, field, value in edits:
        project.events.append(target=f"t:{target}", field=field, after=value)
        assert project.events.current(f"t:{target}", field) == value
    assert audit_database(project.database.connection) == []


class Edits(RuleBasedStateMachine):
    """Random edits through every module: the tables always equal what the events alone say."""

    def __init__(self) -> None:
        super().__init__()
        self.database = _memory_database()
        self.events = EventLog(self.database)
        with self.database.transaction():
            migrate(self.database, self.events)
        self.patients = Patients(self.database, self.events)
        self.studies = Studies(self.database, self.events)
        self.views = Views(self.database, self.events)
        self.cases = Cases(self.database, self.events)
        self.count = 0

    @rule()
    def add_study(self) -> None:
        number = self.count
        self.patients.add(Patient(id=f"P{number}", sex="M"))
        self.studies.add(Study(id=f"S{number}", patient_id=f"P{number}"))
        self.views.add(make_view(f"V{number}", f"S{number}", "0" * 64), header=HEADER, offset=0)
        self.count += 1

    @precondition(lambda self: self.count)
    @rule(data=st.data(), side=st.sampled_from(list(Side)), projection=st.sampled_from([None, *Projection]))
    def confirm(self, data: st.DataObject, side: Side, projection: Projection | None) -> None:
        view = f"V{data.draw(st.integers(0, self.count - 1))}"
        decided = self.views.confirm(view, side=side, projection=projection, author="x")
        assert decided == self.views.get(view)
        assert decided.side.value is side

    @precondition(lambda self: self.count)
    @rule(data=st.data(), is_excluded=st.booleans())
    def exclude(self, data: st.DataObject, is_excluded: bool) -> None:
        view = f"V{data.draw(st.integers(0, self.count - 1))}"
        if is_excluded:
            self.views.exclude(view, "blurred", author="x")
        else:
            self.views.include(view, author="x")

    @precondition(lambda self: self.count)
    @rule(data=st.data(), names=st.sets(st.sampled_from("ab")), side=st.sampled_from([None, Side.LEFT, Side.RIGHT]))
    def compose(self, data: st.DataObject, names: set[str], side: Side | None) -> None:
        number = data.draw(st.integers(0, self.count - 1))
        cases = [
            make_case(f"C{number}{name}", f"S{number}", f"P{number}", f"V{number}", side=side) for name in sorted(names)
        ]
        self.cases.replace_for_study(f"S{number}", cases, author="x")

    @precondition(lambda self: self.cases.count())
    @rule(data=st.data(), status=st.sampled_from(list(ReviewStatus)))
    def set_status(self, data: st.DataObject, status: ReviewStatus) -> None:
        case = data.draw(st.sampled_from(self.cases.all()))
        self.cases.set_status(case.id, status, author="x")

    @precondition(lambda self: self.count)
    @rule(data=st.data(), reason=st.sampled_from(["", "two patients"]))
    def block(self, data: st.DataObject, reason: str) -> None:
        study = f"S{data.draw(st.integers(0, self.count - 1))}"
        if reason:
            self.studies.block(study, reason, author="x")
        else:
            self.studies.unblock(study, author="x")

    @rule()
    def fail(self) -> None:
        head = self.events.head()
        with pytest.raises(ZeroDivisionError), self.database.transaction():  # noqa: PT012
            self.patients.add(Patient(id="never"))
            self.events.append(target="patient:never", field="f", after=1)
            raise ZeroDivisionError
        assert self.events.head() == head

    @invariant()
    def tables_equal_what_the_events_say(self) -> None:
        assert audit_database(self.database.connection) == []
        state = replay(self.events.since())
        stored: list[Case] = self.cases.all()
        assert {f"case:{case.id}": composition(case) for case in stored} == state.compositions
        current = {(row["target"], row["field"]): row["event_id"] for row in self.database.records("current", "")}
        assert current == {key: event_id for key, (_, event_id) in state.current.items()}
        assert not any(field == COMPOSITION for _, field in state.current)

    def teardown(self) -> None:
        self.database.close()


def _memory_database() -> Database:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for pragma in WRITER_PRAGMAS:
        connection.execute(pragma).fetchall()
    return Database(connection)


TestEdits = Edits.TestCase
TestEdits.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
