"""What models are fed of a case, why one cannot be asked, and what the worklist says of their answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.annotation import ALIGNMENT, CROP_VERDICT, REGION, CropVerdict, document_of, reader_target
from app.core.case import Side, ViewFlag, ViewRole
from app.core.counsel import Counsel, LocatedHip, UsableModel
from app.core.finding import ConsultationState, Finding, Gap
from app.core.geometry import Alignment
from app.core.model_input import InputKind, ModelInput, ViewGeometry, input_crop
from app.core.region import RegionBox, RegionMode
from app.core.worklist import AI_FINDING, AI_SCORE, AI_UNCERTAINTY, NONE, Filter, Query, Sort
from app.store.annotations import Annotations
from app.store.consulting import Consultant
from app.store.crops import crop_key
from app.store.located import keep_hip
from app.store.project import ProjectStore
from app.store.worklist.opinions import ModelOpinions, ScoredModel
from tests.support.cards import make_card
from tests.support.projects import HEADER, add_study, make_image, make_view

FRONTAL = (ViewRole.FRONTAL,)
WHOLE = UsableModel(folder="whole", card=make_card("whole"))
ALIGNED = UsableModel(
    folder="aligned",
    card=make_card("aligned", input=ModelInput(kind=InputKind.ALIGNED_CROP, roles=FRONTAL, size_px=32)),
)
FIELD = ModelInput(
    kind=InputKind.REGION_CROP, roles=FRONTAL, size_px=32, region_mode=RegionMode.FIELD, field_mm=6.0,
    is_right_mirrored=True,
)  # fmt: skip
REGIONAL = UsableModel(folder="regional", card=make_card("regional", input=FIELD))
PAIR = UsableModel(
    folder="pair",
    card=make_card("pair", input=ModelInput(kind=InputKind.WHOLE_VIEW, roles=(*FRONTAL, ViewRole.LATERAL), size_px=32)),
)
LOCALISER = UsableModel(folder="localiser", card=make_card("localiser"))
MODELS = (WHOLE, ALIGNED, REGIONAL, PAIR)
CASE, VIEW = "case-1", "view-1"
CLICKS = Alignment(center_xy=(16.0, 12.0), axis_xy=(16.0, 22.0))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[ProjectStore]:
    with ProjectStore.create(tmp_path / "project") as made:
        for number in (1, 2, 3):
            add_study(made, number)
        yield made


@pytest.fixture
def consultant(project: ProjectStore) -> Iterator[Consultant]:
    made = Consultant(project.folder, project.images, project.derived, project.findings)
    yield made
    made.close()


def ask(consultant: Consultant, case_id: str = CASE, **more: object) -> Counsel:
    return consultant.ask(case_id, MODELS, localiser=LOCALISER, **more)  # type: ignore[arg-type]


def gaps(counsel: Counsel) -> dict[str, Gap | None]:
    return {entry.card.id: entry.gap for entry in counsel.consultations}


def annotate(project: ProjectStore, field: str, value: object, *, reader: str = "Ann") -> None:
    annotations = Annotations(project)
    target = reader_target(CASE, reader)
    after = None if value is None else document_of(value)
    annotations.record(CASE, [annotations.change(target, field, after)], author=reader)


def recompose(project: ProjectStore, **changes: object) -> None:
    case = project.cases.get(CASE)
    assert case is not None
    project.cases.add(replace(case, **changes))  # type: ignore[arg-type]


def test_every_model_says_what_it_lacks(project: ProjectStore, consultant: Consultant) -> None:
    counsel = ask(consultant)
    assert gaps(counsel) == {
        "whole": None, "aligned": Gap.NEEDS_CLICKS, "regional": None, "pair": Gap.MISSING_VIEW,
    }  # fmt: skip
    assert counsel.consultations[3].gap_role is ViewRole.LATERAL
    assert [wanted.given.side for wanted in counsel.wanted] == [Side.LEFT]
    assert gaps(consultant.ask(CASE, MODELS))["regional"] is Gap.NEEDS_REGION  # without a localiser
    recompose(project, side=None)
    assert gaps(ask(consultant))["regional"] is Gap.SIDE_OPEN
    recompose(project, blocked_reason="two people")
    assert set(gaps(ask(consultant)).values()) == {Gap.BLOCKED}
    assert ask(consultant, "nobody").consultations == ()


def test_an_image_that_is_not_fit_or_gone_is_not_fed(project: ProjectStore, consultant: Consultant) -> None:
    sha256 = project.images.put(make_image(99))
    partial = replace(make_view("partial", "2.25.1", sha256), flags=frozenset({ViewFlag.PARTIAL}))
    project.views.add(partial, header=HEADER, offset=0)
    recompose(project, frontal_id="partial")
    assert gaps(ask(consultant))["whole"] is Gap.UNFIT_IMAGE
    recompose(project, frontal_id=VIEW)
    view = project.views.get(VIEW)
    assert view is not None
    project.images.path(view.image_sha256).unlink()
    assert gaps(ask(consultant))["whole"] is Gap.UNREADABLE


def test_clicks_of_the_reader_come_first_and_a_rejected_crop_is_not_fed(
    project: ProjectStore, consultant: Consultant
) -> None:
    mine = replace(CLICKS, center_xy=(14.0, 12.0))
    annotate(project, f"{ALIGNMENT}{VIEW}", CLICKS, reader="Ann")
    annotate(project, f"{ALIGNMENT}{VIEW}", mine, reader="Zoe")
    view = project.views.get(VIEW)
    assert view is not None
    geometry = ViewGeometry(rows=view.rows, cols=view.cols, spacing=view.spacing, side=Side.LEFT)

    def fed(reader: str) -> object:
        return ask(consultant, reader=reader).consultations[1].views[0].given.cut

    assert fed("Ann") == input_crop(ALIGNED.card.input, replace(geometry, alignment=CLICKS))
    assert fed("Zoe") == input_crop(ALIGNED.card.input, replace(geometry, alignment=mine))
    assert fed("Nobody") == fed("Ann")
    rejected = CropVerdict(is_approved=False, key=crop_key(CLICKS, view))
    annotate(project, f"{CROP_VERDICT}{VIEW}", rejected, reader="Ann")
    assert fed("Ann") == fed("Zoe")
    annotate(project, f"{ALIGNMENT}{VIEW}", None, reader="Zoe")
    assert gaps(ask(consultant, reader="Ann"))["aligned"] is Gap.CROP_REJECTED


def test_a_located_region_is_a_proposal_until_somebody_draws_one(project: ProjectStore, consultant: Consultant) -> None:
    wanted = ask(consultant).wanted[0]
    keep_hip(project.derived, wanted.key, LocatedHip(center_xy=(15.0, 11.0), confidence=0.8))
    counsel = ask(consultant)
    assert counsel.wanted == ()
    assert [(region.view_id, region.confidence) for region in counsel.located] == [(VIEW, 0.8)]
    proposed = counsel.consultations[2]
    assert proposed.views[0].is_located
    annotate(project, f"{REGION}{VIEW}", counsel.located[0].region)  # accepted as it is: the same input
    accepted = ask(consultant)
    assert accepted.located == ()
    assert not accepted.consultations[2].views[0].is_located
    assert accepted.consultations[2].input_key == proposed.input_key
    annotate(project, f"{REGION}{VIEW}", RegionBox(left=2, top=2, right=20, bottom=20))
    assert ask(consultant).consultations[2].input_key != proposed.input_key


def test_images_are_read_only_when_that_is_allowed(project: ProjectStore, consultant: Consultant) -> None:
    early = ask(consultant, may_read_images=False)
    assert early.is_unprepared
    assert early.consultations[0].input_key == ""
    key = ask(consultant).consultations[0].input_key
    late = ask(consultant, may_read_images=False)
    assert not late.is_unprepared
    assert late.consultations[0].input_key == key


def test_only_what_was_touched_is_worked_out_again(project: ProjectStore, consultant: Consultant) -> None:
    assert consultant.catch_up(MODELS, localiser=LOCALISER)  # for the first time: nothing is known
    assert not consultant.catch_up(MODELS, localiser=LOCALISER)
    for case_id in (CASE, "case-2"):
        answer(project, consultant, case_id, WHOLE, 0.9)
    weights = WHOLE.card.weights_sha256
    assert set(project.findings.scores(weights)) == {CASE, "case-2"}
    annotations = Annotations(project)
    annotations.set_label(CASE, "confidence", 4, author="Ann")
    assert not consultant.catch_up(MODELS, localiser=LOCALISER)  # labels feed no model
    annotate(project, f"{ALIGNMENT}{VIEW}", CLICKS)
    assert consultant.catch_up(MODELS, localiser=LOCALISER)
    assert set(project.findings.scores(weights)) == {CASE, "case-2"}  # the whole view is what it was
    recompose(project, frontal_id=None)
    consultant.catch_up(MODELS, localiser=LOCALISER)
    assert set(project.findings.scores(weights)) == {"case-2"}
    recompose(project, frontal_id=VIEW)
    consultant.catch_up(MODELS, localiser=LOCALISER)
    assert set(project.findings.scores(weights)) == {CASE, "case-2"}  # known still


def answer(project: ProjectStore, consultant: Consultant, case_id: str, model: UsableModel, share: float) -> None:
    """Let a model have said something about a case."""
    entry = next(one for one in ask(consultant, case_id).consultations if one.card is model.card)
    project.findings.put(
        Finding(
            case_id=case_id, model_id=model.card.id, weights_sha256=model.card.weights_sha256,
            input_key=entry.input_key, probabilities=(1 - share, share),
        )
    )  # fmt: skip
    found = next(one for one in ask(consultant, case_id).consultations if one.card is model.card)
    assert found.state is ConsultationState.ANSWERED


def test_the_worklist_is_sorted_and_filtered_by_what_models_say(project: ProjectStore, consultant: Consultant) -> None:
    for case_id, share in ((CASE, 0.95), ("case-2", 0.45)):
        answer(project, consultant, case_id, WHOLE, share)
    task = WHOLE.card.task_id
    opinions = ModelOpinions(
        [ScoredModel(card=WHOLE.card, scores=lambda: project.findings.scores(WHOLE.card.weights_sha256))]
    )
    worklist = project.worklist
    before = [field.name for field in worklist.fields()]
    worklist.use_opinions(opinions)

    def listed(query: Query) -> list[str]:
        return worklist.case_ids(worklist.numbers(query))

    assert [field.name for field in worklist.fields() if field.name not in before] == [
        f"{AI_SCORE}{task}", f"{AI_UNCERTAINTY}{task}", f"{AI_FINDING}{task}",
    ]  # fmt: skip
    assert listed(Query(sort=Sort(f"{AI_UNCERTAINTY}{task}", True))) == ["case-2", CASE, "case-3"]
    assert listed(Query(sort=Sort(f"{AI_SCORE}{task}", True))) == [CASE, "case-2", "case-3"]
    assert listed(Query(filters=(Filter(f"{AI_FINDING}{task}", ("found",)),))) == [CASE]
    assert listed(Query(filters=(Filter(f"{AI_FINDING}{task}", (NONE,)),))) == ["case-3"]
    facet = next(one for one in worklist.facets() if one.field.name == f"{AI_FINDING}{task}")
    assert facet.counts == {"found": 1, "not-found": 1, NONE: 1}
    number = worklist.number_of(CASE)
    assert number is not None
    assert worklist.rows([number])[number].values(f"{AI_SCORE}{task}") == ("0.9500",)
    answer(project, consultant, "case-3", WHOLE, 0.6)
    worklist.use_opinions(opinions)
    assert listed(Query(sort=Sort(f"{AI_UNCERTAINTY}{task}", True))) == ["case-2", "case-3", CASE]
    worklist.use_opinions(None)
    assert [field.name for field in worklist.fields()] == before
    assert listed(Query(filters=(Filter(f"{AI_FINDING}{task}", ("found",)),))) == []  # a saved filter, without models
