"""What can be learnt from the labels of a project: questions with two answers that exclude each other."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.label_set import FieldType, LabelField, LabelSet

UNDECIDED = frozenset({"uncertain", "unknown", "not-sure"})  # answers that are no class
FINDINGS = ("yes", "displaced", "aff")  # answers that are the finding; of others the last one is
GROUPED = {"garden": (("1", "2"), ("3", "4"))}  # paper 002 tells these apart


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskClass:
    """One of the two classes.

    Args:
        name: its meaning, as on a model's card.
        choices: answers of the label set that mean it.
    """

    name: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingTask:
    """One question that a model can learn to answer.

    Args:
        field: id of the question in the label set; also names the task.
        text: what people read.
        classes: first the one without the finding, then the one with it.
    """

    field: str
    text: str
    classes: tuple[TaskClass, TaskClass]

    @property
    def finding(self) -> int:
        """Number of the class that is the finding."""
        return 1

    def class_of(self, label: str) -> int | None:
        """The class of an answer; None when it is none (uncertain, or not of this label set)."""
        return next((number for number, each in enumerate(self.classes) if label in each.choices), None)


def tasks_of(label_set: LabelSet) -> tuple[TrainingTask, ...]:
    """Everything that can be learnt from a label set, in its order: choices of two classes, once *uncertain* is left
    out, and what is usually told apart in two groups (Garden I and II from III and IV)."""
    found = []
    for field in label_set.fields:
        classes = _classes(field)
        if classes is not None:
            found.append(TrainingTask(field=field.id, text=field.text, classes=classes))
    return tuple(found)


def _classes(field: LabelField) -> tuple[TaskClass, TaskClass] | None:
    if field.type is not FieldType.CHOICE:
        return None
    choices = [choice for choice in field.choices if choice.id not in UNDECIDED]
    names = [choice.id for choice in choices]
    if field.id in GROUPED and sorted(names) == sorted(sum(GROUPED[field.id], ())):
        low, high = (
            TaskClass(
                name=f"{field.text} {'/'.join(choice.text for choice in choices if choice.id in group)}", choices=group
            )
            for group in GROUPED[field.id]
        )
        return low, high
    if len(choices) != 2:
        return None
    finding = next((name for name in FINDINGS if name in names), names[-1])
    first, second = sorted(choices, key=lambda choice: choice.id == finding)
    if {first.id, second.id} == {"no", "yes"}:
        what = field.text.lower()
        return TaskClass(name=f"no {what}", choices=("no",)), TaskClass(name=what, choices=("yes",))
    return TaskClass(name=first.id, choices=(first.id,)), TaskClass(name=second.id, choices=(second.id,))
