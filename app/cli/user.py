"""Who is at the keyboard."""

from __future__ import annotations

import getpass


def user_name() -> str:
    """The name of the person at the keyboard, as the system knows it; empty when it does not."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""
