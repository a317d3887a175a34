"""Who holds a project that can only be looked at, in the words of the window."""

from __future__ import annotations

import re
from datetime import datetime

from app.ui.language import moment, say, tr
from app.ui.privacy import private

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
    try:
        when = moment(datetime.fromisoformat(found["since"]))
        held = tr("It is held by {user} on {host}, since {when}.", user=user, host=host, when=when)
    except ValueError:  # written by something else
        held = tr("It is held by {user} on {host}.", user=user, host=host)
    rest = reason[found.end() :].strip()
    return " ".join(part for part in (reason[: found.start()].strip(), held, say(rest)) if part)
