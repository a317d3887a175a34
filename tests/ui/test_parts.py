"""The parts of the window one by one: contrast, commands, words, window drags, errors, the loader."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtWidgets import QMainWindow

from app.core.case import Assessment, Certainty, Evidence, Projection, Side, View, ViewFlag
from app.core.errors import UserError
from app.core.grey import GreyScale, Lut, Photometric, StoredImage, Window
from app.core.spacing import Spacing, SpacingSource
from app.ui.captions import evidence_text, patient_directions, spacing_lines
from app.ui.command_set import CommandSet
from app.ui.commands.table import COMMANDS
from app.ui.crash import crash_report
from app.ui.loader import ImageKey, ImageLoader, PreparedImage, prepare
from app.ui.window_level import Shown, dragged, first_shown, preset, table_for
from tests.support.window import GREY, flat_image, known, wait, wait_until


def test_no_two_commands_share_a_key_and_each_has_a_tip() -> None:
    keys = [key for command in COMMANDS for key in command.shortcuts]
    assert len(keys) == len(set(keys))
    assert len({command.id for command in COMMANDS}) == len(COMMANDS)
    assert all(command.tip for command in COMMANDS)


def test_a_command_without_an_effect_is_refused_and_tips_name_the_key() -> None:
    window = QMainWindow()
    with pytest.raises(KeyError):
        CommandSet(window, {})
    window = QMainWindow()
    commands = CommandSet(window, {command.id: lambda _: None for command in COMMANDS})
    assert commands.actions["fit"].toolTip().endswith("(Ctrl+0)")
    commands.enable(frozenset({"cases"}))
    assert commands.actions["next"].isEnabled()
    assert not commands.actions["frontal"].isEnabled()


def view(**more: object) -> View:
    base = View(id="V", study_id="S", image_sha256="0" * 64, rows=10, cols=10, projection=known(Projection.FRONTAL),
                side=known(Side.LEFT), spacing=Spacing(), grey=GREY)  # fmt: skip
    return replace(base, **more)


def test_patient_directions_come_from_the_object_or_are_marked_as_unverified() -> None:
    assert patient_directions(view(orientation=("A", "FL"))) == (("A", "FL"), True)
    assert patient_directions(view()) == (("L", ""), False)
    assert patient_directions(view(projection=known(Projection.FROG_LEG))) == ((), True)
    assert patient_directions(view(projection=known(None))) == ((), False)


def test_a_doubtful_length_scale_is_marked() -> None:
    trusted = spacing_lines(Spacing(row_mm=0.2, col_mm=0.2, source=SpacingSource.CALIBRATED, is_trusted=True))
    assert [(line.text, line.tone) for line in trusted] == [("0.200 mm/px", "text"), ("calibrated", "text")]
    doubtful = spacing_lines(Spacing(row_mm=1.0, col_mm=1.0, source=SpacingSource.PIXEL_SPACING))
    assert doubtful[0].text == "Not trusted for lengths"
    assert {line.tone for line in doubtful} == {"caution"}
    assert "px" in spacing_lines(Spacing())[0].text


def test_every_flag_has_words() -> None:
    from app.ui.captions import FLAG_LINES, SOURCE_WORDS

    # what burnt-in text there may be is said by whether the image may leave (RELEASE_LINES)
    assert set(FLAG_LINES) == set(ViewFlag) - {ViewFlag.MAY_HAVE_TEXT}
    assert set(SOURCE_WORDS) == set(SpacingSource)


def test_evidence_is_told_with_its_source() -> None:
    piece = Evidence(source="View Position", found="AP", says="frontal", rank=2)
    assessment = Assessment(value=Projection.FRONTAL, certainty=Certainty.EVIDENT, evidence=(piece,))
    assert evidence_text(assessment) == "View Position “AP” → frontal"


def prepared(grey: GreyScale = GREY) -> PreparedImage:
    pixels = np.tile(np.linspace(100, 3900, 200).astype(np.uint16), (200, 1))
    return prepare(ImageKey(sha256="0" * 64, grey=grey), lambda _: StoredImage(pixels=pixels))


@pytest.mark.parametrize("photometric", list(Photometric))
@pytest.mark.parametrize("is_inverted", [False, True])
def test_dragging_up_is_brighter_and_right_is_wider_whichever_way_round(
    photometric: Photometric, is_inverted: bool
) -> None:
    image = prepared(replace(GREY, photometric=photometric))
    shown = replace(first_shown(image), is_inverted=is_inverted)
    brighter = dragged(image, shown, 0, -40)
    mean = [table_for(image, state).levels[image.image.pixels].mean() for state in (shown, brighter)]
    assert mean[1] > mean[0] + 5
    wider = dragged(image, shown, 50, 0)
    assert isinstance(wider.voi, Window)
    assert wider.voi.width == pytest.approx(image.auto.width * 1.004**50)
    assert wider.voi.center == image.auto.center
    assert wider.name == "manual"


def test_a_drag_never_loses_the_image() -> None:
    image = prepared()
    shown = first_shown(image)
    for dx, dy in ((-100000, 0), (100000, 0), (0, 100000), (0, -100000)):
        voi = dragged(image, shown, dx, dy).voi
        assert isinstance(voi, Window)
        assert 0 < voi.width < 1e6
        assert image.modality.values.min() <= voi.center <= image.modality.values.max()


def test_a_drag_from_a_voi_lut_starts_from_its_range() -> None:
    lut = Lut(first=500, entries=tuple(range(0, 2000, 2)), bits=12)
    image = prepared(replace(GREY, voi=(lut,)))
    shown = preset(image, first_shown(image), "file")
    assert shown.voi == lut
    after = dragged(image, shown, 0, 0)
    assert isinstance(after.voi, Window)
    assert (after.voi.center, after.voi.width) == (1000, 1000)
    assert "VOI LUT" in shown.text
    assert Shown(voi=Window(center=0.25, width=1.5)).text == "C 0.25  W 1.5 · auto"


def test_the_loader_reports_each_image_once_in_order_and_forgets_what_is_not_wanted() -> None:
    gate = threading.Event()
    asked: list[str] = []

    def load(sha256: str) -> StoredImage:
        asked.append(sha256)
        gate.wait(10)
        return flat_image(int(sha256))

    loader = ImageLoader(load)
    done: list[str] = []
    loader.ready.connect(lambda key, _: done.append(key.sha256))
    loader.want(ImageKey(sha256=str(n), grey=GREY) for n in range(6))
    loader.want([ImageKey(sha256="9", grey=GREY)])  # 0 and 1 are being decoded; 2–5 are forgotten
    gate.set()
    wait_until(lambda: {"0", "1", "9"} <= set(done))  # whichever of the two threads gets on first
    wait(20)
    assert sorted(done) == ["0", "1", "9"]
    assert sorted(asked) == ["0", "1", "9"]
    assert loader.cached(ImageKey(sha256="9", grey=GREY)) is not None
    loader.close()


def test_the_loader_passes_on_why_an_image_cannot_be_had() -> None:
    def load(sha256: str) -> StoredImage:
        raise UserError("An image is missing.", kind="image-missing")

    loader = ImageLoader(load)
    results: list[object] = []
    loader.ready.connect(lambda _, result: results.append(result))
    loader.want([ImageKey(sha256="1", grey=GREY)])
    wait_until(lambda: bool(results))
    assert isinstance(results[0], UserError)
    assert loader.cached(ImageKey(sha256="1", grey=GREY)) is None
    loader.close()


def test_a_closed_loader_reports_nothing_more() -> None:
    gate = threading.Event()

    def load(sha256: str) -> StoredImage:
        gate.wait(10)
        return flat_image(1)

    loader = ImageLoader(load)
    done: list[object] = []
    loader.ready.connect(lambda key, _: done.append(key))
    loader.want([ImageKey(sha256="1", grey=GREY)])
    threading.Timer(0.05, gate.set).start()
    loader.close()
    wait(50)
    assert done == []


def test_the_same_values_read_in_another_way_are_another_image() -> None:
    other = replace(GREY, photometric=Photometric.MONOCHROME1)
    assert ImageKey(sha256="1", grey=GREY) != ImageKey(sha256="1", grey=other)


def test_a_crash_report_holds_no_values_messages_or_paths() -> None:
    secret = "Mustermann^Erika"
    try:
        raise ValueError(f"cannot read /home/{secret}/scan.dcm")
    except ValueError as error:
        report = crash_report(ValueError, error.__traceback__)
    assert "builtins.ValueError" in report
    assert "test_a_crash_report" in report
    for forbidden in (secret, "home", "scan.dcm", "cannot read"):
        assert forbidden not in report


def test_the_shell_needs_nothing_but_qt_and_the_window_never_torch() -> None:
    """In a process of its own: what is imported before the first paint, and at all."""
    heavy = ("numpy", "cv2", "pyqtgraph", "pydicom", "sqlite3", "sqlite_utils", "imagecodecs")
    code = f"""
import sys
import app.ui.main_window, app.ui.start, app.cli.gui
early = [name for name in {heavy!r} if name in sys.modules]
import app.ui.viewer, app.ui.project
print(early, "torch" in sys.modules, "cv2" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] False True"
