"""Locates the characters on the paper in a picture: outline, ink, characters, lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import chain, compress, groupby
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.errors import HcrError
from hcr_live.frame import Box
from hcr_live.paper.binarise import binarise, ink_channel, is_light_on_dark
from hcr_live.paper.blobs import find_blobs
from hcr_live.paper.close_up import find_in_close_up
from hcr_live.paper.components import InkCharacter, find_characters
from hcr_live.paper.layout import arrange, skew, straightened
from hcr_live.paper.printed import printed
from hcr_live.paper.sheet import (
    Quad,
    even_regions,
    find_sheets,
    find_weak_sheets,
    follow_sheet,
    overlap,
    shrink,
)

_WORKING_PIXELS = 250_000
_FINE_PIXELS = 1_600_000
_FINE_BELOW = 20
"""Characters lower than this many working pixels are looked at again in more detail."""

_ENOUGH_HEIGHT = 64.0
"""Writing that is followed need not be larger, in working pixels: thin strokes are seen still."""

_CLOSE_UP_SIDE = 160
"""A picture with a side shorter than this is the crop of one character, not a scene."""

_CROP_SIDE = 420
"""A picture without a longer side shows no scene: cameras give more."""

_BESIDE = 0.15
"""What is smaller than this share of the one character of a close photo is no second one."""

_FOLLOWED_FRAMES = 24
"""After so many frames the sheet is looked for anew: there may be a better one."""

_HELD_FRAMES = 6
"""An outline is kept through this many frames in which none is found."""

_SEARCH_EVERY = 8
"""While writing is read without an outline, one is looked for in every so manyth frame."""

_SMALLEST_REGION = 16

_SMALLEST_GROUND = 0.06
"""A surface without an outline covers at least this share of the frame."""
_MOST_GROUNDS = 2

_LEAST_HEIGHT = 12
"""Pixels; smaller writing alone makes no sheet of what may be a door or a screen."""

_SAMPLE = 128
"""A sheet is judged by so many pixels each way."""

_CELLS = 10
"""A character's outline is known by so many cells each way."""

_FEW = 5
"""Of so few characters it is asked how clearly they stand out."""

_WIDE, _BESIDE_INK, _EVEN = 9, 6, 0.25
"""Pixels beside the ink that are looked at: as many as a pen is wide, up to 9, and 6 more. They
are even where nearly all of them differ by less than this share of what ink stands out by."""

_THUMBNAIL_SHRINK = 3
_CHANGE_OF_LIGHT = 0.07
_CHANGE_OF_INK = 0.35
_CHANGED_PIXELS = 4
"""A sheet has changed where so many pixels of its thumbnail differ by these shares of its light and
of the contrast of its ink."""


@dataclass(frozen=True, eq=False)
class Glyph:
    """One located character.

    Attributes:
        box: In pixels of the source image.
        ink: uint8 (height, width), tight, 255 (ink) on 0, straightened.
        line: Number of its line, from 0.
        word: Number of its word within the line, from 0.
        flat: Its box on the straightened paper, in pixels of that, where tilt and perspective
            are out: only comparable with others of the same page. None where nobody knows it.
        clarity: How much it is darker or lighter than what is beside it, as a share, less where
            that is not even, as beside an edge, in [0, 1]; 1 on a page where it was not asked.
    """

    box: Box
    ink: NDArray[np.uint8]
    line: int = 0
    word: int = 0
    flat: Box | None = None
    clarity: float = 1.0


@dataclass(frozen=True, eq=False)
class Page:
    """What is written in a picture.

    Attributes:
        outline: Corners of the sheet in pixels of the source image, the reader's top left first,
            or None.
        glyphs: The characters in reading order.
        guide: The region that was read, as asked for or because no sheet was found, or None.
    """

    outline: Quad | None
    glyphs: tuple[Glyph, ...] = ()
    guide: Box | None = None


def turned(page: Page, quarter_turns: int) -> Page:
    """Return a page as it reads turned counterclockwise, as `np.rot90` turns its ink.

    Where writing is upside down, 2 puts it right. Boxes stay where they are; corners, inks,
    lines, words and the order change.
    """
    quarters = quarter_turns % 4
    outline = None if page.outline is None else np.roll(page.outline, -quarters, axis=0)
    if not quarters or not page.glyphs:
        return replace(page, outline=outline)
    flat = [_turned_box(glyph.flat or glyph.box, quarters) for glyph in page.glyphs]
    return Page(
        outline,
        tuple(
            replace(
                page.glyphs[index],
                ink=np.ascontiguousarray(np.rot90(page.glyphs[index].ink, quarters)),
                line=line,
                word=word,
                flat=flat[index],
            )
            for index, line, word in arrange(flat, skew(flat))
        ),
        page.guide,
    )


def _turned_box(box: Box, quarters: int, width: int = 0, height: int = 0) -> Box:
    """Return a box after quarter turns counterclockwise of a picture of this size."""
    x, y, w, h = box
    for _ in range(quarters % 4):
        x, y, w, h = y, width - x - w, h, w
        width, height = height, width
    return Box(x, y, w, h)


def _read_turned(
    read: Callable[[NDArray[np.uint8]], Page], image: NDArray[np.uint8], quarters: int
) -> Page:
    """Return what is read in a picture that is turned counterclockwise, where it really is."""
    if not quarters % 4:
        return read(image)
    page = read(np.ascontiguousarray(np.rot90(image, quarters)))
    height, width = image.shape[1::-1] if quarters % 2 else image.shape[:2]
    outline, guide = page.outline, page.guide
    if outline is not None:
        across, down = width, height
        for _ in range(-quarters % 4):
            outline = np.stack([outline[:, 1], across - outline[:, 0]], axis=1)
            across, down = down, across
    return Page(
        outline,
        tuple(
            replace(glyph, box=_turned_box(glyph.box, -quarters, width, height))
            for glyph in page.glyphs
        ),
        None if guide is None else _turned_box(guide, -quarters, width, height),
    )


def guide_box(width: int, height: int) -> Box:
    """Return the region to hold paper in where no outline is found: the middle of the frame."""
    w, h = round(width * 0.6), round(height * 0.7)
    return Box((width - w) // 2, (height - h) // 2, w, h)


def locate(
    image: NDArray[np.uint8],
    region: Box | None = None,
    outline: Quad | None = None,
    quarter_turns: int = 0,
) -> Page:
    """Find the characters in a picture of paper.

    Args:
        image: uint8 (height, width, 3), BGR, any size: a scene with a sheet, a scan, a
            close-up, a crop of one letter, a light drawing on a dark ground.
        region: Read this part as paper instead of looking for a sheet.
        outline: Use this outline instead of looking for a sheet; its first corner is the top
            left of the writing.
        quarter_turns: Read the picture turned counterclockwise by so many; an outline that is
            given says itself how it is turned.

    Returns:
        The page; without glyphs where nothing is written. Where there is no sheet, the whole
        frame is read if nearly all of it is plain ground, else the guide box if that is.
    """
    height, width = image.shape[:2]
    if min(height, width) < 6:
        return Page(None)
    if quarter_turns % 4 and outline is None:
        if region is not None:
            region = _turned_box(region, quarter_turns, width, height)
        return _read_turned(lambda turned: locate(turned, region), image, quarter_turns)
    if region is not None:
        return _read_region(image, _clip(region, width, height))
    if min(height, width) < _CLOSE_UP_SIDE:
        return Page(None, _read_close_up(image))
    if outline is not None:
        return Page(outline, _read_sheet(image, outline))
    sheet, is_written = _written_sheet(image)
    if sheet is not None and is_written:
        return sheet
    without = cache(lambda: _without_sheet(image))
    sheet = _written_weak_sheet(image, without) or sheet
    loose = without()
    # Part of a sheet may pass for one: whichever has more to read.
    if sheet is not None and sheet.glyphs and len(sheet.glyphs) >= len(loose.glyphs):
        return sheet
    if loose.glyphs:
        return loose
    return _large_character(image) or sheet or loose


def _large_character(image: NDArray[np.uint8]) -> Page | None:
    """Return the page of a close photo of one character, or None.

    Its paper may be too grainy, lined or unevenly lit to pass for plain, but one character in
    the middle that fills much of the picture, or of a picture too small for a scene, is read.
    """
    height, width = image.shape[:2]
    if not _is_one_hue(image):
        return None
    glyphs = _read_close_up(image)
    if not glyphs:
        return None
    areas = [glyph.box.w * glyph.box.h for glyph in glyphs]
    largest = glyphs[int(np.argmax(areas))]
    if len(glyphs) > 1 and sorted(areas)[-2] > _BESIDE * max(areas):
        return None
    x, y, w, h = largest.box
    off = max(abs((x + w / 2) / width - 0.5), abs((y + h / 2) / height - 0.5))
    fills = h > 0.25 * min(height, width) and off < 0.25
    if not fills and max(height, width) >= _CROP_SIDE:
        return None
    return Page(None, (replace(largest, line=0, word=0),))


def _without_sheet(image: NDArray[np.uint8]) -> Page:
    """Read the whole frame if nearly all of it is plain ground, else lines on plain parts."""
    height, width = image.shape[:2]
    for part, ground in _plain_grounds(image):
        glyphs = _on_ground(_read_part(image, part, ground), part, ground)
        lines = tuple(chain.from_iterable(_in_lines(glyphs)))
        if part.w * part.h < width * height:
            glyphs = lines
        elif not lines:  # a letter or two, then, that are large
            glyphs = tuple(g for g in glyphs if g.box.h > 0.1 * min(part.w, part.h))
            glyphs = () if all(_is_bar(g.ink) for g in glyphs) else glyphs
        if glyphs:
            return Page(None, glyphs)
    return Page(None, (), guide_box(width, height))


def _on_ground(
    glyphs: tuple[Glyph, ...], part: Box, ground: NDArray[np.uint8]
) -> tuple[Glyph, ...]:
    """Return the glyphs that have ground between their strokes: not the rim of another thing."""
    kept = []
    scale = np.array([ground.shape[1] / part.w, ground.shape[0] / part.h])
    for glyph in glyphs:
        x, y, w, h = glyph.box
        low = (scale * (x - part.x, y - part.y)).astype(int)
        high = np.ceil(scale * (x + w - part.x, y + h - part.y)).astype(int)
        if (ground[low[1] : high[1], low[0] : high[0]] > 0).mean() > 0.4:
            kept.append(glyph)
    return tuple(kept)


def _is_bar(ink: NDArray[np.uint8]) -> bool:
    """Return whether ink may be an I, but as well a table's edge or a gap between two fingers."""
    return max(ink.shape) > 2.5 * min(ink.shape)


def _in_lines(glyphs: tuple[Glyph, ...]) -> Iterator[list[Glyph]]:
    """Yield the glyphs that stand in lines as writing does, at least three of a kind in each.

    They are of one size and one pen, near each other, and not all bars. What has this by
    chance (the features of a face, things on a shelf) is rarely three in a row.
    """
    for _, members in groupby(glyphs, key=lambda glyph: glyph.line):
        line = list(members)
        if len(line) < 3:
            continue
        tall = np.array([glyph.ink.shape[0] for glyph in line], np.float64)
        wide = np.array([glyph.ink.shape[1] for glyph in line], np.float64)
        pen = np.array([pen_width(glyph.ink) for glyph in line])
        height, usual = median(tall.tolist()), median(pen.tolist())
        alike = (tall > 0.45 * height) & (tall < 2.2 * height)
        alike &= (pen > 0.6 * usual) & (pen < 1.7 * usual)
        letters = sum(not _is_bar(glyph.ink) for glyph in line)
        x = np.array([(glyph.flat or glyph.box).x for glyph in line])
        gaps = x[1:] - x[:-1] - wide[:-1]
        near = median(gaps.tolist()) < 1.5 * height
        if alike.sum() >= 3 and letters > 0.4 * len(line) and near:
            yield list(compress(line, alike))


def pen_width(ink: NDArray[np.uint8]) -> float:
    """Return the mean width of strokes, uint8 255 on 0, in pixels: area by half the outline."""
    contours, _ = cv2.findContours(ink, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return 2 * cv2.countNonZero(ink) / max(1.0, sum(len(contour) for contour in contours))


def check_region(region: Box, width: int, height: int) -> None:
    """Make sure that a region is in a picture.

    Raises:
        HcrError: If too little of it is.
    """
    part = _clip(region, width, height)
    if min(part.w, part.h) < _SMALLEST_REGION:
        raise HcrError(
            f"The region {','.join(map(str, region))} is outside of the picture, which has"
            f" {width}x{height} pixels, or too small: give x,y,w,h within it."
        )


def cropped(image: NDArray[np.uint8], region: Box | None) -> NDArray[np.uint8]:
    """Return the part of a picture that a region covers, all of it for None.

    Raises:
        HcrError: If it lies outside.
    """
    if region is None:
        return image
    check_region(region, image.shape[1], image.shape[0])
    x, y, w, h = region
    return image[y : y + h, x : x + w]


class PageFinder:
    """Locates frame after frame: follows the outline, and holds it through a few bad frames.

    Args:
        region: See `locate`.
    """

    def __init__(self, region: Box | None = None) -> None:
        self._region = region
        self._outline: Quad | None = None
        self._missed = 0
        self._followed = 0
        self._read: Page | None = None
        self._read_from: NDArray[np.uint8] | None = None
        self._seen: NDArray[np.uint8] | None = None
        self._bare: Page | None = None
        self._quarters = 0
        self._weak = False
        self._since_search = 0
        self._count = 0
        self._share = 1.0

    def locate(self, image: NDArray[np.uint8]) -> Page:
        """Return the page in the next frame, uint8 (height, width, 3) BGR; see `locate`.

        Where the last frame showed no sheet, looking for one, for one that hardly stands out,
        and reading without one take turns: all together are too long for one frame of a camera.
        """
        if self._region is not None or min(image.shape[:2]) < _CLOSE_UP_SIDE:
            return locate(image, self._region, quarter_turns=self._quarters)
        search = self._search_is_due()
        page = self._follow(image)
        if page is None and search:
            page = self._search(image)
        self._since_search = 0 if search else self._since_search + 1
        if page is not None:
            self._outline, self._missed, self._bare = page.outline, 0, None
            self._quarters = 0  # from here on the order of its corners says it
            self._read, self._read_from, self._seen = page, image, None
            self._choose_detail(page)
            return page
        if self._outline is not None:
            if not search:
                return Page(self._outline)
            self._missed += 1
            if self._missed <= _HELD_FRAMES:
                return locate(image, outline=self._outline)
        self._outline = self._read = self._read_from = None
        if self._bare is None or not search:
            self._bare = _read_turned(_without_sheet, image, self._quarters)
            self._quarters *= bool(self._bare.glyphs)
        return self._bare

    def _search(self, image: NDArray[np.uint8]) -> Page | None:
        """Look for the kind of sheet that there was, or, where there was none, for the other."""
        if self._weak:
            without = partial(_read_turned, _without_sheet, image, self._quarters)
            page = _written_weak_sheet(image, without, self._outline, self._quarters)
            is_written = page is not None
        else:
            page, is_written = _written_sheet(image, self._outline, self._quarters)
        if not is_written:
            self._weak = not self._weak
        return page

    def turn(self, quarter_turns: int) -> None:
        """Read what is in view turned counterclockwise from now on, for as long as it is seen.

        Args:
            quarter_turns: From how it is read now; 2 if that is upside down. See `turned`.
        """
        if self._outline is None:
            self._quarters = (self._quarters + quarter_turns) % 4
            self._bare = None
            return
        self._outline = np.roll(self._outline, -quarter_turns, axis=0)
        self._read = None if self._read is None else turned(self._read, quarter_turns)
        if self._seen is not None:
            self._seen = np.ascontiguousarray(np.rot90(self._seen, quarter_turns))

    def _search_is_due(self) -> bool:
        if self._read is not None:
            return bool(self._read.glyphs) or self._since_search >= 1
        if self._bare is None:
            return True
        both_failed = not self._weak  # the search for the other kind comes next, then a rest
        return self._since_search >= (_SEARCH_EVERY - 1 if self._bare.glyphs and both_failed else 1)

    def glance(self, image: NDArray[np.uint8], *, closely: bool = True) -> Page | None:
        """Return the last page where its outline is now, without reading it anew.

        A fifth of the work of `locate`, for a page on which nothing changes. None where there
        was no outline, or it can't be followed.

        Args:
            image: The next frame, uint8 (height, width, 3) BGR.
            closely: None as well where the sheet does not look as it did.
        """
        if self._read is None or self._outline is None or self._missed:
            return None
        outline = follow_sheet(image, self._outline)
        if outline is None or (closely and self._has_changed(image, outline)):
            return None
        self._outline = outline
        return _moved(self._read, outline)

    def _has_changed(self, image: NDArray[np.uint8], outline: Quad) -> bool:
        """Whether the sheet does not look as it did when it was read."""
        if self._read_from is not None and self._read is not None:
            assert self._read.outline is not None
            self._seen = _thumbnail(self._read_from, self._read.outline)
            self._read_from = None
        if self._seen is None:
            return True
        return _differ(self._seen, _thumbnail(image, outline, self._seen.shape))

    def _follow(self, image: NDArray[np.uint8]) -> Page | None:
        """Return the page at the outline of the last frame, if writing is on it still."""
        self._followed += 1
        if self._outline is None or self._missed or self._followed > _FOLLOWED_FRAMES:
            self._followed = 0
            return None
        outline = follow_sheet(image, self._outline)
        page = None if outline is None else Page(outline, _read_sheet(image, outline, self._share))
        if page is None or not page.glyphs:
            self._followed = 0
            return None
        return page

    def _choose_detail(self, page: Page) -> None:
        """Look at large writing in less detail next time, while nothing else comes or goes."""
        heights = [glyph.box.h for glyph in page.glyphs]
        share = 1.0
        if len(heights) == self._count and heights:
            share = min(1.0, (_ENOUGH_HEIGHT / min(heights)) ** 2)
        self._count, self._share = len(heights), share


def _moved(page: Page, outline: Quad) -> Page:
    """Return a page as it looks at another place."""
    if page.outline is None or not page.glyphs:
        return Page(outline)
    motion = cv2.getPerspectiveTransform(page.outline, outline)
    boxes = np.array([glyph.box for glyph in page.glyphs], np.float32)
    ends = np.stack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
    low, high = cv2.perspectiveTransform(ends, motion).transpose(1, 0, 2)
    size = np.maximum(np.rint(high - low), 1).astype(int).tolist()
    places = np.rint(low).astype(int).tolist()
    return Page(
        outline,
        tuple(
            replace(glyph, box=Box(*place, *extent))
            for glyph, place, extent in zip(page.glyphs, places, size, strict=True)
        ),
    )


def _thumbnail(
    image: NDArray[np.uint8], outline: Quad, shape: tuple[int, ...] | None = None
) -> NDArray[np.uint8]:
    """Return the sheet small, grey and straightened, uint8 of that shape or of the sheet's own."""
    if shape is None:
        sides = np.linalg.norm(np.roll(outline, -1, axis=0) - outline, axis=1)
        across, down = max(sides[0], sides[2]), max(sides[1], sides[3])
        shape = tuple(max(16, round(float(side) / _THUMBNAIL_SHRINK)) for side in (down, across))
    x, y, w, h = cv2.boundingRect(outline)
    part = _clip(Box(x, y, w, h), image.shape[1], image.shape[0])
    size = (max(1, part.w // _THUMBNAIL_SHRINK), max(1, part.h // _THUMBNAIL_SHRINK))
    cut = image[part.y : part.y + part.h, part.x : part.x + part.w]
    grey = cv2.resize(cv2.cvtColor(cut, cv2.COLOR_BGR2GRAY), size, interpolation=cv2.INTER_AREA)
    height, width = shape
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    in_part = (outline - np.array([part.x, part.y], np.float32)) * np.divide(
        size, (part.w, part.h), dtype=np.float32
    )
    to_sheet = cv2.getPerspectiveTransform(in_part.astype(np.float32), flat)
    return cv2.warpPerspective(grey, to_sheet, (width, height), borderMode=cv2.BORDER_REPLICATE)


def _differ(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> bool:
    """Whether two thumbnails show different ink: brighter light and a pixel's shift do not count.

    Nor does the rim, where what lies behind the sheet shows.
    """
    rim = max(3, round(0.04 * min(before.shape)))
    before, after = (picture[rim:-rim, rim:-rim] for picture in (before, after))
    light = cv2.mean(before)[0]
    after = cv2.convertScaleAbs(after, alpha=light / max(1.0, cv2.mean(after)[0]))
    around = np.ones((5, 5), np.uint8)
    # Ink that came and ink that went, each where the other picture has none nearby.
    darker = cv2.max(
        cv2.subtract(cv2.erode(before, around), after),
        cv2.subtract(cv2.erode(after, around), before),
    )
    lighter = cv2.max(
        cv2.subtract(after, cv2.dilate(before, around)),
        cv2.subtract(before, cv2.dilate(after, around)),
    )
    # Fine strokes look paler or darker as they fall on other pixels: by a share of their contrast.
    total = np.cumsum(cv2.calcHist([before], [0], None, [256], [0, 256]))
    dark, bright = np.searchsorted(total, total[-1] * np.array([0.005, 0.995])).tolist()
    enough = max(_CHANGE_OF_LIGHT * light, _CHANGE_OF_INK * (bright - dark))
    changed = cv2.compare(cv2.max(darker, lighter), enough, cv2.CMP_GT)
    return cv2.countNonZero(changed) >= _CHANGED_PIXELS


def _written_sheet(
    image: NDArray[np.uint8], before: Quad | None = None, quarters: int = 0
) -> tuple[Page | None, bool]:
    """Return the first sheet surely written on, else the likeliest or None; and whether it is.

    A window or a screen looks like a sheet, but nothing is written on it.

    Args:
        image: uint8 (height, width, 3), BGR.
        before: The outline of an earlier frame: where it is found again, it keeps its top.
        quarters: How another sheet is turned counterclockwise.
    """
    likeliest: Page | None = None
    for outline in find_sheets(image):
        page = _read_outline(image, outline, before, quarters)
        if _is_surely_written(page):
            return page, True
        if likeliest is None or (page.glyphs and not likeliest.glyphs):
            likeliest = page
    return likeliest, False


def _written_weak_sheet(
    image: NDArray[np.uint8],
    without_sheet: Callable[[], Page],
    before: Quad | None = None,
    quarters: int = 0,
) -> Page | None:
    """Return the first of the weak sheets that is surely written on, or None; see above.

    What is read where it is no sheet is asked of `without_sheet`, once it matters.
    """
    for outline in find_weak_sheets(image):
        page = _read_outline(image, outline, before, quarters)
        if _is_surely_written(page):
            # Lines on a board, a shadow's edges: then more is written beside them.
            beside = len(without_sheet().glyphs)
            return page if beside < 1.2 * len(page.glyphs) else None
    return None


def _is_surely_written(page: Page) -> bool:
    """Return whether there is more on a sheet than a few specks: a line, or a large letter.

    The keys of a keyboard, the handle of a door and what is printed on a box are smaller.
    """
    assert page.outline is not None
    side = float(np.sqrt(cv2.contourArea(page.outline)))
    readable, largest = [], 0
    for glyph in page.glyphs:
        x, y, w, h = glyph.box
        # What crosses the edge is what lies on it or before it.
        if cv2.pointPolygonTest(page.outline, (x + w / 2, y + h / 2), True) > 0.5 * max(w, h):
            if max(w, h) > max(_LEAST_HEIGHT, 0.04 * side):
                readable.append(glyph)
            # A bar alone parts the panes of a window.
            largest = max(largest, 0 if _is_bar(glyph.ink) else max(w, h))
    if largest > 0.2 * side:
        return True
    return len(readable) > 0.5 * len(page.glyphs) and any(_in_lines(tuple(readable)))


def _read_outline(
    image: NDArray[np.uint8], outline: Quad, before: Quad | None, quarters: int
) -> Page:
    """Return the page on an outline; see `_written_sheet`."""
    if before is not None and overlap(outline, before):
        turns = [np.roll(outline, -k, axis=0) for k in range(4)]
        outline = min(turns, key=lambda quad: float(np.abs(quad - before).sum()))
    else:
        outline = np.roll(outline, -quarters, axis=0)
    return Page(outline, _read_sheet(image, outline))


def _clip(region: Box, width: int, height: int) -> Box:
    x, y = max(0, min(region.x, width)), max(0, min(region.y, height))
    right = max(x, min(region.x + region.w, width))
    bottom = max(y, min(region.y + region.h, height))
    return Box(x, y, right - x, bottom - y)


def _read_sheet(image: NDArray[np.uint8], outline: Quad, share: float = 1.0) -> tuple[Glyph, ...]:
    """Straighten the sheet and read it, in more detail where the writing is small.

    Args:
        image: uint8 (height, width, 3), BGR.
        outline: Corners of the sheet in its pixels.
        share: How many of the sheet's own pixels are enough, in (0, 1].
    """
    sides = np.linalg.norm(np.roll(outline, -1, axis=0) - outline, axis=1)
    across, down = float(max(sides[0], sides[2])), float(max(sides[1], sides[3]))
    if across < 12 or down < 12:
        return ()
    glyphs: tuple[Glyph, ...] = ()
    x, y, w, h = cv2.boundingRect(outline)
    part = _clip(Box(x - 2, y - 2, w + 4, h + 4), image.shape[1], image.shape[0])
    if min(part.w, part.h) < 6:
        return ()
    cut = image[part.y : part.y + part.h, part.x : part.x + part.w]
    in_part = outline - np.array([part.x, part.y], np.float32)
    low, high = -0.05 * _SAMPLE, 1.05 * _SAMPLE  # without the sheet's rim
    corners = np.array([[low, low], [high, low], [high, high], [low, high]], np.float32)
    to_sample = cv2.getPerspectiveTransform(in_part.astype(np.float32), corners)
    sample = cv2.warpPerspective(cut, to_sample, (_SAMPLE, _SAMPLE), flags=cv2.INTER_NEAREST)
    grey = ink_channel(cut, sample=sample)
    for pixels in (min(_WORKING_PIXELS, share * across * down), _FINE_PIXELS):
        scale = min(1.0, float(np.sqrt(pixels / (across * down))))
        source, shrunk = grey, 1.0
        if scale < 0.6:
            # Warping looks at 2 x 2 pixels only: shrink before, or thin strokes are lost.
            shrunk = scale * 1.2
            source = cv2.resize(grey, None, fx=shrunk, fy=shrunk, interpolation=cv2.INTER_AREA)
        size = (max(8, round(across * scale)), max(8, round(down * scale)))
        flat = np.array([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]], np.float32)
        to_sheet = cv2.getPerspectiveTransform((in_part * shrunk).astype(np.float32), flat)
        surface = cv2.warpPerspective(
            source, to_sheet, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        inverted = is_light_on_dark(surface)
        characters = find_characters(binarise(surface, light_on_dark=inverted))
        to_source = cv2.getPerspectiveTransform(flat, outline.astype(np.float32))
        glyphs = _arranged(characters, to_source, straighten=False, surface=surface)
        if scale == 1.0 or not _is_small(characters):
            break
    return glyphs


def _read_part(
    image: NDArray[np.uint8], part: Box, ground: NDArray[np.uint8] | None = None
) -> tuple[Glyph, ...]:
    """Read an upright part of the image as paper; `ground` as `_plain_ground` returns it."""
    if min(part.w, part.h) < 6:
        return ()
    cut = image[part.y : part.y + part.h, part.x : part.x + part.w]
    glyphs: tuple[Glyph, ...] = ()
    for pixels in (_WORKING_PIXELS, _FINE_PIXELS):
        scale = min(1.0, float(np.sqrt(pixels / (part.w * part.h))))
        size = (max(4, round(part.w * scale)), max(4, round(part.h * scale)))
        small = cv2.resize(cut, size, interpolation=cv2.INTER_AREA) if scale < 1 else cut
        grey = ink_channel(small)
        inverted = is_light_on_dark(grey)
        around = None
        if ground is not None:
            around = cv2.resize(ground, size, interpolation=cv2.INTER_NEAREST)
        ink = binarise(grey, light_on_dark=inverted)
        if ground is not None:
            ink = _without_frames(ink)
        characters = find_characters(ink, ground=around)
        to_source = np.array(
            [[part.w / size[0], 0, part.x], [0, part.h / size[1], part.y], [0, 0, 1]], np.float64
        )
        glyphs = _arranged(characters, to_source, straighten=True, surface=grey)
        few = ground is not None and len(characters) < 3
        if scale == 1.0 or few or not _is_small(characters):
            break
    return glyphs


def _without_frames(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return ink without what reaches around or along other ink: the edge of a sheet, a table."""
    _, labels, stats, centres = find_blobs(ink)
    width, height = stats[:, 2], stats[:, 3]
    things = centres[1:][np.maximum(width, height)[1:] > 0.01 * max(ink.shape)]
    ink = ink.copy()
    large = np.flatnonzero((width > 0.3 * ink.shape[1]) | (height > 0.3 * ink.shape[0]))
    for x, y, w, h, number in ((*stats[k, :4].tolist(), k) for k in large.tolist() if k):
        inside = (things > (x, y)).all(axis=1) & (things < (x + w, y + h)).all(axis=1)
        beside = len(things) > 4 and 10 * min(w, h) < max(w, h)
        if beside or np.count_nonzero(inside) > 3:
            ink[y : y + h, x : x + w][labels[y : y + h, x : x + w] == number] = 0
    return ink


def _read_region(image: NDArray[np.uint8], region: Box) -> Page:
    """Read a part that somebody framed, and what is around it, so that light and lines are known.

    In a frame that fits one line, the stems of its letters run from end to end as ruled lines do.
    """
    x, y, w, h = region
    margin = min(w, h) // 2
    around = Box(x - margin, y - margin, w + 2 * margin, h + 2 * margin)
    glyphs = _read_part(image, _clip(around, image.shape[1], image.shape[0]))
    middles = [(g.box.x + g.box.w / 2 - x, g.box.y + g.box.h / 2 - y) for g in glyphs]
    inside = [0 <= across <= w and 0 <= down <= h for across, down in middles]
    return Page(None, tuple(compress(glyphs, inside)), region)


def _read_close_up(image: NDArray[np.uint8]) -> tuple[Glyph, ...]:
    """Read a small picture that one character, or a few, fills."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    part = _unpadded(grey)
    inside = slice(part.y, part.y + part.h), slice(part.x, part.x + part.w)
    inverted = is_light_on_dark(grey[inside])
    characters, (width, height) = find_in_close_up(image[inside], light_on_dark=inverted)
    to_source = np.array(
        [[part.w / width, 0, part.x], [0, part.h / height, part.y], [0, 0, 1]], np.float64
    )
    return _arranged(characters, to_source, straighten=False)


def _unpadded(grey: NDArray[np.uint8]) -> Box:
    """Return the photo within an even margin that somebody put around it, or the whole."""
    height, width = grey.shape
    margin = int(grey[0, 0])
    x, y, w, h = cv2.boundingRect(cv2.inRange(grey, max(0, margin - 3), min(255, margin + 3)) ^ 255)
    if min(w, h) < 6 or (w, h) == (width, height):
        return Box(0, 0, width, height)
    photo = grey[y : y + h, x : x + w]
    ring = np.concatenate([photo[0], photo[-1], photo[:, 0], photo[:, -1]]).astype(int)
    # Around plain ink the ring of its box is mostly ground as well: nothing was put there.
    if (np.abs(ring - margin) > 3).mean() < 0.7:
        return Box(0, 0, width, height)
    return Box(x, y, w, h)


def _is_one_hue(image: NDArray[np.uint8]) -> bool:
    """Return whether nearly all of an image is of one hue, as paper is in any light."""
    small = shrink(image, min(1.0, 160 / max(image.shape[:2])))
    hue = cv2.cvtColor(small, cv2.COLOR_BGR2LAB)[..., 1:].reshape(-1, 2).astype(np.int16)
    return bool((np.abs(hue - np.median(hue, axis=0)).max(axis=1) < 8).mean() > 0.85)


def _plain_grounds(image: NDArray[np.uint8]) -> Iterator[tuple[Box, NDArray[np.uint8]]]:
    """Find plain surfaces on which something may be written, the largest first.

    Yields:
        A part of the image, all of it where one surface nearly fills it, and a small mask of
        that part: 255 is the surface, 127 what is within a few pixels of it, 0 the rest.
    """
    height, width = image.shape[:2]
    small = shrink(image, 320 / max(height, width))
    # Closing fills ruled lines, which would cut a surface to strips.
    filled = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    even = even_regions(filled, cv2.cvtColor(filled, cv2.COLOR_BGR2GRAY), 1.5)
    contours, tree = cv2.findContours(even, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    outer = tree[0][:, 3] < 0 if contours else ()
    contours = list(compress(contours, outer))
    areas = np.array([cv2.contourArea(contour) for contour in contours])
    colours = cv2.cvtColor(small, cv2.COLOR_BGR2LAB)
    rows, columns = even.shape
    for index in np.argsort(-areas)[:_MOST_GROUNDS].tolist():
        if areas[index] < _SMALLEST_GROUND * even.size:
            return
        surface = np.zeros_like(even)
        cv2.drawContours(surface, contours, index, 255, -1)
        x, y, w, h = cv2.boundingRect(contours[index])
        if areas[index] > 0.6 * even.size and w > 0.8 * columns and h > 0.8 * rows:
            surface[:] = 255
            x, y, w, h = 0, 0, columns, rows
        inside = slice(y, y + h), slice(x, x + w)
        ground, sure = _alike(colours[inside], cv2.bitwise_and(surface, even)[inside])
        ground = cv2.bitwise_and(ground, surface[inside])
        whole = cv2.countNonZero(surface) == surface.size
        if not whole and _holes(surface[inside], ground) < 3:
            continue
        near = cv2.dilate(ground, np.ones((7, 7), np.uint8)) // 2
        part = Box(
            x * width // columns, y * height // rows, w * width // columns, h * height // rows
        )
        yield part, cv2.max(cv2.bitwise_and(ground, sure), near)


def _holes(surface: NDArray[np.uint8], ground: NDArray[np.uint8]) -> int:
    """Return how many things, of the size of letters at least, lie within a surface."""
    inner = cv2.erode(surface, np.ones((3, 3), np.uint8), borderValue=0)
    things, _ = cv2.findContours(
        cv2.bitwise_and(inner, cv2.bitwise_not(ground)), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    return sum(max(cv2.boundingRect(thing)[2:]) >= 3 for thing in things)


def _alike(
    colours: NDArray[np.uint8], surface: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return masks, 0 or 255, of what looks like most of a surface does; LAB colours.

    The second mask is stricter: even a thin stroke, of which a small picture shows only a pale
    trace, is not in it.
    """
    light, green_red, blue_yellow = cv2.mean(colours, surface)[:3]
    alike = cv2.inRange(
        colours,
        (max(0.0, 0.6 * light - 10), green_red - 10, blue_yellow - 10),
        (min(255.0, 1.4 * light + 10), green_red + 10, blue_yellow + 10),
    )
    # The middle of a wide pale stroke is darker than the paper around it, or lighter.
    lightness = cv2.extractChannel(colours, 0)
    rows, columns = lightness.shape
    coarse = cv2.resize(lightness, (columns // 4 + 1, rows // 4 + 1), interpolation=cv2.INTER_AREA)
    around = cv2.resize(cv2.medianBlur(coarse, 11), (columns, rows))
    apart = cv2.absdiff(lightness, around)
    near, same = (
        cv2.compare(apart, cv2.convertScaleAbs(around, alpha=by, beta=100 * by), cv2.CMP_LE)
        for by in (0.1, 0.03)
    )
    return cv2.bitwise_and(alike, near), same


def _is_small(characters: list[InkCharacter]) -> bool:
    heights = [c.box.h for c in characters]
    return bool(heights) and median(heights) < _FINE_BELOW


def _arranged(
    characters: list[InkCharacter],
    to_source: NDArray[np.float64],
    *,
    straighten: bool,
    surface: NDArray[np.uint8] | None = None,
) -> tuple[Glyph, ...]:
    """Order characters and give their boxes in source pixels; print is left out.

    Args:
        characters: Boxes in pixels of the flattened paper.
        to_source: float64 (3, 3), homography from there to the source image.
        straighten: Turn the ink so that slanting lines become level.
        surface: The flattened paper, for how clearly a few characters stand out.
    """
    if not characters:
        return ()
    clear = [1.0] * len(characters)
    if surface is not None and len(characters) <= _FEW:
        clear = [_clarity(character, surface) for character in characters]
    boxes, inks = [c.box for c in characters], [c.ink for c in characters]
    in_source = _source_boxes(characters, to_source)
    slope = skew(boxes)
    if straighten and abs(slope) > 4:
        boxes, inks = straightened(boxes, inks, slope)
        slope = 0.0
    order = arrange(boxes, slope, inks)
    # Before it is turned: the slope of words that lie on their side is none.
    foreign = printed(
        [characters[index].box for index, _, _ in order],
        [inks[index] for index, _, _ in order],
        [line for _, line, _ in order],
    )
    return tuple(
        Glyph(in_source[index], inks[index], line, word, boxes[index], clear[index])
        for index, line, word in compress(order, ~foreign)
    )


def _clarity(character: InkCharacter, surface: NDArray[np.uint8]) -> float:
    """Return how much ink stands out from what is beside it; see `Glyph`.

    A pen leaves a line on one ground. An edge (of a sheet, a window, a hand) has two, and a crease
    or a stain hardly stands out from its own.
    """
    x, y, w, h = character.box
    beside = min(round(pen_width(character.ink)), _WIDE) + _BESIDE_INK
    low = max(0, x - beside), max(0, y - beside)
    around = surface[low[1] : y + h + beside, low[0] : x + w + beside]
    ink = np.zeros_like(around)
    ink[y - low[1] : y - low[1] + h, x - low[0] : x - low[0] + w] = character.ink
    near, far = (cv2.dilate(ink, np.ones((k, k), np.uint8)) for k in (7, 2 * beside - 1))
    smooth = cv2.blur(around, (3, 3))  # grain is no second ground
    sums = [
        cv2.calcHist([smooth], [0], mask, [256], [0, 256]).cumsum()
        for mask in (cv2.bitwise_xor(near, far), ink)
    ]
    if sums[0][-1] < 8:
        return 1.0
    dark, usual, light = np.searchsorted(sums[0], np.array([0.15, 0.5, 0.85]) * sums[0][-1])
    pen = float(np.searchsorted(sums[1], 0.5 * sums[1][-1]))
    apart = abs(float(usual) - pen)
    uneven = (light - dark) / max(4.0, apart)
    return float(apart / max(usual, pen, 1.0)) * min(1.0, _EVEN / max(uneven, 1e-6))


def _source_boxes(characters: list[InkCharacter], to_source: NDArray[np.float64]) -> list[Box]:
    """Return the box around each character's ink in source pixels: tighter than its box's."""
    boxes = np.array([character.box for character in characters], np.float64)
    cells = np.array([_cells(character.ink) for character in characters]) > 0
    # The corners of a cell are needed where any of the four cells around them has ink.
    corners = np.zeros((len(cells), _CELLS + 1, _CELLS + 1), np.bool_)
    for down in (0, 1):
        for across in (0, 1):
            corners[:, down : down + _CELLS, across : across + _CELLS] |= cells
    share = np.arange(_CELLS + 1) / _CELLS
    x = (boxes[:, 0, None] + boxes[:, 2, None] * share)[:, None]
    y = (boxes[:, 1, None] + boxes[:, 3, None] * share)[..., None]
    u, v, scale = (row[0] * x + row[1] * y + row[2] for row in to_source)
    low, high = [], []
    for seen in (u / scale, v / scale):
        low.append(np.where(corners, seen, np.inf).reshape(len(cells), -1).min(axis=1))
        high.append(np.where(corners, seen, -np.inf).reshape(len(cells), -1).max(axis=1))
    place = np.floor(low)
    size = np.maximum(1, np.ceil(high) - place)
    return [Box(*box) for box in np.concatenate([place, size]).astype(int).T.tolist()]


def _cells(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return ink in so few pixels that each says whether there is any, uint8 (_CELLS, _CELLS)."""
    return cv2.resize(ink, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
