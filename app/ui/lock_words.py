"""Who holds a project that can only be looked at, in the words of the window."""

from __future__ import annotations

import re
from datetime import datetime

from app.ui.language import moment, say, tr
from app.ui.privacy import private

_OPEN = re.compile(r"[^.]* writing by process \d+ of (?P<user>.+) on (?P<host>.+), since (?P<since>\S+)\.")
_HELD = re.compile(r"[^.]*held by process \d+ of (?P<user>.+) on (?P<host>.+), since (?P<since>\S+)\.")


def read_only_words(reason: str) -> str:
    """Why a project cannot be changed: account and computer are names, and the time is one of this place.

    Args:
        reason: as `app.store.lock` says it, in English; other reasons are said as they are.
    """
    found = _HELD.search(reason)
    if found is None:
        return say(reason)
    user, host = private(found["user"]), private(found["host"])
    if when := _moment_in(found["since"]):
        held = tr("It is held by {user} on {host}, since {when}.", user=user, host=host, when=when)
    else:
        held = tr("It is held by {user} on {host}.", user=user, host=host)
    rest = reason[found.end() :].strip()
    return " ".join(part for part in (reason[: found.start()].strip(), held, say(rest)) if part)


def open_words(sentence: str) -> str:
    """What a check says, in the words of the window; who has the project open as `read_only_words` says it."""
    found = _OPEN.fullmatch(sentence)
    if found is None or not (when := _moment_in(found["since"])):
        return say(sentence)
    user, host = private(found["user"]), private(found["host"])
    return tr("Open for writing by {user} on {host}, since {when}.", user=user, host=host, when=when)


def _moment_in(since: str) -> str:
    """A time as it is kept, in the words of the window; empty when something else has written it."""
    try:
        return moment(datetime.fromisoformat(since))
    except ValueError:
        return ""
