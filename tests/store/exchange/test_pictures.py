"""Pictures: pixel for pixel what the project holds; folders that torchvision opens; COCO that its own tools open."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from app.core.export import Content, ExportFormat, ExportRequest, SplitKind, SplitRequest
from app.core.geometry import crop
from app.core.grey_tables import dark_index, display_table
from app.core.voi import choose_voi, computed_windows
from app.store.exchange.image_folder import class_folders
from app.store.exchange.plan import plan_export
from app.store.exchange.tables import read_csv
from app.store.exchange.write import write_export
from app.store.exchange.writer import ExportSource, writer_of
from app.store.project import ProjectStore
from tests.support.data_sets import ANN

SPLIT = SplitRequest(kind=SplitKind.SEED, seed=2, shares=(0.6, 0.0, 0.4))
CROPS = ExportRequest(
    contents=frozenset({Content.ALIGNED_CROPS, Content.REGION_CROPS, Content.IMAGES, Content.LABELS}),
    formats=frozenset({ExportFormat.PNG, ExportFormat.TABLES, ExportFormat.IMAGE_FOLDER, ExportFormat.COCO}),
    split=SPLIT,
    crop_px=64,
    region_px=48,
    licence="CC BY 4.0",
)


@pytest.fixture(scope="module")
def data_set(labelled_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("pictures") / "set"
    with ProjectStore.open(labelled_path, is_read_only=True) as project:
        write_export(project, plan_export(project, CROPS), out)
    return out


def read_png(path: Path) -> np.ndarray[Any, Any]:
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    return pixels


def test_whole_views_are_the_stored_values(data_set: Path, project: ProjectStore) -> None:
    plan = plan_export(project, CROPS)
    for view in plan.pictures:
        pixels = read_png(data_set / "images" / f"{view.id}.png")
        assert pixels.dtype == np.uint16
        assert np.array_equal(pixels, project.images.load(view.image_sha256).pixels)
    assert len(list((data_set / "images").iterdir())) == len(plan.pictures)
    assert not (data_set / "images" / "V-00001-LF.png").exists()


def test_crops_are_what_a_network_is_fed_and_the_table_says_which(data_set: Path, project: ProjectStore) -> None:
    rows = {row["file"]: row for row in read_csv((data_set / "tables" / "crops.csv").read_bytes())}
    found = {str(path.relative_to(data_set)) for path in (data_set / "crops").rglob("*.png")}
    assert set(rows) == found
    for case in plan_export(project, CROPS).cases:
        for cut in case.crops:
            kind = "aligned" if cut.alignment else "region"
            pixels = read_png(data_set / "crops" / kind / f"{cut.name}.png")
            image = project.images.load(cut.view.image_sha256)
            assert np.array_equal(pixels, crop(image.pixels, cut.cut, fill=dark_index(cut.view.grey)))
            assert rows[f"crops/{kind}/{cut.name}.png"]["key"] == cut.key


def test_pngs_hold_nothing_but_pixels(data_set: Path) -> None:
    for path in data_set.rglob("*.png"):
        content, place, names = path.read_bytes(), 8, []
        while place < len(content):
            size = int.from_bytes(content[place : place + 4], "big")
            names.append(content[place + 4 : place + 8])
            place += size + 12
        assert set(names) == {b"IHDR", b"IDAT", b"IEND"}


def test_the_folders_are_parts_and_classes(data_set: Path, project: ProjectStore) -> None:
    plan = plan_export(project, CROPS)
    folder = data_set / "imagefolder"
    assert json.loads((folder / "classes.json").read_text("utf-8")) == {"yes": "yes", "no": "no"}
    of_case = {case.case.id: case for case in plan.cases}
    found = list(folder.rglob("*.png"))
    assert found
    for path in found:
        case = of_case[path.name[:12] if "RIGHT" not in path.name else path.name[:13]]
        assert case.part is not None
        assert (path.parent.parent.name, path.parent.name) == (case.part.value, case.label)
    assert len(found) == sum(bool(case.label) for case in plan.cases for cut in case.crops if cut.alignment)


def test_the_folder_holds_display_levels(data_set: Path, project: ProjectStore) -> None:
    cut = next(cut for case in plan_export(project, CROPS).cases if case.label for cut in case.crops if cut.alignment)
    image = project.images.load(cut.view.image_sha256)
    table = display_table(cut.view.grey, choose_voi(image, cut.view.grey, "auto"), offset=image.offset)
    expected = table.levels[crop(image.pixels, cut.cut, fill=dark_index(cut.view.grey))]
    path = next((data_set / "imagefolder").rglob(f"{cut.name}.png"))
    assert np.array_equal(read_png(path), expected)


def test_torchvision_opens_the_folder(data_set: Path) -> None:
    datasets = pytest.importorskip("torchvision.datasets")
    opened = {part: datasets.ImageFolder(str(data_set / "imagefolder" / part)) for part in ("training", "test")}
    for part, found in opened.items():
        assert found.classes == ["no", "yes"]
        assert len(found) == len(list((data_set / "imagefolder" / part).rglob("*.png")))
        picture, label = found[0]
        assert picture.size == (64, 64)
        assert label in (0, 1)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools and NumPy 2
def test_pycocotools_opens_the_boxes(data_set: Path, project: ProjectStore) -> None:
    coco_module = pytest.importorskip("pycocotools.coco")
    count = 0
    for part in ("training", "test"):
        with contextlib.redirect_stdout(io.StringIO()):
            coco = coco_module.COCO(str(data_set / "coco" / f"instances_{part}.json"))
        for image in coco.loadImgs(coco.getImgIds()):
            pixels = read_png(data_set / "coco" / "images" / image["file_name"])
            assert pixels.shape == (image["height"], image["width"])
            assert pixels.dtype == np.uint8
        names = {each["id"]: each["name"] for each in coco.loadCats(coco.getCatIds())}
        label = {case.case.id: case.label for case in plan_export(project, CROPS).cases}
        for found in coco.loadAnns(coco.getAnnIds()):
            count += 1
            assert names[found["category_id"]] == (label[found["case"]] or "hip")
            mask = coco.annToMask(found)
            assert mask.sum() == pytest.approx(found["area"], rel=0.03)
            assert found["num_keypoints"] == 3
    assert count == 8  # nine hips were read; the pixels of one must not leave


def test_a_box_is_the_region_that_was_drawn(data_set: Path) -> None:
    documents = [json.loads(path.read_text("utf-8")) for path in (data_set / "coco").glob("*.json")]
    found = {each["case"]: each for document in documents for each in document["annotations"]}
    assert found["C-00002-LEFT"]["bbox"] == [32.0, 40.5, 138.0, 169.75]
    assert found["C-00002-LEFT"]["box_source"] == "region"
    assert found["C-00002-LEFT"]["keypoints"][:6] == [92.25, 110.5, 2, 95.0, 180.0, 2]
    assert documents[0]["licenses"][0]["name"] == "CC BY 4.0"


def test_words_from_outside_name_no_folder(project: ProjectStore) -> None:
    plan = plan_export(project, CROPS)
    strange = replace(plan, classes=("yes", "../../etc", "Müller, Hans"))
    assert class_folders(strange) == {"yes": "yes", "../../etc": "class-2", "Müller, Hans": "class-3"}


def test_whole_views_of_two_different_hips_have_no_folder(project: ProjectStore) -> None:
    request = replace(CROPS, contents=frozenset({Content.IMAGES, Content.LABELS}), split=SplitRequest())
    plan = plan_export(project, request)
    left, right = (next(case for case in plan.cases if case.case.id == f"C-00002-{side}") for side in ("LEFT", "RIGHT"))
    pelvis = left.views[0]
    both = replace(plan, cases=(replace(left, views=(pelvis,)), replace(right, views=(pelvis,))))
    writer = writer_of(ExportFormat.IMAGE_FOLDER)
    assert left.label != right.label
    assert any("two hips" in note for note in writer.notes(both))
    paths = [file.path for file in writer.files(both, ExportSource(project=project))]
    assert paths == ["imagefolder/classes.json"]


def test_of_two_readers_the_first_ones_crop_is_taken(project: ProjectStore) -> None:
    plan = plan_export(project, replace(CROPS, has_unapproved_crops=True))
    writer = writer_of(ExportFormat.IMAGE_FOLDER)
    files = writer.files(plan, ExportSource(project=project))
    paths = [file.path for file in files if file.path.endswith(".png")]
    assert plan.readers[0] == ANN
    assert all(path.endswith("_r1.png") for path in paths)
    assert any("further readers" in note for note in writer.notes(plan))


def test_a_class_that_a_part_lacks_is_told(project: ProjectStore) -> None:
    plan = plan_export(project, replace(CROPS, split=replace(SPLIT, seed=1)))
    notes = writer_of(ExportFormat.IMAGE_FOLDER).notes(plan)
    assert any("test has no picture of yes" in note for note in notes)


def test_a_window_that_was_kept_gives_the_same_pictures(project: ProjectStore) -> None:
    for view in plan_export(project, CROPS).pictures[:3]:
        image = project.images.load(view.image_sha256)
        assert computed_windows(image, view.grey)["auto"] == choose_voi(image, view.grey, "auto")
