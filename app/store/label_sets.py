"""The label set of a project: its own copy, recorded as an event with every version that it ever had."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.annotation import LABEL, labels_of, split_target
from app.core.errors import UserError
from app.core.event import PROJECT, Json
from app.core.label_set import LabelSet, label_set_document, parse_label_set
from app.core.label_values import unfit_values
from app.core.record import record
from app.store.bundled import resource_path
from app.store.project import ProjectStore

if TYPE_CHECKING:
    from app.core.label_migration import MigratedValues

LABEL_SET = "label-set"  # field of the events about the project's label set
DEFAULT = "hip-fracture"
MIGRATION_AUTHOR = "label set"  # of the events that carry labels over, so that they are nobody's to undo
MAX_BYTES = 1 << 20


@record(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What a new label set does to the labels of a project.

    Args:
        changed: number of targets (a case as one reader sees it) in which a label gets another name or value.
        flagged: target -> field -> why its value has no place in the new label set; it stays as it is.
    """

    changed: int
    flagged: dict[str, dict[str, str]]


def shipped_label_sets() -> list[LabelSet]:
    """The label sets that come with Coxa, by id."""
    return [read_label_set(path) for path in sorted(resource_path("label_sets").glob("*.toml"))]


def read_label_set(path: Path) -> LabelSet:
    """The label set in a TOML file.

    Raises:
        UserError: `label-set`.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _unreadable("It is larger than 1 MB.")
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise _unreadable(f"The system says: {(error.strerror or 'unknown error').lower()}.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _unreadable(f"It is not a TOML file: {error}.") from error
    return parse_label_set(document)


def current_label_set(project: ProjectStore) -> LabelSet:
    """The project's own label set; the one that Coxa ships with where no label was given yet."""
    document = project.events.current(PROJECT, LABEL_SET)
    return default_label_set() if document is None else parse_label_set(document)


def default_label_set() -> LabelSet:
    """The label set of a project that was given none."""
    return read_label_set(resource_path("label_sets", f"{DEFAULT}.toml"))


def keep_label_set(project: ProjectStore, *, author: str) -> None:
    """Give a project its own copy of the label set, with its first label, in the same transaction."""
    if project.events.current(PROJECT, LABEL_SET) is None:
        label_set = default_label_set()
        _record(project, label_set, author)


def adopt_label_set(project: ProjectStore, label_set: LabelSet, *, author: str) -> Adoption:
    """Give a project another label set; labels are carried over or flagged, and none is dropped.

    Raises:
        UserError: `label-set`: another content under the same version, or an older version.
    """
    from app.core.label_migration import check_successor  # hardly ever, and every project has a label set

    with project.transaction():
        if label_set != current_label_set(project) or project.events.current(PROJECT, LABEL_SET) is None:
            check_successor(current_label_set(project), label_set)
            _record(project, label_set, author)
        changed, flagged = 0, {}
        at = project.events.moment()
        for target, migrated in _migrated(project, label_set):
            changed += bool(migrated.changes)
            if migrated.flagged:
                flagged[target] = migrated.flagged
            for name, value in migrated.changes.items():
                after: Json = list(value) if isinstance(value, tuple) else value
                project.events.append(
                    target=target,
                    field=f"{LABEL}{name}",
                    after=after,
                    text=f"Carried over to “{label_set.text}” version {label_set.version}",
                    author=MIGRATION_AUTHOR,
                    at=at,
                )
    return Adoption(changed=changed, flagged=flagged)


def preview_label_set(project: ProjectStore, label_set: LabelSet) -> Adoption:
    """What adopting a label set would do; nothing is changed.

    Raises:
        UserError: `label-set`: as `adopt_label_set`.
    """
    from app.core.label_migration import check_successor

    check_successor(current_label_set(project), label_set)
    found = list(_migrated(project, label_set))
    return Adoption(
        changed=sum(bool(migrated.changes) for _, migrated in found),
        flagged={target: migrated.flagged for target, migrated in found if migrated.flagged},
    )


def flagged_labels(project: ProjectStore) -> dict[str, dict[str, str]]:
    """Labels of readers that the project's label set has no place for: target -> field -> why."""
    label_set = current_label_set(project)
    found = {target: unfit_values(label_set, labels_of(values)) for target, values in _labelled(project).items()}
    return {target: reasons for target, reasons in found.items() if reasons}


def _migrated(project: ProjectStore, label_set: LabelSet) -> list[tuple[str, MigratedValues]]:
    from app.core.label_migration import migrate_values

    return [
        (target, migrate_values(labels_of(values), label_set)) for target, values in sorted(_labelled(project).items())
    ]


def _labelled(project: ProjectStore) -> dict[str, dict[str, Json]]:
    """Every target on which a reader gave labels. What came with the images keeps the words of its archive."""
    rows = project.database.rows(
        "SELECT DISTINCT target FROM current WHERE field >= ? AND field < ?", (LABEL, f"{LABEL[:-1]}/")
    )
    return {target: project.events.current_of(target) for (target,) in rows if split_target(target)[2]}


def _record(project: ProjectStore, label_set: LabelSet, author: str) -> None:
    project.events.append(
        target=PROJECT,
        field=LABEL_SET,
        after=label_set_document(label_set),
        text=f"Label set “{label_set.text}” version {label_set.version}",
        author=author,
    )


def _unreadable(reason: str) -> UserError:
    return UserError(
        "The label set cannot be read.", reason=reason, remedy="Choose a TOML file of a label set.", kind="label-set"
    )
