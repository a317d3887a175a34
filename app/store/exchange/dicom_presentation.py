"""What a reader has drawn on a view, and the window in which Coxa shows it, as a Grayscale Softcopy Presentation State
(PS3.3 A.33.1): a workstation lays it over the image and can take it off again.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from highdicom.pr import (
    GraphicAnnotation,
    GraphicLayer,
    GraphicObject,
    GrayscaleSoftcopyPresentationState,
    SoftcopyVOILUTTransformation,
    TextObject,
)
from pydicom.dataset import Dataset

from app import __version__
from app.core.grey import Window
from app.store.exchange.dicom_groups import ReportedView
from app.store.exchange.dicom_parts import (
    MAKER,
    MODEL,
    PRESENTATION_SERIES,
    Owner,
    say_moment,
    side_letter,
    text_value,
)
from app.store.exchange.dicom_report import finished
from app.store.exchange.shapes import Shape, ShapeKind

LAYERS = {
    ShapeKind.ALIGNMENT: "ALIGNMENT",
    ShapeKind.REGION: "REGION",
    ShapeKind.LANDMARK: "LANDMARKS",
    ShapeKind.MEASUREMENT: "MEASUREMENTS",
}
TEXT_BOX = (220.0, 24.0)  # width, height of a text, px of the image


def presentation_state(
    one: ReportedView, shapes: Sequence[Shape], window: Window | None, owner: Owner, *, number: int, case_id: str
) -> Dataset:
    """A presentation state of one view.

    Args:
        one: the view.
        shapes: what is drawn over it; may be empty, when only the window matters.
        window: in which it is shown; None = as the image itself says.
        owner: whose it is.
        number: of the reader; 0 = nobody's drawings, the window alone.
        case_id: the case; a pelvis belongs to two.
    """
    reference = _described(one)
    layers = {
        kind: GraphicLayer(layer_name=name, order=order, description=f"{name.capitalize()} drawn in Coxa")
        for order, (kind, name) in enumerate(LAYERS.items(), start=1)
        if any(shape.kind is kind for shape in shapes)
    }
    annotations = [
        _annotation(reference, layer, [s for s in shapes if s.kind is kind]) for kind, layer in layers.items()
    ]
    transformations = None
    if window is not None:
        transformations = [
            SoftcopyVOILUTTransformation(
                window_center=_plain(window.center),
                window_width=_plain(window.width),
                window_explanation="Coxa automatic window",
                voi_lut_function=window.function.value,
            )
        ]
    dataset = GrayscaleSoftcopyPresentationState(
        referenced_images=[reference],
        series_instance_uid=owner.uid("presentation series", owner.study.id),
        series_number=PRESENTATION_SERIES,
        sop_instance_uid=owner.uid("to be replaced"),
        instance_number=1 + number,
        manufacturer=MAKER,
        manufacturer_model_name=MODEL,
        software_versions=__version__,
        device_serial_number="0",
        content_label="COXA",
        content_description="Drawn in Coxa. Research use only",
        graphic_annotations=annotations or None,
        graphic_layers=list(layers.values()) or None,
        voi_lut_transformations=transformations,
        content_creator_name=f"Reader^{number}" if number else "",
    )
    what = f"Drawings, reader {number}" if number else "Display window"
    dataset.Laterality = side_letter(one.view)
    say_moment(dataset, one.header, owner.study)
    dataset.PresentationCreationDate, dataset.PresentationCreationTime = dataset.ContentDate, dataset.ContentTime
    return finished(dataset, what, one.header, owner, "presentation", case_id, one.view.id, str(number))


def _described(one: ReportedView) -> Dataset:
    """The reference with what highdicom looks for in an image."""
    reference = Dataset()
    reference.update(one.reference)
    reference.SamplesPerPixel = 1
    return reference


def _annotation(reference: Dataset, layer: GraphicLayer, shapes: Sequence[Shape]) -> GraphicAnnotation:
    lines = [line for shape in shapes for line in shape.lines]
    texts = [shape for shape in shapes if shape.text and shape.anchor is not None]
    return GraphicAnnotation(
        referenced_images=[reference],
        graphic_layer=layer,
        graphic_objects=[_graphic(line) for line in lines],
        text_objects=[_text(shape, reference.Rows, reference.Columns) for shape in texts] or None,
    )


def _graphic(line: tuple[tuple[float, float], ...]) -> GraphicObject:
    return GraphicObject(
        graphic_type="POINT" if len(line) == 1 else "POLYLINE",
        graphic_data=np.array(line, np.float64),
        units="PIXEL",
    )


def _text(shape: Shape, rows: int, cols: int) -> TextObject:
    """A text in a box beside its place, on the image."""
    assert shape.anchor is not None
    x, y = min(max(shape.anchor[0], 0.0), float(cols)), min(max(shape.anchor[1], 0.0), float(rows))
    width, height = min(TEXT_BOX[0], float(cols)), min(TEXT_BOX[1], float(rows))
    left, top = min(max(x + 8, 0.0), cols - width), min(max(y - height - 8, 0.0), rows - height)
    return TextObject(
        text_value=text_value(shape.text, 120),
        units="PIXEL",
        bounding_box=(left, top, left + width, top + height),
        text_justification="LEFT",
    )


def _plain(value: float) -> float:
    """A number that fits into DS."""
    return float(f"{value:.9g}")
