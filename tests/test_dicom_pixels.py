"""Pixels of every common transfer syntax become the numbers that SimpleITK and pydicom read."""

import imagecodecs
import numpy as np
import pytest
import SimpleITK
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    MPEG2MPML,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from tests.dicoms import header, offer, read, saved, shipped, slice_of, voxels, written
from workers.jobs.volume.dicom.errors import BadScale, UnreadablePixels
from workers.jobs.volume.errors import DamagedFile
from workers.jobs.volume.source import Source

SHIPPED = [
    "MR_small_implicit.dcm",
    "MR_small.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_RLE.dcm",
    "MR_small_padded.dcm",
    "MR_small_jp2klossless.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "CT_small.dcm",
    "image_dfl.dcm",
    "JPEG-LL.dcm",
    "JPEG-lossy.dcm",
    "JPGExtended.dcm",
    "JPGLosslessP14SV1_1s_1f_8b.dcm",
    "JPEGLSNearLossless_08.dcm",
    "JPEGLSNearLossless_16.dcm",
    "JPEG2000.dcm",
    "J2K_pixelrep_mismatch.dcm",
    "693_J2KI.dcm",
    "693_J2KR.dcm",
    "693_UNCR.dcm",
    "bad_sequence.dcm",
    "examples_overlay.dcm",
    "vlut_04.dcm",
]


def by_simpleitk(source: Source) -> np.ndarray:
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(source.path)))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_file_of_any_transfer_syntax_holds_what_simpleitk_reads(name):
    source = shipped(name)
    assert np.array_equal(read(source).array, by_simpleitk(source))


def test_signed_numbers_of_fewer_bits_in_an_unsigned_codestream_keep_their_sign():
    assert read(shipped("J2K_pixelrep_mismatch.dcm")).array.min() == -2000


def test_monochrome1_keeps_its_values_and_says_so():
    source = shipped("RG3_J2KI.dcm")
    volume = read(source)
    assert np.array_equal(volume.array[0], dcmread(source.path).pixel_array)
    assert any("MONOCHROME1" in each for each in volume.warnings)


@pytest.mark.parametrize("name", ["rtdose.dcm", "rtdose_expb.dcm", "rtdose_rle.dcm"])
def test_a_dose_grid_is_stacked_along_its_offsets_in_every_syntax(name):
    volume = read(shipped(name))
    stored = dcmread(shipped(name).path).pixel_array
    assert np.array_equal(volume.array, (stored * 1e-6).astype(np.float32))
    assert volume.array.shape == (15, 10, 10) and volume.spacing == (5, 10, 10)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16"])
def test_pixels_are_read_as_they_were_written(tmp_path, syntax, dtype):
    pixels = (voxels(1) * 2).astype(dtype)
    volume = read(saved(tmp_path, "a.dcm", slice_of(pixels, syntax=syntax)))
    assert volume.array.dtype == np.int16 and np.array_equal(volume.array, pixels)


def test_big_endian_pixels_are_turned_round(tmp_path):
    pixels = voxels(1) * 300
    source = saved(
        tmp_path, "a.dcm", slice_of(pixels.astype(">i2"), syntax=ExplicitVRBigEndian, PixelRepresentation=1)
    )
    assert np.array_equal(read(source).array, pixels)


def test_bits_above_and_below_the_number_do_not_count(tmp_path):
    numbers = np.array([[-2048, -1, 0], [1, 1000, 2047]], np.int16)
    noise = np.random.default_rng(0).integers(0, 4, (2, 3)).astype(np.uint16)
    stored = ((numbers.astype(np.uint16) & 0xFFF) << 2) | (noise << 14) | noise
    dataset = header(stored[None], BitsStored=12, HighBit=13, PixelRepresentation=1)
    assert np.array_equal(read(saved(tmp_path, "a.dcm", written(dataset))).array[0], numbers)


@pytest.mark.parametrize(
    "dtype, intercept", [("uint16", -1024), ("int16", -1024), ("uint8", 7), ("uint16", -32768)]
)
def test_a_whole_intercept_keeps_whole_numbers(tmp_path, dtype, intercept):
    pixels = voxels(1, dtype=dtype)
    volume = read(saved(tmp_path, "a.dcm", slice_of(pixels, RescaleIntercept=intercept)))
    assert volume.array.dtype == np.int16
    assert np.array_equal(volume.array, pixels.astype(np.int64) + intercept)


@pytest.mark.parametrize("highest, dtype", [(32767, "int16"), (32768, "float32"), (65535, "float32")])
def test_values_that_do_not_fit_int16_become_float32(tmp_path, highest, dtype):
    pixels = np.array([[[0, 5, highest]]], np.uint16)
    volume = read(saved(tmp_path, "a.dcm", slice_of(pixels)))
    assert volume.array.dtype == dtype and volume.array[0, 0].tolist() == [0, 5, highest]


def test_slope_and_intercept_are_computed_in_float64_and_rounded_once(tmp_path):
    pixels = voxels(1) * 327
    volume = read(
        saved(tmp_path, "a.dcm", slice_of(pixels, RescaleSlope="0.1234567", RescaleIntercept="-3.3"))
    )
    assert np.array_equal(volume.array, (pixels * 0.1234567 - 3.3).astype(np.float32))


def test_float_pixels_are_read(tmp_path):
    pixels = np.random.default_rng(0).random((1, 4, 4)).astype(np.float32)
    dataset = header(pixels.view(np.uint32))
    dataset.FloatPixelData = dataset.PixelData
    dataset["PixelData"].VR = "OW"
    data = written(dataset).replace(b"\xe0\x7f\x10\0OW", b"\xe0\x7f\x11\0OW")
    assert np.array_equal(read(saved(tmp_path, "a.dcm", data)).array, pixels)


def enhanced(array: np.ndarray, order: list[int], slopes: list[float]) -> Dataset:
    """A multi-frame file whose frames are stored in ``order`` of their slices, each with a slope of its own."""
    dataset = header(array[order], NumberOfFrames=len(order), SOPClassUID="1.2.840.10008.5.1.4.1.1.2.1")
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleSlope"):
        delattr(dataset, keyword)
    shared = Dataset()
    shared.PlaneOrientationSequence = [one(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])]
    shared.PixelMeasuresSequence = [one(PixelSpacing=[0.75, 0.5], SliceThickness=2)]
    dataset.SharedFunctionalGroupsSequence = [shared]
    dataset.PerFrameFunctionalGroupsSequence = [per_frame(at, slopes[at]) for at in order]
    return dataset


def one(**elements) -> Dataset:
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def per_frame(at: int, slope: float) -> Dataset:
    return one(
        PlanePositionSequence=[one(ImagePositionPatient=[0, 0, at * 2])],
        PixelValueTransformationSequence=[one(RescaleSlope=slope, RescaleIntercept=1, RescaleType="HU")],
        FrameContentSequence=[one(FrameAcquisitionDateTime=f"2025010111000{at}")],
    )


def test_frames_of_an_enhanced_file_are_placed_and_scaled_one_by_one(tmp_path):
    array, slopes = voxels(4), [1, 0.5, 2, 0.25]
    volume = read(saved(tmp_path, "a.dcm", written(enhanced(array, [2, 0, 3, 1], slopes))))
    assert np.array_equal(volume.array, array * np.array(slopes)[:, None, None] + 1)
    assert (
        volume.unit == "HU"
        and volume.spacing == (2, 0.75, 0.5)
        and volume.about.acquired == "2025-01-01T11:00:00"
    )


def test_a_shipped_enhanced_ct_is_placed_frame_by_frame():
    source = shipped("eCT_Supplemental.dcm")
    dataset = dcmread(source.path)
    heights = [
        each.PlanePositionSequence[0].ImagePositionPatient[2]
        for each in dataset.PerFrameFunctionalGroupsSequence
    ]
    frames = dataset.pixel_array[np.argsort(heights)]
    assert np.array_equal(read(source).array, frames[:, :, ::-1].astype(np.int64) - 1024)


def test_reconstructed_spect_is_stacked_by_its_first_position_and_its_step(tmp_path):
    array = voxels(3)
    told = one(ImagePositionPatient=[1, 2, 3], ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    dataset = header(array, Modality="NM", NumberOfFrames=3, SpacingBetweenSlices=-4, SliceVector=[1, 2, 3])
    del dataset.ImagePositionPatient, dataset.ImageOrientationPatient
    dataset.DetectorInformationSequence = [told]
    volume = read(saved(tmp_path, "a.dcm", written(dataset)))
    assert np.array_equal(volume.array, array[::-1]) and volume.spacing == (4, 0.75, 0.5)
    assert volume.affine[:3, 3].tolist() == [1, 2, -5] and volume.suv is None


def packed_frames(array: np.ndarray, codec: str) -> list[bytes]:
    encode = {
        "jpegls": imagecodecs.jpegls_encode,
        "jpeg2000": imagecodecs.jpeg2k_encode,
        "jpeg": imagecodecs.ljpeg_encode,
    }
    options = {"jpeg2000": {"codecformat": "j2k", "reversible": True, "level": 0}}.get(codec, {})
    return [encode[codec](np.ascontiguousarray(frame), **options) for frame in array]


@pytest.mark.parametrize("table", [True, False], ids=["offsets", "no offsets"])
@pytest.mark.parametrize("pieces", [1, 3])
@pytest.mark.parametrize(
    "syntax, codec", [(JPEGLSLossless, "jpegls"), (JPEG2000Lossless, "jpeg2000"), (JPEGLosslessSV1, "jpeg")]
)
def test_packed_frames_are_told_apart_however_they_are_cut(tmp_path, syntax, codec, pieces, table):
    array = voxels(4, 16, 16, "uint16") * 7
    dataset = enhanced(array, [1, 0, 2, 3], [1, 1, 1, 1])
    frames = packed_frames(array[[1, 0, 2, 3]], codec)
    dataset.PixelData = encapsulate(frames, fragments_per_frame=pieces, has_bot=table)
    dataset["PixelData"].is_undefined_length = True
    volume = read(saved(tmp_path, "a.dcm", written(dataset, syntax)))
    assert np.array_equal(volume.array, array + 1)


def test_jpeg_baseline_and_high_throughput_jpeg_2000_are_read(tmp_path):
    smooth = np.add.outer(np.arange(32), np.arange(32)).astype(np.uint8)
    for syntax, data, array in (
        (JPEGBaseline8Bit, imagecodecs.jpeg8_encode(smooth, level=95), smooth),
        ("1.2.840.10008.1.2.4.201", imagecodecs.htj2k_encode(smooth.astype(np.uint16) * 99), smooth * 99.0),
    ):
        dataset = header(smooth if syntax == JPEGBaseline8Bit else smooth.astype(np.uint16))
        dataset.PixelData = encapsulate([data])
        dataset["PixelData"].is_undefined_length = True
        volume = read(saved(tmp_path, "a.dcm", written(dataset, syntax)))
        assert np.abs(volume.array[0] - array).max() <= (2 if syntax == JPEGBaseline8Bit else 0)


@pytest.mark.parametrize(
    "codec, syntax", [("jpeg2000", JPEG2000Lossless), ("jpegls", JPEGLSLossless), ("jpeg", JPEGLosslessSV1)]
)
def test_a_packed_picture_of_another_size_is_refused_before_it_is_unpacked(tmp_path, codec, syntax):
    dataset = header(voxels(1, 16, 16, "uint16"))
    dataset.PixelData = encapsulate(packed_frames(voxels(1, 32, 16, "uint16"), codec))
    dataset["PixelData"].is_undefined_length = True
    with pytest.raises(DamagedFile, match="its packed picture has 16 x 32 pixels"):
        read(saved(tmp_path, "a.dcm", written(dataset, syntax)))


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless])
def test_packed_pixels_that_are_noise_are_refused(tmp_path, syntax):
    dataset = header(voxels(1, 16, 16, "uint16"))
    dataset.PixelData = encapsulate([np.random.default_rng(0).bytes(300)])
    dataset["PixelData"].is_undefined_length = True
    with pytest.raises(DamagedFile):
        read(saved(tmp_path, "a.dcm", written(dataset, syntax)))


def test_a_syntax_that_is_not_known_is_named(tmp_path):
    dataset = header(voxels(1, 16, 16, "uint16"))
    dataset.PixelData = encapsulate([b"film"])
    dataset["PixelData"].is_undefined_length = True
    with pytest.raises(UnreadablePixels, match=f"its transfer syntax {MPEG2MPML}"):
        read(saved(tmp_path, "a.dcm", written(dataset, MPEG2MPML)))


def test_values_by_a_look_up_table_are_refused():
    with pytest.raises(BadScale, match="look-up table"):
        read(shipped("mlut_18.dcm"))


@pytest.mark.parametrize(
    "name", ["SC_rgb.dcm", "examples_palette.dcm", "SC_rgb_jpeg.dcm", "examples_ybr_color.dcm"]
)
def test_pictures_in_colour_are_left_aside(name):
    assert offer(shipped(name)).aside == ("Left aside: 1 picture in colour.",)
