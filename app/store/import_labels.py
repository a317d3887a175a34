"""What a mapping file says of an image beyond patient, side and projection."""

from __future__ import annotations

from app.core.case import Side, View
from app.core.event import target_of
from app.store.mapping import MappingRow
from app.store.project import ProjectStore

LABEL_PREFIX = "label."


def write_labels(project: ProjectStore, view_id: str, row: MappingRow, *, author: str) -> list[str]:
    """Record the labels of one image, each once; a label that is there already is left alone.

    Labels of one hip belong to its case; labels of an image of both hips stay with the image.

    Returns:
        A sentence for each label that says something else than what is there.
    """
    view = project.views.get(view_id)
    if view is None:
        return []
    differing = []
    target = target_of("view", view_id)
    if view.side.value is not Side.BOTH:
        case = next((case for case in project.cases.of_study(view.study_id) if view_id in case.view_ids), None)
        if case is not None:
            target = target_of("case", case.id)
    for name, value in sorted(row.labels.items()):
        label = f"{LABEL_PREFIX}{name}"
        held = project.events.current(target, label)
        if held is None:
            project.events.append(target=target, field=label, after=value, text="From the mapping file", author=author)
        elif held != value:
            kind, _, identifier = target.partition(":")
            differing.append(
                f"{row.path}: the mapping says {name} “{value}”, "
                f"but {kind} {identifier} has “{held}” already; it was kept."
            )
    return differing


def said_otherwise(view: View, row: MappingRow | None) -> str:
    """What a mapping says otherwise than the project, which keeps what it has."""
    if row is None:
        return ""
    told = [
        f"{what} {said.value}"
        for what, said, known in (
            ("side", row.side, view.side.value),
            ("projection", row.projection, view.projection.value),
        )
        if said is not None and said is not known
    ]
    return f"The mapping says {' and '.join(told)}; decide with `coxa cases resolve {view.id}`." if told else ""
