"""“Hide names”: the one place that decides whether a name may be read on the screen.

Everything that could lead to a person or a place goes through `private` when it is shown: names of projects, paths,
people, institutions, and pseudonyms of patients. Switching re-says every text of the window, as another language does.
"""

from __future__ import annotations

import re

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication

HIDDEN = "•••"
_PATH = re.compile(r"""(?:(?<![\w/.])/|[A-Za-z]:\\|\\\\)(?:(?!, |\. |; )[^\n"“”<>|])*[/\\][^\s"'“”<>|,;]*""")
_PROPERTY = "coxa_hide_names"


def are_names_hidden() -> bool:
    """Whether names are hidden now."""
    app = QCoreApplication.instance()
    return app is not None and app.property(_PROPERTY) is True


def hide_names(app: QApplication, is_on: bool) -> None:
    """Hide names, or show them again; every widget says its texts anew."""
    if are_names_hidden() != is_on:
        app.setProperty(_PROPERTY, is_on)
        resay(app)


def resay(app: QApplication) -> None:
    """Let every widget say its texts anew: keys, names or numbers in them are not what they were."""
    for window in app.topLevelWidgets():
        QCoreApplication.postEvent(window, QEvent(QEvent.Type.LanguageChange))


def private(text: str) -> str:
    """The text, or dots in its place while names are hidden."""
    return HIDDEN if text and are_names_hidden() else text


def private_id(pseudonym: str) -> str:
    """A pseudonym, or while names are hidden another one that is of no use outside this screen.

    It stays the same while the pseudonym does, so that rows can still be told apart.
    """
    if not pseudonym or not are_names_hidden():
        return pseudonym
    import hashlib  # the window starts without it

    return f"{HIDDEN} {hashlib.sha256(pseudonym.encode()).hexdigest()[:4]}"


def without_paths(text: str) -> str:
    """The text; while names are hidden with dots in the place of every path in it."""
    return _PATH.sub(HIDDEN, text) if are_names_hidden() else text
