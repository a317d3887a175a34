"""The worklist answers what the project says, whatever happens to the project or to the index."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.case import Projection, ReviewStatus, Side
from app.core.worklist import FIELDS, Filter, Operator, Query, Sort, parse_filter
from app.store.project import ProjectStore
from app.store.resolve import exclude_view, include_view, resolve_view
from app.store.worklist.worklist import Worklist, unknown_fields
from tests.support.many_cases import make_many_cases
from tests.support.naive_worklist import answer, counts, facts

CASES = 60
HOSTILE = (
    '"', "'", '""', "AND", "OR NOT", "NEAR(a b, 2)", "a* OR", "col:x", "words:a", "^a", "a - b", "-", "+a", "(", ")",
    "a AND (b", "{a b}:c", "*", "p*", "\\", "%", "_", ";--", "' OR 1=1 --", "\x00", "a\x00b", "\ud800", "é̀ Ü", "﷽",
    "🦴 hip", "a" * 5000, " ".join(["p"] * 500), "null", "1e9", "ｐ", "\u202eabc", "text : p", "rank", "İ", "ß", "x1f",
)  # fmt: skip


def listed(worklist: Worklist, query: Query) -> list[str]:
    """The cases of a query by their identifiers."""
    return worklist.case_ids(worklist.numbers(query))


def check(project: ProjectStore, worklist: Worklist, queries: list[Query]) -> None:
    """Compare every answer with the slow one."""
    known = facts(project)
    for query in queries:
        assert listed(worklist, query) == answer(known, query), query
        for facet in worklist.facets(query):
            assert facet.is_cut or facet.counts == counts(known, query, facet.field.name), facet.field.name
    assert worklist.count() == len(known)


def some_queries(worklist: Worklist, choose: random.Random, count: int) -> list[Query]:
    """Random questions about what is there, and about what is not."""
    fields = [field.name for field in worklist.fields() if field.name != "changed"]
    sortable = [field.name for field in worklist.fields() if field.is_sortable and field.name != "changed"]
    rows = list(worklist.rows(worklist.numbers()).values())
    result = []
    for _ in range(count):
        filters = []
        for name in choose.sample(fields, choose.choice((0, 0, 1, 1, 2, 3))):
            pool = sorted({value for row in rows for value in row.values(name)} | {"", "nothing", "2020", "0.5"})
            operator = choose.choice(list(Operator))
            is_bound = operator in (Operator.AT_LEAST, Operator.AT_MOST)
            values = tuple(choose.sample(pool, 1 if is_bound else choose.choice((1, 1, 2))))
            if not is_bound or values[0]:
                filters.append(Filter(name, values, operator))
        parts = ("neck", "n", "p", "lef", "2", "open", "loss", "uber", "C", "garden iii", "repeat", "zz")
        words = [choose.choice(parts) for _ in range(choose.choice((0, 0, 1, 2)))]
        sort = choose.choice([Sort().field, *sortable])
        result.append(Query(" ".join(words), tuple(filters), Sort(sort, choose.random() < 0.5)))
    return result


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed project of invented hips."""
    path = tmp_path_factory.mktemp("worklist") / "project"
    make_many_cases(path, CASES, seed=5)
    return path


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Iterator[ProjectStore]:
    """A copy of it, open."""
    import shutil

    shutil.copytree(made, tmp_path / "project")
    with ProjectStore.open(tmp_path / "project") as store:
        yield store


def change_something(project: ProjectStore, choose: random.Random) -> None:
    """One thing that people do."""
    case = choose.choice(project.cases.all())
    match choose.randrange(8):
        case 0:
            project.cases.set_status(case.id, choose.choice(list(ReviewStatus)), author="a")
        case 1:
            reader = choose.choice(("", "@Anna", "@Bo"))
            value = choose.choice(("I", "II", 3, 0.25, True, ["x", "y"], None))
            field = choose.choice(("label.garden", "label.score", "label.new"))
            project.events.append(target=f"case:{case.id}{reader}", field=field, after=value, author="a")
        case 2:
            text = choose.choice(({"text": "Überlagerung"}, None))
            project.events.append(target=f"case:{case.id}", field="comment.1", after=text, author="a")
        case 3 if case.view_ids:
            resolve_view(project, choose.choice(case.view_ids), side=choose.choice((Side.LEFT, Side.RIGHT)), author="a")
        case 4 if case.view_ids:
            projection = choose.choice(list(Projection))
            resolve_view(project, choose.choice(case.view_ids), projection=projection, author="a")
        case 5 if case.view_ids:
            exclude_view(project, choose.choice(case.view_ids), reason="repeat", author="a")
        case 6:
            excluded = [view for view in project.views.all() if view.excluded_reason]
            if excluded:
                include_view(project, choose.choice(excluded).id, author="a")
        case _:
            project.events.append(
                target=f"case:{case.id}", field="assigned", after=choose.choice(("Anna", None)), author="a"
            )


def test_every_answer_is_that_of_a_plain_search_through_the_project(project: ProjectStore) -> None:
    choose = random.Random(1)
    worklist = project.worklist
    names = [field.name for field in worklist.fields() if field.is_sortable and field.name != "changed"]
    every = [Query(sort=Sort(name, is_down)) for name in names for is_down in (False, True)]
    check(project, worklist, [Query(), *every, *some_queries(worklist, choose, 120)])


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_answers_follow_every_change_at_once(project: ProjectStore, seed: int) -> None:
    choose = random.Random(seed)
    for _ in range(6):
        change_something(project, choose)
        check(project, project.worklist, some_queries(project.worklist, choose, 4))


def test_readers_disagree_about_what_is_asked_and_a_choice(project: ProjectStore) -> None:
    case = project.cases.all()[3]
    disputed = {}
    for field in ("label.new", "label.score", "label.garden"):
        for reader, value in (("Anna", "I"), ("Bo", "II")):
            project.events.append(target=f"case:{case.id}@{reader}", field=field, after=value, author=reader)
        check(project, project.worklist, [Query()])
        counted = {facet.field.name: facet.counts for facet in project.worklist.facets()}
        disputed[field] = (counted["disagreement"].get("yes", 0), counted["adjudication"].get("waiting", 0))
    assert disputed == {"label.new": (0, 0), "label.score": (0, 0), "label.garden": (1, 1)}


def test_facets_may_be_the_first_question(project: ProjectStore) -> None:
    found = {facet.field.name: facet.counts for facet in project.worklist.facets()}
    assert found["status"] == counts(facts(project), Query(), "status")


def test_the_newest_change_comes_first(project: ProjectStore) -> None:
    cases = [case.id for case in project.cases.all()]
    for case_id in (cases[3], cases[7], cases[1]):
        project.events.append(target=f"case:{case_id}@Bo", field="label.garden", after="I", author="Bo")
    assert listed(project.worklist, Query(sort=Sort("changed", True)))[:3] == [cases[1], cases[7], cases[3]]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_somebody_types_is_a_mistake(project: ProjectStore, text: str) -> None:
    known = facts(project)
    assert listed(project.worklist, Query(text)) == answer(known, Query(text))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=40))
def test_any_text_can_be_searched(project: ProjectStore, text: str) -> None:
    listed(project.worklist, Query(text))
    project.worklist.numbers(Query(filters=(Filter("patient", (text,)), Filter("label.x", (text,), Operator.IS_NOT))))


@given(text=st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_was_written_is_found(project: ProjectStore, text: str) -> None:
    first = project.cases.all()[0]
    project.events.append(target=f"case:{first.id}", field="comment.7", after={"text": text}, author="a")
    assert first.id in listed(project.worklist, Query(text))


def test_an_index_that_fits_is_used_again_and_brought_up_to_date(made: Path, tmp_path: Path) -> None:
    import shutil

    path = tmp_path / "project"
    shutil.copytree(made, path)
    with ProjectStore.open(path) as project:
        before = project.worklist.numbers().tolist()
        written = (path / "cache" / "worklist.db").stat().st_ino
    with ProjectStore.open(path) as project:
        case = project.cases.all()[2]
        project.cases.set_status(case.id, ReviewStatus.SECOND_LOOK, author="a")
    with ProjectStore.open(path) as project:
        assert case.id in listed(project.worklist, Query(filters=(parse_filter("status=second-look"),)))
        assert project.worklist.numbers().tolist() == before
        assert project.worklist.generation == 0
        assert (path / "cache" / "worklist.db").stat().st_ino == written


@pytest.mark.parametrize("damage", ["gone", "text", "empty", "header", "middle", "other project", "folder"])
def test_an_index_that_does_not_fit_is_made_anew(project: ProjectStore, tmp_path: Path, damage: str) -> None:
    worklist = project.worklist
    right = listed(worklist, Query(sort=Sort("patient")))
    worklist.close()
    project._worklist = None
    file = project.folder.cache / "worklist.db"
    match damage:
        case "gone":
            file.unlink()
        case "text":
            file.write_text("this is no database")
        case "empty":
            file.write_bytes(b"")
        case "header" | "middle":
            content = bytearray(file.read_bytes())
            start = 16 if damage == "header" else 4096
            content[start : start + 200] = random.Random(1).randbytes(200)
            file.write_bytes(content)
        case "other project":
            make_many_cases(tmp_path / "other", 12, seed=9)
            with ProjectStore.open(tmp_path / "other") as other:
                other.worklist.count()
            file.write_bytes((tmp_path / "other" / "cache" / "worklist.db").read_bytes())
        case _:
            file.unlink()
            file.mkdir()
    assert listed(project.worklist, Query(sort=Sort("patient"))) == right
    check(project, project.worklist, some_queries(project.worklist, random.Random(2), 10))


def test_damage_while_it_is_open_is_noticed_by_the_next_question(project: ProjectStore) -> None:
    worklist = project.worklist
    right = listed(worklist, Query())
    worklist._index.connection.execute("DROP TABLE item")
    worklist._forget()
    assert listed(worklist, Query()) == right
    assert worklist.generation == 2


def test_a_reader_answers_from_memory_and_leaves_the_file_alone(project: ProjectStore) -> None:
    project.worklist.count()
    file = project.folder.cache / "worklist.db"
    with ProjectStore.open(project.folder.path, is_read_only=True) as reader:
        before = sorted((path.name, path.stat().st_mtime_ns) for path in project.folder.cache.iterdir())
        right = listed(project.worklist, Query(sort=Sort("date")))
        assert listed(reader.worklist, Query(sort=Sort("date"))) == right
        case = project.cases.all()[0]
        project.cases.set_status(case.id, ReviewStatus.REVIEWED, author="a")  # the writer goes on
        reviewed = Query(filters=(parse_filter("status=reviewed"),))
        assert case.id in listed(reader.worklist, reviewed)
        assert sorted((path.name, path.stat().st_mtime_ns) for path in project.folder.cache.iterdir()) == before
    file.write_text("damaged")
    with ProjectStore.open(project.folder.path, is_read_only=True) as reader:
        assert reader.worklist.count() == CASES
    assert file.read_text() == "damaged"


def test_what_is_taken_back_was_never_listed(project: ProjectStore) -> None:
    worklist = project.worklist
    case = project.cases.all()[0]
    query = Query(filters=(parse_filter("label.garden=XX"),))
    with pytest.raises(ZeroDivisionError), project.transaction():  # noqa: PT012
        project.events.append(target=f"case:{case.id}", field="label.garden", after="XX", author="a")
        assert listed(worklist, query) == []
        raise ZeroDivisionError
    assert listed(worklist, query) == []
    assert worklist.generation == 0


def test_a_restored_past_is_another_chain(project: ProjectStore) -> None:
    worklist = project.worklist
    worklist.count()
    with sqlite3.connect(project.folder.cache / "worklist.db") as other:
        other.execute("UPDATE head SET event_hash = zeroblob(32), event_id = event_id - 1")
    other.close()
    assert worklist.catch_up()
    assert worklist.generation == 1


def test_names_that_no_field_has(project: ProjectStore) -> None:
    query = Query(filters=(parse_filter("colour=red"), parse_filter("status=new")), sort=Sort("label.none"))
    assert unknown_fields(query, project.worklist.fields()) == ["colour", "label.none"]
    assert listed(project.worklist, Query(filters=(parse_filter("label.none=1"),))) == []


def test_readers_are_offered_when_there_are_two(project: ProjectStore) -> None:
    case = project.cases.all()[0]
    names = {field.name for field in FIELDS}
    project.events.append(target=f"case:{case.id}@Anna", field="label.garden", after="I", author="Anna")
    assert not any(field.is_reading for field in project.worklist.fields())
    project.events.append(target=f"case:{case.id}@Bo", field="label.garden", after="II", author="Bo")
    found = {field.name for field in project.worklist.fields()} - names
    assert {"label.garden", "label.garden@Anna", "label.garden@Bo"} <= found
    assert listed(project.worklist, Query(filters=(parse_filter("disagreement=yes"),))) == [case.id]


def test_an_empty_project_has_an_empty_worklist(tmp_path: Path) -> None:
    with ProjectStore.create(tmp_path / "empty") as project:
        assert project.worklist.count() == 0
        assert listed(project.worklist, Query("x", (parse_filter("status=new"),), Sort("date"))) == []
        assert project.worklist.facets() == []
