"""How far a case lies from the training cases."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from app.engine.outlier import OutlierModel  # noqa: E402


def training(cases: int = 400):  # type: ignore[no-untyped-def]
    generator = torch.Generator().manual_seed(0)
    wide = torch.randn(cases, 4, generator=generator) @ torch.randn(4, 60, generator=generator) * 3
    return wide + 0.1 * torch.randn(cases, 60, generator=generator) + 5


def test_training_cases_are_near_and_others_far() -> None:
    cases = training()
    model = OutlierModel.fit(cases[:300], axes=8)
    known, foreign = model.distance(cases[300:]), model.distance(cases[300:] + torch.randn(1, 60))
    assert known.median() == pytest.approx(1.0, abs=0.2)
    assert foreign.min() > known.max()


def test_with_all_axes_it_is_mahalanobis_distance() -> None:
    cases = training()[:, :6].double()
    model = OutlierModel.fit(cases, axes=6)
    apart = cases[:5] - cases.mean(0)
    expected = (apart @ torch.linalg.inv(torch.cov(cases.T)) * apart).sum(1)
    assert torch.allclose(model.distance(cases[:5]) ** 2 * 6, expected, rtol=1e-3)


def test_it_survives_the_weights_file() -> None:
    model = OutlierModel.fit(training())
    again = OutlierModel.from_tensors(model.tensors())
    assert again is not None
    assert torch.equal(model.distance(training()), again.distance(training()))
    assert OutlierModel.from_tensors({}) is None


def test_one_case_or_equal_cases() -> None:
    with pytest.raises(ValueError, match="no spread"):
        OutlierModel.fit(torch.zeros(1, 3))
    assert torch.isfinite(OutlierModel.fit(torch.ones(5, 3)).distance(torch.zeros(2, 3))).all()
