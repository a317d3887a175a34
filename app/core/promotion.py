"""Whether a new model may take the place of the active one: both on the same held-out cases."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.errors import UserError

FEWEST_LETTERS = 10  # of a reason that was typed


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """A held-out case about which the two models decide differently.

    Args:
        case_id: the case.
        is_finding: the truth.
        before: calibrated probability of the active model.
        after: of the new one.
        is_better: whether the new one is right.
    """

    case_id: str
    is_finding: bool
    before: float
    after: float
    is_better: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A new model against the active one, on the frozen hold-out (paired, DeLong).

    Args:
        new_id: the new model.
        active_id: the active one.
        cases: number of cases.
        patients: number of patients.
        new_auc: area of the new one.
        active_auc: area of the active one.
        gain: new − active.
        low: lower end of the gain's 95 % interval.
        high: upper end.
        p: two-sided.
        flips: cases that are decided differently.
        decisions_p: McNemar's test on the decisions.
    """

    new_id: str
    active_id: str
    cases: int
    patients: int
    new_auc: float
    active_auc: float
    gain: float
    low: float
    high: float
    p: float
    flips: tuple[Flip, ...] = ()
    decisions_p: float = 1.0

    @property
    def is_worse(self) -> bool:
        """Whether the new one has the smaller area, or, with equal areas, decides more cases wrongly."""
        if self.gain:
            return self.gain < 0
        return sum(1 if flip.is_better else -1 for flip in self.flips) < 0

    @property
    def words(self) -> str:
        """In one sentence."""
        better = sum(flip.is_better for flip in self.flips)
        return (
            f"AUC {self.new_auc:.3f} against {self.active_auc:.3f} on {self.cases} held-out cases of {self.patients} "
            f"patients, Δ {self.gain:+.3f} ({self.low:+.3f} … {self.high:+.3f}), {better} decisions better, "
            f"{len(self.flips) - better} worse"
        )


def require_reason(comparison: Comparison | None, reason: str) -> str:
    """The reason as it is recorded; empty where none is needed and none was given.

    Args:
        comparison: with the active model; None = it could not be made.
        reason: what was typed.

    Raises:
        UserError: `needs-reason`: the new model is worse, or nobody knows, and nothing was typed that explains it.
    """
    plain = " ".join(reason.split())
    if (comparison is None or comparison.is_worse) and len(plain) < FEWEST_LETTERS:
        raise UserError(
            "This needs a reason.",
            reason="The new model is worse than the active one: " + comparison.words + "."
            if comparison is not None
            else "There are no held-out cases on which the two could be compared.",
            remedy=f"Write why it shall take its place all the same, in {FEWEST_LETTERS} letters or more.",
            kind="needs-reason",
        )
    return plain
