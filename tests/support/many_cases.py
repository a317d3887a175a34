"""Large projects for the worklist: invented hips of which no file was ever imported, made in seconds.

python -m tests.support.many_cases FOLDER [CASES] [PROJECT WITH IMAGES]
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.core.case import Assessment, Case, Certainty, Patient, Projection, ReviewStatus, Side, Study, View, ViewFlag
from app.core.event import Json, target_of
from app.core.grey import GreyScale, Photometric, StoredImage
from app.core.spacing import Spacing, SpacingSource
from app.store.project import ProjectStore

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SPACINGS = (
    Spacing(row_mm=0.2, col_mm=0.2, source=SpacingSource.CALIBRATED, is_trusted=True),
    Spacing(row_mm=0.143, col_mm=0.143, source=SpacingSource.DETECTOR),
    Spacing(),
)
GREY = GreyScale(photometric=Photometric.MONOCHROME2, bits_stored=12)
COMMENTS = ("Second opinion, please: the lateral is rotated", "Überlagerung durch Gips", "Discussed in the meeting",
            "L'incidence de profil manque", "repeat requested")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An image that many views share.

    Args:
        image: its stored values.
        grey: how they are read.
        is_frontal: which place it goes to.
    """

    image: StoredImage
    grey: GreyScale
    is_frontal: bool


def make_many_cases(
    path: Path, cases: int, *, seed: int = 1, pictures: Sequence[Picture] = (), is_shared: bool = False
) -> None:
    """A closed project with so many cases: two in three are pairs, one in twenty has questions, half have labels.

    Args:
        path: the new project.
        cases: how many.
        seed: the same seed makes the same cases.
        pictures: what their views show.
        is_shared: let all cases have the views of the first fifty, which no real project has, and is made much faster.
    """
    choose = random.Random(seed)
    blank = StoredImage(pixels=np.full((40, 32), 7, np.uint16))
    pictures = pictures or [Picture(image=blank, grey=GREY, is_frontal=is_frontal) for is_frontal in (True, False)]
    with ProjectStore.create(path, name=f"{cases:,} hips") as project:
        shelf = {letter: [(project.images.put(picture.image), picture) for picture in pictures
                          if picture.is_frontal == (letter == "F")] for letter in "FL"}  # fmt: skip
        maker = _Maker(project, choose, shelf)
        with project.transaction():
            for number in range(cases):
                maker.add(number, is_shared=is_shared and number >= 50)


def pictures_of(path: Path, *, limit: int = 40) -> list[Picture]:
    """Images of the pairs of a project."""
    found: list[Picture] = []
    with ProjectStore.open(path, is_read_only=True) as project:
        for case in project.cases.all():
            views = [project.views.get(name) if name else None for name in (case.frontal_id, case.lateral_id)]
            for view, is_frontal in zip(views, (True, False), strict=True):
                if view is not None and len(found) < limit:
                    image = project.images.load(view.image_sha256)
                    found.append(Picture(image=image, grey=view.grey, is_frontal=is_frontal))
    return found


class _Maker:
    """Invents cases in one project.

    Args:
        project: where they go.
        choose: where chance comes from.
        shelf: images of the project for each letter, F and L.
    """

    def __init__(
        self, project: ProjectStore, choose: random.Random, shelf: dict[str, list[tuple[str, Picture]]]
    ) -> None:
        self._project = project
        self._choose = choose
        self._shelf = shelf
        self._made: list[dict[str, str]] = []  # letter -> view, of every study

    def add(self, number: int, *, is_shared: bool) -> None:
        """One more case, with a patient of its own; with a study and views of its own or of an earlier one."""
        choose, project = self._choose, self._project
        patient, case_id = f"P-{_code(choose, number)}", f"C-{_code(choose, number)}"
        project.patients.add(Patient(id=patient, sex=choose.choice("FM")))
        side = choose.choice((Side.LEFT, Side.RIGHT)) if choose.random() < 0.96 else None
        earlier = choose.randrange(len(self._made)) if is_shared else number
        study = f"2.25.{earlier + 1}"
        if not is_shared:
            self._made.append(self._add_study(number, study, patient, side))
        placed = self._made[earlier]
        case = Case(
            id=case_id,
            study_id=study,
            patient_id=patient,
            side=side,
            frontal_id=placed.get("F"),
            lateral_id=placed.get("L"),
            questions=() if side else (f"{next(iter(placed.values()))}: which hip is it?",),
            status=choose.choices(list(ReviewStatus), weights=(6, 3, 3, 1, 1))[0],
            blocked_reason="Two images seem to be of different patients." if choose.random() < 0.002 else "",
        )
        project.cases.add(case, author="generator")
        for field, value in self._labels():
            project.events.append(target=target_of("case", case_id), field=field, after=value, author="generator")

    def _add_study(self, number: int, study: str, patient: str, side: Side | None) -> dict[str, str]:
        choose = self._choose
        day = f"{choose.randint(2015, 2026)}-{choose.randint(1, 12):02d}-{choose.randint(1, 28):02d}"
        self._project.studies.add(Study(id=study, patient_id=patient, date=day if choose.random() < 0.97 else ""))
        placed = {}
        for letter in choose.choice(("FL", "FL", "FL", "FL", "F", "L")):
            address, picture = choose.choice(self._shelf[letter])
            lateral = choose.choice((Projection.LATERAL, Projection.FROG_LEG, Projection.CROSS_TABLE))
            rows, cols = picture.image.pixels.shape
            view = View(
                id=f"V-{_code(choose, number)}-{letter}",
                study_id=study,
                image_sha256=address,
                rows=rows,
                cols=cols,
                projection=_known(Projection.FRONTAL if letter == "F" else lateral),
                side=_known(side),
                spacing=choose.choice(SPACINGS),
                grey=picture.grey,
                flags=frozenset({ViewFlag.LOSSY}) if choose.random() < 0.1 else frozenset(),
            )
            self._project.views.add(view, header={}, offset=picture.image.offset)
            placed[letter] = view.id
        return placed

    def _labels(self) -> Iterator[tuple[str, Json]]:
        choose = self._choose
        if choose.random() < 0.5:
            kind = choose.choice(("none", "neck", "trochanteric", "subtrochanteric", "shaft"))
            yield "label.fracture", kind
            if kind == "neck":
                yield "label.garden", choose.choice(("I", "II", "III", "IV"))
        if choose.random() < 0.3:
            yield "label.score", round(choose.random(), 3)
        if choose.random() < 0.02:
            yield "comment", choose.choice(COMMENTS)


def _known(value: Projection | Side | None) -> Assessment:  # type: ignore[type-arg]
    return Assessment(value=value, certainty=Certainty.UNKNOWN if value is None else Certainty.EVIDENT)


def _code(choose: random.Random, number: int) -> str:
    """A code like a pseudonym's, and no other number's."""
    letters = "".join(choose.choices(ALPHABET, k=4))
    return f"{letters}{ALPHABET[number // 1024 % 32]}-{number:06d}"


def main() -> None:
    """The command line."""
    path, cases, others = Path(sys.argv[1]), int((sys.argv[2:] or ["100000"])[0]), sys.argv[3:]
    make_many_cases(path, cases, pictures=pictures_of(Path(others[0])) if others else ())


if __name__ == "__main__":
    main()
