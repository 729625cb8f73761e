import io

import cv2
import numpy as np
import pytest
from PIL import Image

from hcr_live.errors import HcrError
from hcr_live.sources import EndOfSource, SourceState, open_source
from hcr_live.sources.images import list_images, load_image, to_bgr

RED, GREEN = (200, 30, 40), (20, 180, 60)  # RGB


def two_halves(mode="RGB"):
    """Red on the left, green on the right, 40 wide and 20 high."""
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, :20], pixels[:, 20:] = RED, GREEN
    return Image.fromarray(pixels).convert(mode)


def save(image, path, kind, **options):
    content = io.BytesIO()
    image.save(content, kind, **options)
    path.write_bytes(content.getvalue())
    return path


def assert_colour(pixel, rgb, tolerance=4):
    assert np.abs(np.asarray(pixel, int) - rgb[::-1]).max() <= tolerance


@pytest.mark.parametrize("name", ["a.png", "Übung 手書き.png", "with space.bmp", "x.webp", "x.tif"])
def test_colours_are_bgr_and_any_file_name_will_do(tmp_path, name):
    kind = {"webp": "WEBP", "bmp": "BMP", "tif": "TIFF"}.get(name.split(".")[-1], "PNG")
    options = {"lossless": True} if kind == "WEBP" else {}
    image = load_image(save(two_halves(), tmp_path / name, kind, **options))
    assert (image.shape, image.dtype) == ((20, 40, 3), np.uint8)
    assert_colour(image[10, 5], RED)
    assert_colour(image[10, 35], GREEN)


@pytest.mark.parametrize("mode", ["P", "CMYK"])
def test_palette_and_cmyk(tmp_path, mode):
    kind = "PNG" if mode == "P" else "JPEG"
    image = load_image(save(two_halves(mode), tmp_path / "image", kind))
    assert_colour(image[10, 5], RED, tolerance=45)
    assert_colour(image[10, 35], GREEN, tolerance=45)


@pytest.mark.parametrize("mode", ["L", "1"])
def test_grey_and_black_and_white_get_three_equal_channels(tmp_path, mode):
    image = load_image(save(Image.new(mode, (5, 3), 255), tmp_path / "grey.png", "PNG"))
    assert image.shape == (3, 5, 3)
    assert (image == 255).all()


def test_16_bits_are_scaled_to_8(tmp_path):
    levels = np.array([[0, 257, 128 * 257, 65535]], np.uint16)
    image = load_image(save(Image.fromarray(levels), tmp_path / "deep.png", "PNG"))
    assert image[0, :, 0].tolist() == [0, 1, 128, 255]


def test_transparent_parts_become_white(tmp_path):
    pixels = np.zeros((2, 3, 4), np.uint8)  # black ink ...
    pixels[:, 0, 3], pixels[:, 1, 3] = 255, 51  # ... opaque, a fifth, not at all
    image = load_image(save(Image.fromarray(pixels), tmp_path / "ink.png", "PNG"))
    assert image[0, :, 0].tolist() == [0, 204, 255]


def test_16_bits_with_transparency(tmp_path):
    pixels = np.zeros((2, 2, 4), np.uint16)
    pixels[:, 0, 3] = 65535
    _, content = cv2.imencode(".png", pixels)
    (tmp_path / "deep.png").write_bytes(content.tobytes())
    assert load_image(tmp_path / "deep.png")[0, :, 2].tolist() == [0, 255]


@pytest.mark.parametrize(("ending", "kind"), [("jpg", "JPEG"), ("png", "PNG"), ("webp", "WEBP")])
def test_photos_are_turned_upright(tmp_path, ending, kind):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held turned: show it turned by 90 degrees clockwise
    image = load_image(save(two_halves(), tmp_path / f"photo.{ending}", kind, exif=exif))
    assert image.shape == (40, 20, 3)
    assert_colour(image[3, 10], RED, tolerance=20)
    assert_colour(image[37, 10], GREEN, tolerance=20)


def test_one_pixel_and_very_large(tmp_path):
    assert load_image(save(Image.new("RGB", (1, 1)), tmp_path / "1.png", "PNG")).shape == (1, 1, 3)
    large = Image.new("1", (12_000, 9_000), 1)
    assert load_image(save(large, tmp_path / "large.png", "PNG")).shape == (9_000, 12_000, 3)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"just a note", "cannot be read as an image"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "cannot be read as an image"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 50, "cannot be read as an image"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 50, "HEIC"),
    ],
)
def test_what_is_no_image_is_named_in_one_sentence(tmp_path, content, says, capfd):
    path = tmp_path / "photo.png"
    path.write_bytes(content)
    with pytest.raises(HcrError, match=says) as caught:
        load_image(path)
    assert str(path) in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_cut_image_is_refused_without_noise_on_the_terminal(tmp_path, capfd):
    pixels = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    path = save(Image.fromarray(pixels), tmp_path / "cut.png", "PNG")
    path.write_bytes(path.read_bytes()[:50_000])
    with pytest.raises(HcrError, match="damaged"):
        load_image(path)
    assert capfd.readouterr() == ("", "")


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(HcrError, match="There is no file"):
        load_image(tmp_path / "nowhere.png")
    with pytest.raises(HcrError, match="folder"):
        load_image(tmp_path)
    with pytest.raises(HcrError, match="There is no file"):
        open_source(str(tmp_path / "nowhere.png"))
    with pytest.raises(HcrError, match="Cannot read the folder"):
        list_images(tmp_path / "nowhere")


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1), (4, 5, 3), (4, 5, 4), (1, 1)])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_arrays_of_the_library_become_bgr(shape, kind):
    white = np.full(shape, np.iinfo(kind).max, kind)
    image = to_bgr(white)
    assert (image.shape, image.dtype) == ((*shape[:2], 3), np.uint8)
    assert (image == 255).all()


@pytest.mark.parametrize(
    "array", [np.zeros((0, 5, 3)), np.zeros(5), np.zeros((4, 5, 2)), np.array([["a"]])]
)
def test_what_is_no_picture_is_refused(array):
    with pytest.raises(HcrError, match="is no image"):
        to_bgr(array)


def test_a_folder_in_natural_order_without_its_bad_files(tmp_path):
    for number in (10, 2, 1):
        save(Image.new("L", (8, 4 + number), number), tmp_path / f"img{number}.PNG", "PNG")
    (tmp_path / "img3.jpg").write_bytes(b"no image")
    (tmp_path / "img4.png").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("not asked for")
    (tmp_path / ".hidden.png").write_bytes(b"")
    source = open_source(str(tmp_path))
    assert (source.info.width, source.info.height, source.info.fps) == (8, 5, 0.0)
    assert (source.info.live, source.notice) == (False, "")
    frames = [source.read(), source.read(), source.read()]
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [1, 2, 10]
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert frames[0].time < frames[1].time < frames[2].time
    assert all(frame.still for frame in frames)
    with pytest.raises(EndOfSource):
        source.read()
    assert source.state is SourceState.ENDED
    assert source.notice == "Skipped 2 files that cannot be read: img3.jpg, img4.png."
    assert [name in " ".join(source.skipped) for name in ("img3.jpg", "img4.png")] == [True, True]


def test_folders_without_readable_images(tmp_path):
    with pytest.raises(HcrError, match="holds no images"):
        open_source(str(tmp_path))
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "b.png").write_bytes(b"b")
    with pytest.raises(HcrError, match="None of the 2 images") as caught:
        open_source(str(tmp_path))
    assert "a.png is empty" in str(caught.value)


def test_one_image_is_one_still_frame_whatever_its_ending(tmp_path):
    source = open_source(str(save(two_halves(), tmp_path / "photo.mp4", "JPEG")))
    frame = source.read()
    assert (frame.still, frame.time, frame.image.shape) == (True, 0.0, (20, 40, 3))
    with pytest.raises(EndOfSource):
        source.read()


def test_closing_ends_it(tmp_path):
    source = open_source(str(save(two_halves(), tmp_path / "a.png", "PNG")))
    source.close()
    source.close()
    with pytest.raises(EndOfSource):
        source.read()
