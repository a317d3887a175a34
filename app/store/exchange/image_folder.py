"""A folder for each part and class, as torchvision's ImageFolder and many others read them."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from app.core.export import Content, SplitKind
from app.core.export_plan import ExportCase, ExportCrop, ExportPlan
from app.core.split import Part
from app.store.exchange.pictures import shown_crop_png, shown_view_png
from app.store.exchange.writer import ExportSource, OutputFile

FOLDER = "imagefolder"
CLASSES_JSON = "classes.json"
WHOLE, UNASSIGNED = "all", "unassigned"  # folder without a split; of cases that the split does not know
_PLAIN = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


Picture: TypeAlias = tuple[str, str, ExportCase, ExportCrop | str]  # part, class folder, case, crop or view id


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sorted:
    """Pictures by folder, and what could not be sorted."""

    pictures: list[Picture]
    second_readers: int = 0
    both_hips: int = 0


class ImageFolderWriter:
    """Display levels, 8 bit: most loaders of such folders read nothing else."""

    def files(self, plan: ExportPlan, source: ExportSource) -> Iterator[OutputFile]:
        """The names of the classes, then the pictures by part, class and name."""
        document = json.dumps(class_folders(plan), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
        yield OutputFile(path=f"{FOLDER}/{CLASSES_JSON}", content=lambda: [document.encode("utf-8")])
        views = {view.id: view for view in plan.pictures}
        windows = {view.id: source.kept_window(view) for view in plan.pictures}
        for part, label, case, picture in _sorted(plan).pictures:
            if isinstance(picture, str):
                view, name = views[picture], f"{case.case.id}_{picture}"
                content = partial(shown_view_png, source, view, windows.get(view.id))
            else:
                view, name = picture.view, picture.name
                content = partial(shown_crop_png, source, picture, windows.get(view.id))
            yield OutputFile(path=f"{FOLDER}/{part}/{label}/{name}.png", content=content, about=f"The view {view.id}")

    def notes(self, plan: ExportPlan) -> tuple[str, ...]:
        """What has no place in a folder of one class."""
        found, notes = _sorted(plan), []
        if found.second_readers:
            notes.append(
                f"ImageFolder: {found.second_readers} crops of further readers are left out; of each view the crop of "
                "the first reader by name is there, once."
            )
        if found.both_hips:
            notes.append(
                f"ImageFolder: {found.both_hips} views show two hips of different classes and are left out; crops "
                "would show one."
            )
        if not found.pictures:
            notes.append("ImageFolder: there is no picture in it; no case has a class and a picture that may leave.")
        present = defaultdict(set)
        for part, label, _, _ in found.pictures:
            present[part].add(label)
        wanted = set(class_folders(plan).values())
        for part, labels in present.items():
            if missing := wanted - labels:
                notes.append(
                    f"ImageFolder: {part} has no picture of {', '.join(sorted(missing))}; loaders that number classes "
                    f"by folder number them differently there. `{CLASSES_JSON}` names them all."
                )
        return tuple(notes)

    def guide(self) -> str:
        """Where the folders are."""
        return (
            f"`{FOLDER}/PART/CLASS/*.png`, 8 bit, display levels in the automatic window (0 black, negatives turned "
            f"round); `torchvision.datasets.ImageFolder('{FOLDER}/training')` opens a part. `{FOLDER}/{CLASSES_JSON}` "
            "says which folder stands for which class."
        )


def class_folders(plan: ExportPlan) -> dict[str, str]:
    """Class -> name of its folder: its own id in the label set, else a number; never words from outside."""
    field = plan.label_set.field(plan.label_field)
    known = {choice.id for choice in field.choices} if field else set()
    width = len(str(len(plan.classes)))
    return {
        label: label if label in known and _PLAIN.fullmatch(label) else f"class-{number:0{width}}"
        for number, label in enumerate(plan.classes, start=1)
    }


def part_folder(plan: ExportPlan, part: Part | None) -> str:
    """The name of a part's folder or file."""
    if part is not None:
        return part.value
    return WHOLE if plan.request.split.kind is SplitKind.NONE else UNASSIGNED


def _sorted(plan: ExportPlan) -> _Sorted:
    folders = class_folders(plan)
    pictures: list[Picture] = []
    second_readers = 0
    labels_of: defaultdict[str, set[str]] = defaultdict(set)
    if plan.request.picture is Content.IMAGES:
        for case in plan.cases:
            for view in case.pictures:
                labels_of[view.id].add(case.label)
    seen: set[str] = set()
    for case in plan.cases:
        if not case.label:
            continue
        place = part_folder(plan, case.part), folders[case.label]
        if plan.request.picture is Content.IMAGES:
            for view in case.pictures:
                if len(labels_of[view.id]) == 1 and view.id not in seen:
                    seen.add(view.id)
                    pictures.append((*place, case, view.id))
            continue
        of_view: set[str] = set()
        for cut in sorted(case.crops, key=lambda cut: (cut.view.id, cut.reader)):
            if cut.content is not plan.request.picture:
                continue
            if cut.view.id in of_view:
                second_readers += 1
                continue
            of_view.add(cut.view.id)
            pictures.append((*place, case, cut))
    both = sum(len(labels - {""}) > 0 and len(labels) > 1 for labels in labels_of.values())
    pictures.sort(key=lambda each: (each[0], each[1], each[2].case.id, str(each[3])))
    return _Sorted(pictures=pictures, second_readers=second_readers, both_hips=both)
