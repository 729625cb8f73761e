from __future__ import annotations

import cv2
import numpy as np
import pytest

from generator.letters import letter_strokes
from hcr_live.paper.binarise import binarise

SHAPE = (420, 640)
PITCH, TALL = 52, 44


def written(text, pen, seed=0, *, tall=TALL, first=2 * PITCH, pitch=2 * PITCH):
    """Where a pen has been: lines of letters whose lowest ink is on a line of the paper."""
    rng = np.random.default_rng(seed)
    mask = np.zeros(SHAPE, np.uint8)
    for number, line in enumerate(text.split("\n")):
        x = 70.0
        for character in line:
            strokes = letter_strokes(character, rng)
            points = np.concatenate(strokes)
            low, extent = points.min(axis=0), np.ptp(points, axis=0)
            scale = tall / max(extent[1], 0.8 * extent[0])
            corner = (x, first + number * pitch - extent[1] * scale)
            for stroke in strokes:
                path = np.rint(((stroke - low) * scale + corner) * 16).astype(np.int32)
                cv2.polylines(mask, [path], False, 255, pen, cv2.LINE_AA, 4)
            x += extent[0] * scale + 0.5 * tall
    return mask


def lines(kind, thick):
    """What is printed on the paper, uint8."""
    drawn = np.zeros(SHAPE, np.uint8)
    across = np.linspace(0, SHAPE[1], 60)
    rise, bow = {"slanted": (9, 0), "bent": (4, 9)}.get(kind, (0, 0))
    half = PITCH / 2 if kind == "squared" else PITCH
    for y in np.arange(PITCH, SHAPE[0] + PITCH, half):
        place = across / SHAPE[1] - 0.5
        course = np.stack([across, y + rise * place + 4 * bow * place**2], axis=1)
        cv2.polylines(drawn, [np.rint(course * 16).astype(np.int32)], False, 255, thick, 16, 4)
    if kind == "squared":
        for x in range(20, SHAPE[1], PITCH // 2):
            cv2.line(drawn, (x, 0), (x, SHAPE[0]), 255, thick)
    if kind == "dotted":
        drawn[:, np.arange(SHAPE[1]) % 8 > 2] = 0
    return drawn


def photo(mask, printed, darkness=0.75, line=0.35, seed=0):
    light = np.linspace(1.0, 0.75, SHAPE[1])[None]
    values = 225 * (1 - line * (printed / 255.0)) * (1 - darkness * (mask / 255.0)) * light
    values = cv2.GaussianBlur(values, (0, 0), 0.8)
    values += np.random.default_rng(seed).normal(0, 2, SHAPE)
    return np.clip(values, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("kind", ["ruled", "slanted", "bent", "squared", "dotted"])
@pytest.mark.parametrize("thick", [1, 3])
@pytest.mark.parametrize("pen", [3, 7], ids=["ballpoint", "marker"])
def test_bars_that_lie_on_a_line_stay_and_the_line_goes(kind, thick, pen):
    mask = written("ELTZ7HF\nZEL2TIE\nHKXLEDB", pen)
    printed = lines(kind, thick)
    ink = binarise(photo(mask, printed))
    core = cv2.erode(mask, np.ones((2, 2), np.uint8)) > 127
    near = cv2.dilate(mask, np.ones((7, 7), np.uint8)) > 0
    inner = (slice(9, -9), slice(9, -9))
    assert (ink[core & (printed > 0)] > 0).mean() > 0.97
    assert (ink[core] > 0).mean() > 0.98
    assert (ink[inner][(printed > 0)[inner] & ~near[inner]] > 0).mean() < 0.02


def test_a_pencil_no_darker_than_the_lines_is_kept():
    mask, printed = written("KAMV\nWXSO", 4), lines("ruled", 2)
    ink = binarise(photo(mask, printed, darkness=0.45, line=0.4))
    assert (ink[mask > 200] > 0).mean() > 0.95


@pytest.mark.parametrize("text", ["KIRK", "LIFE", "HELL", "K", "H", "T"])
def test_strokes_from_end_to_end_of_a_picture_are_no_ruled_lines(text):
    mask = written(text, 8, tall=200, first=300)
    x, y, w, h = cv2.boundingRect(mask)
    mask = np.ascontiguousarray(mask[y : y + h, max(0, x - 9) : x + w + 9])
    values = 225 * (1 - 0.7 * (mask / 255.0)) + np.random.default_rng(0).normal(0, 2, mask.shape)
    ink = binarise(np.clip(values, 0, 255).astype(np.uint8))
    assert (ink[mask > 200] > 0).mean() > 0.98


@pytest.mark.parametrize("kind", ["ruled", "squared", "bent"])
def test_empty_ruled_paper_has_hardly_any_ink(kind):
    ink = binarise(photo(np.zeros(SHAPE, np.uint8), lines(kind, 2)))
    assert (ink[9:-9, 9:-9] > 0).mean() < 2e-4
