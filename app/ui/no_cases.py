"""What is said where the images would be, in a project that has no case."""

from __future__ import annotations

from app.ui.language import tr, trn


def no_cases_words(*, excluded: int, is_writable: bool, take_back: str) -> tuple[str, str]:
    """A heading, and what to do.

    Args:
        excluded: how many radiographs the project holds all the same: people took them out of their cases.
        is_writable: whether the project is open for writing.
        take_back: the keys that take the last decision back, or the command's name where it has none.
    """
    if excluded:
        heading = trn("The only radiograph is excluded", "All {count} radiographs are excluded", excluded)
        if not is_writable:
            return heading, tr("They stay in the project.")
        return heading, tr(
            "They stay in the project. {keys} takes back what was decided last, as long as the project is open; "
            "`coxa cases include` brings back any.",
            keys=take_back,
        )
    if not is_writable:
        return (
            tr("No radiographs in this project yet"),
            tr("It is open for looking only, so nothing can be imported now."),
        )
    return tr("Drop radiographs here"), tr(
        "No radiographs in this project yet. Drop files, folders, zip archives or a DICOMDIR; or a CSV file that "
        "names patients, sides and labels of images. Names and dates are replaced on the way in; your own files are "
        "never changed."
    )
