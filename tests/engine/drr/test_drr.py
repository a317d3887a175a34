"""Radiographs from a CT: a small CT made here, with a table, a known hip and known faults."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from app.core.case import Side
from app.core.errors import UserError
from app.engine.drr.hip import check_room, find_hip
from app.engine.drr.materials import body_weight, hounsfield, split
from app.engine.drr.pairs import coarse_tissue, posed, prepare, reconstruct
from app.engine.drr.variation import Variation, sample_pair
from app.engine.drr.volume import CtVolume, check, read_ct, refuse_cut_short, without_steps
from app.engine.phantom.volume import Material
from app.engine.radiograph.attenuation import AttenuationTable

TABLE = AttenuationTable.load()
HIP = np.array([85.0, -4.0, 10.0])  # of the left hip


def make_ct(step: float = 4.0) -> CtVolume:
    """A pelvis of sorts: an elliptic body, two femoral heads with necks and shafts, and a table under it."""
    x = np.arange(-190, 190.1, step)
    y = np.arange(-130, 150.1, step)
    z = np.arange(-130, 130.1, step)
    zz, yy, xx = np.meshgrid(z, y, x, indexing="ij")
    hu = np.full(zz.shape, -1000.0)
    body = (xx / 170) ** 2 + (yy / 105) ** 2
    hu[body < 1] = -100
    hu[body < 0.8] = 55
    for side in (1, -1):
        head = np.sqrt((xx - side * HIP[0]) ** 2 + (yy - HIP[1]) ** 2 + (zz - HIP[2]) ** 2) < 24
        shaft = (np.hypot(xx - side * 125, yy - HIP[1]) < 15) & (zz < -10)
        hu[head] = 350
        hu[shaft] = 900
    hu[:, (y > 120) & (y < 132), :] = 150  # the table
    return CtVolume(hu=hu.astype(np.float32), spacing_mm=(step, step, step), origin_mm=(-190.0, -130.0, -130.0))


@pytest.fixture(scope="module")
def ct() -> CtVolume:
    return make_ct()


@pytest.fixture(scope="module")
def short_ct(ct: CtVolume) -> CtVolume:
    """The same around the hips only: quicker to read."""
    return replace(ct, hu=ct.hu[20:52], origin_mm=(-190.0, -130.0, -50.0))


def write(volume: CtVolume, path: Path) -> Path:
    image = SimpleITK.GetImageFromArray(volume.hu)
    image.SetSpacing(volume.spacing_mm[::-1])
    image.SetOrigin(volume.origin_mm)
    SimpleITK.WriteImage(image, str(path))
    return path


def write_series(volume: CtVolume, folder: Path) -> Path:
    folder.mkdir()
    image = SimpleITK.Cast(SimpleITK.GetImageFromArray(volume.hu), SimpleITK.sitkInt16)
    image.SetSpacing(volume.spacing_mm[::-1])
    image.SetOrigin(volume.origin_mm)
    writer = SimpleITK.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    for index in range(image.GetDepth()):
        plane = image[:, :, index]
        position = image.TransformIndexToPhysicalPoint((0, 0, index))
        tags = {
            "0008|0060": "CT", "0020|000d": "1.2.3", "0020|000e": "1.2.3.4", "0008|0018": f"1.2.3.4.{index + 1}",
            "0020|0032": "\\".join(f"{value:.3f}" for value in position), "0020|0037": "1\\0\\0\\0\\1\\0",
            "0020|0013": str(index), "0028|1052": "0", "0028|1053": "1",
        }  # fmt: skip
        for tag, value in tags.items():
            plane.SetMetaData(tag, value)
        writer.SetFileName(str(folder / f"{index:04d}.dcm"))
        writer.Execute(plane)
    return folder


@pytest.mark.parametrize("name", ["ct.nii.gz", "ct.nrrd", "series"])
def test_every_format_gives_the_same_volume(short_ct: CtVolume, name: str, tmp_path: Path) -> None:
    path = write_series(short_ct, tmp_path / name) if name == "series" else write(short_ct, tmp_path / name)
    volume = read_ct(path)
    assert max(volume.spacing_mm) <= 1.6  # coarse voxels are interpolated
    assert volume.origin_mm == pytest.approx(short_ct.origin_mm, abs=1e-3)
    for side, sign in ((Side.LEFT, 1), (Side.RIGHT, -1)):
        np.testing.assert_allclose(find_hip(volume, side), HIP * [sign, 1, 1], atol=4)


def test_a_turned_volume_is_put_upright(short_ct: CtVolume, tmp_path: Path) -> None:
    image = SimpleITK.GetImageFromArray(short_ct.hu)
    image.SetSpacing(short_ct.spacing_mm[::-1])
    image.SetOrigin(short_ct.origin_mm)
    turned = SimpleITK.DICOMOrient(image, "RAI")
    angle = np.deg2rad(8)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    turned.SetDirection((turn @ np.array(turned.GetDirection()).reshape(3, 3)).ravel().tolist())
    turned.SetOrigin((turn @ np.array(turned.GetOrigin())).tolist())
    path = tmp_path / "turned.nrrd"
    SimpleITK.WriteImage(turned, str(path))
    np.testing.assert_allclose(find_hip(read_ct(path), Side.LEFT), turn @ HIP, atol=6)


def test_the_table_is_left_out_and_materials_keep_their_mass(ct: CtVolume) -> None:
    weight = body_weight(ct)
    parts = {part.material: part for part in split(ct, weight, TABLE)}
    assert set(parts) == {Material.BONE, Material.MUSCLE, Material.FAT}
    table_rows = slice(62, 66)
    assert all(part.density[:, table_rows].max() < 0.02 for part in parts.values())
    voxel_of_muscle = (33, 32, 47)
    assert parts[Material.MUSCLE].density[voxel_of_muscle] == pytest.approx(1.05, rel=0.03)
    voxel_of_fat = (33, 32, 6)
    assert parts[Material.FAT].density[voxel_of_fat] == pytest.approx(0.95, rel=0.1)
    assert parts[Material.BONE].density.max() > 0.8


def test_pure_materials_have_the_expected_hounsfield_units() -> None:
    marks = hounsfield(TABLE)
    assert -120 < marks.fat < -60
    assert 20 < marks.muscle < 60
    assert 1200 < marks.bone < 2000


def test_metal_is_found(ct: CtVolume) -> None:
    hu = ct.hu.copy()
    hu[30:40, 30:34, 66:70] = 3071
    parts = {part.material for part in split(replace(ct, hu=hu), body_weight(ct), TABLE)}
    assert Material.METAL in parts


@pytest.mark.parametrize("side", [Side.LEFT, Side.RIGHT])
def test_a_pair_shows_the_head_where_the_truth_says(ct: CtVolume, side: Side) -> None:
    prepared = prepare(ct, side=side, hip_mm=None, table=TABLE)
    _, views = reconstruct(prepared, seed=1, number=0, variation=Variation.NONE, size_px=128, table=TABLE)
    frontal, _lateral = list(views)
    x, y = frontal.hip_xy
    assert (x, y) == pytest.approx((64, 64), abs=1e-6)
    signal = frontal.picture.signal
    inside = signal[int(y) - 4 : int(y) + 4, int(x) - 4 : int(x) + 4].mean()
    beside = signal[int(y) - 4 : int(y) + 4, [int(x) - 25, int(x) + 25]].mean()
    assert inside < 0.9 * beside
    outward = 1 if side is Side.LEFT else -1  # the skin is towards the patient's own side
    towards, away = signal[64, 64 + outward * 55], signal[64, 64 - outward * 55]
    assert towards > 2 * away


def test_both_sides_mirror(ct: CtVolume) -> None:
    pictures = []
    for side in (Side.LEFT, Side.RIGHT):
        prepared = prepare(ct, side=side, hip_mm=HIP * [1 if side is Side.LEFT else -1, 1, 1], table=TABLE)
        pair = sample_pair(np.random.default_rng(2), Variation.GARDEN, side, size_px=64, field_mm=200)
        from app.engine.projection import project

        pictures.append([project(posed(prepared, pair), view)[Material.BONE] for view in pair.geometries])
    for left, right in zip(*pictures, strict=True):
        assert np.abs(left - right[:, ::-1]).max() < 0.02 * left.max()


@pytest.mark.parametrize("variation", [Variation.GARDEN, Variation.MULTIVIEW])
def test_variations_vary_and_repeat(ct: CtVolume, variation: Variation) -> None:
    prepared = prepare(ct, side=Side.LEFT, hip_mm=None, table=TABLE)

    def bytes_of(number: int) -> list[bytes]:
        _, views = reconstruct(prepared, seed=4, number=number, variation=variation, size_px=64, table=TABLE)
        return [view.picture.pixels.tobytes() for view in views]

    assert bytes_of(0) == bytes_of(0)
    assert bytes_of(0) != bytes_of(1)


def test_drawn_parameters_stay_within_their_ranges() -> None:
    for seed in range(60):
        rng = np.random.default_rng(seed)
        pair = sample_pair(rng, Variation.GARDEN, Side.LEFT, size_px=64, field_mm=200)
        assert all(0.9 <= value <= 1.1 for value in pair.scale)
        assert abs(pair.rotation_deg) <= 20
        assert abs(pair.apical_deg) <= 10
        assert 60 <= pair.kvp[0] <= 90
        many = sample_pair(rng, Variation.MULTIVIEW, Side.LEFT, size_px=64, field_mm=200)
        for view in many.geometries:
            assert 1800 <= view.source_to_detector_mm <= 2300


def test_the_volume_for_the_matrix_lies_where_the_bone_lies(ct: CtVolume) -> None:
    prepared = prepare(ct, side=Side.LEFT, hip_mm=HIP, table=TABLE)
    pair = sample_pair(np.random.default_rng(0), Variation.NONE, Side.LEFT, size_px=64, field_mm=200)
    coarse = coarse_tissue(prepared, pair)
    assert coarse.density.max() == pytest.approx(1)
    index = [round(-origin / step) for origin, step in zip(coarse.origin_mm[::-1], coarse.spacing_mm, strict=True)]
    assert coarse.density[tuple(index)] > 0.1  # the head is at the origin


def refused(volume: CtVolume) -> UserError:
    with pytest.raises(UserError) as caught:
        check(volume)
    return caught.value


def test_wrong_units_and_small_volumes_get_a_sentence(ct: CtVolume) -> None:
    assert refused(replace(ct, hu=ct.hu + 1000)).kind == "not-hounsfield"
    assert refused(replace(ct, hu=np.zeros_like(ct.hu))).kind == "not-hounsfield"
    assert refused(replace(ct, hu=np.full_like(ct.hu, np.nan))).kind == "not-hounsfield"
    assert refused(replace(ct, hu=ct.hu[:9])).kind == "too-small"


def test_a_volume_that_ends_at_the_hip_is_refused_and_one_that_ends_near_it_is_announced(ct: CtVolume) -> None:
    with pytest.raises(UserError, match="too close") as caught:
        check_room(replace(ct, hu=ct.hu[30:], origin_mm=(-190, -130, -10)), HIP)
    assert caught.value.kind == "truncated"
    assert len(check_room(replace(ct, hu=ct.hu[20:], origin_mm=(-190, -130, -50)), HIP)) == 1
    with pytest.raises(UserError, match="outside"):
        check_room(ct, np.array([500.0, 0, 0]))


def test_the_field_ends_where_the_volume_ends(ct: CtVolume) -> None:
    cut = replace(ct, hu=ct.hu[18:], origin_mm=(-190, -130, -58))
    prepared = prepare(cut, side=Side.LEFT, hip_mm=HIP, table=TABLE)
    _, views = reconstruct(prepared, seed=1, number=0, variation=Variation.NONE, size_px=128, table=TABLE)
    frontal = next(iter(views))
    bottom = frontal.picture.field[:, 1].max()
    ends = frontal.geometry.project_points([0, 0, -58.0 - HIP[2]])[1]
    assert 70 < bottom < ends


def test_a_tilted_view_of_a_cut_volume_still_shows_the_hip(ct: CtVolume) -> None:
    cut = replace(ct, hu=ct.hu[18:], origin_mm=(-190, -130, -58))
    prepared = prepare(cut, side=Side.LEFT, hip_mm=HIP, table=TABLE)
    for number in range(12):
        _, views = reconstruct(prepared, seed=3, number=number, variation=Variation.MULTIVIEW, size_px=64, table=TABLE)
        for view in views:
            low, high = view.picture.field.min(axis=0), view.picture.field.max(axis=0)
            hip = np.array(view.hip_xy)
            assert (np.minimum(hip - low, high - hip) > 5).all()
            assert ((high - low) > 0.3 * 64).all()


def test_a_cut_volume_fades_out_and_the_matrix_leaves_that_out(ct: CtVolume) -> None:
    cut = replace(ct, hu=ct.hu[18:], origin_mm=(-190, -130, -58))
    prepared = prepare(cut, side=Side.LEFT, hip_mm=HIP, table=TABLE)
    below, above = prepared.continued
    muscle = next(part for part in prepared.parts if part.material is Material.MUSCLE)
    assert (below, above) == (15, 15)
    assert len(muscle.density) == len(cut.hu) + below + above
    assert muscle.origin_mm[2] == pytest.approx(-58 - 15 * 4)
    slices = muscle.density.sum(axis=(1, 2))
    assert (np.diff(slices[: below + 1]) > 0).all()
    assert slices[0] < 0.02 * slices[below]
    whole = coarse_tissue(
        prepared, sample_pair(np.random.default_rng(0), Variation.NONE, Side.LEFT, size_px=64, field_mm=200), voxel_mm=4
    )
    assert not whole.density[:below].any()
    assert whole.density[below].any()


@pytest.mark.parametrize("slope", [0.35, 0.6, 1.0])
def test_coarse_voxels_leave_few_teeth_along_slanted_cortex(slope: float) -> None:
    fine = (np.arange(32 * 6) - 2.5) * 0.5
    z, x = np.meshgrid(fine, fine, indexing="ij")
    plate = np.abs(x - 45 - slope * (z - 48)) / np.hypot(1, slope) < 0.75  # 1.5 mm of cortex in voxels of 3 mm
    shares = np.where(plate, 1500.0, 0.0).reshape(32, 6, 32, 6).mean(axis=(1, 3))
    image = SimpleITK.GetImageFromArray(np.repeat(shares[:, None, :], 32, axis=1).astype(np.float32))
    image.SetSpacing([3.0] * 3)

    def teeth(volume: SimpleITK.Image) -> float:
        grid = ([62] * 3, SimpleITK.Transform(), SimpleITK.sitkBSpline, [0.0] * 3, [1.5] * 3, volume.GetDirection())
        crest = SimpleITK.GetArrayFromImage(SimpleITK.Resample(volume, *grid))[12:-12, 31].max(axis=1)
        return float(crest.std() / crest.mean())

    softened = without_steps(SimpleITK, image)
    assert teeth(softened) < 0.7 * teeth(image)
    assert SimpleITK.GetArrayFromImage(softened).sum() == pytest.approx(shares.sum() * 32, rel=1e-3)


def test_no_bone_no_hip(ct: CtVolume) -> None:
    with pytest.raises(UserError) as caught:
        find_hip(replace(ct, hu=np.minimum(ct.hu, 60)), Side.LEFT)
    assert caught.value.kind == "no-hip"
    with pytest.raises(UserError, match="no body"):
        body_weight(replace(ct, hu=np.full_like(ct.hu, -1000)))


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x1f\x8b" + bytes(100)])
def test_damaged_files_get_a_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "ct.nii.gz"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_ct(path)
    assert caught.value.kind == "not-a-ct"
    assert str(tmp_path) not in str(caught.value)


def test_missing_files_empty_folders_and_impossible_voxels_get_a_sentence(ct: CtVolume, tmp_path: Path) -> None:
    for path, kind in ((tmp_path / "none.nrrd", "not-found"), (tmp_path, "not-a-ct")):
        with pytest.raises(UserError) as caught:
            read_ct(path)
        assert caught.value.kind == kind
    with pytest.raises(UserError) as caught:
        read_ct(write(replace(ct, spacing_mm=(30.0, 4.0, 4.0)), tmp_path / "thick.nrrd"))
    assert caught.value.kind == "bad-spacing"


@pytest.mark.parametrize("name", ["ct.nii", "ct.nii.gz", "ct.nrrd"])
def test_a_file_whose_end_is_missing_is_refused(short_ct: CtVolume, name: str, tmp_path: Path) -> None:
    """SimpleITK fills the rest of a NIfTI file with zeros, which are water: radiographs of it would look like some."""
    whole = write(short_ct, tmp_path / name)
    refuse_cut_short(whole)
    cut = tmp_path / f"cut-{name}"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 9 // 10])
    if name.endswith("nrrd"):
        refuse_cut_short(cut)  # SimpleITK notices
        return
    with pytest.raises(UserError, match="missing or damaged"):
        refuse_cut_short(cut)


def test_a_series_with_a_hole_is_refused(short_ct: CtVolume, tmp_path: Path) -> None:
    folder = write_series(short_ct, tmp_path / "series")
    sorted(folder.iterdir())[5].unlink()
    with pytest.raises(UserError, match="missing, or lie unevenly"):
        read_ct(folder)


def test_a_reader_that_takes_too_long_is_ended(ct: CtVolume, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="too long"):
        read_ct(write(ct, tmp_path / "ct.nrrd"), timeout_s=0.01)


def test_a_real_ct(shared_data: Path) -> None:
    volume = read_ct(shared_data / "pelvis-ct" / "example_ct.nii.gz")
    left, right = find_hip(volume, Side.LEFT), find_hip(volume, Side.RIGHT)
    assert 140 < left[0] - right[0] < 200  # between the centres of an adult's hips
    assert abs(left[2] - right[2]) < 10
    assert len(check_room(volume, right)) == 1
