"""The one error that a person is meant to read."""

from __future__ import annotations


class UserError(Exception):
    """Something that a person can understand and act on. Everything else is a bug.

    Args:
        title: what happened, in one short sentence.
        reason: why it happened.
        remedy: what to do about it.
        kind: a stable word that programs and tests can rely on, for example `not-a-radiograph`.
    """

    def __init__(self, title: str, *, reason: str = "", remedy: str = "", kind: str = "error") -> None:
        super().__init__(" ".join(part for part in (title, reason, remedy) if part))
        self.title = title
        self.reason = reason
        self.remedy = remedy
        self.kind = kind
