"""Pictures to a virtual camera: their size, and what a slow, failing or missing one does."""

from __future__ import annotations

import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from hcr_live.errors import HcrError
from hcr_live.sinks.virtual_camera import VirtualCamera, fit, make_virtual_camera
from hcr_live.sinks.worker import PictureSink


class FakeCamera:
    """Keeps the pictures sent; takes them only while `free` is set."""

    device = "/dev/video9"

    def __init__(self, width: int = 64, height: int = 36, fps: float = 30, fmt: str = "") -> None:
        self.shape = height, width, 3
        self.sent: list[np.ndarray] = []
        self.free = threading.Event()
        self.free.set()
        self.began = threading.Event()
        self.closed = 0

    def send(self, image: np.ndarray) -> None:
        self.began.set()
        self.free.wait(30)
        if image.shape != self.shape:
            raise ValueError("unexpected frame shape")
        self.sent.append(image)

    def close(self) -> None:
        self.closed += 1


def flat(value: int, width: int = 64, height: int = 36) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def test_pictures_of_any_size_reach_the_camera_in_its_own():
    device = FakeCamera()
    camera: PictureSink = VirtualCamera(device, 64, 36)
    camera.picture(flat(200, 20, 40))
    camera.close()
    camera.close()
    (sent,) = device.sent
    assert sent.shape == (36, 64, 3)
    assert (sent[:, 23:41] == 200).all()
    assert not sent[:, :23].any()
    assert not sent[:, 41:].any()
    assert device.closed == 1


def test_a_picture_of_the_right_size_is_not_copied():
    picture = flat(7)
    assert fit(picture, 64, 36) is picture


def test_a_slow_camera_gets_the_newest_picture_and_holds_up_nothing():
    device = FakeCamera()
    device.free.clear()
    camera = VirtualCamera(device, 64, 36)
    camera.picture(flat(0))
    assert device.began.wait(30)
    for value in range(1, 50):
        camera.picture(flat(value))
    device.free.set()
    camera.close()
    assert [int(image[0, 0, 0]) for image in device.sent] == [0, 49]


def test_a_camera_that_fails_says_so():
    def send(image: np.ndarray) -> None:
        raise OSError("device is gone")

    device = SimpleNamespace(device="x", send=send, close=lambda: None)
    camera = VirtualCamera(device, 64, 36)
    camera.picture(flat(1))
    camera.close()
    assert camera.error == "The virtual camera failed and has ended: device is gone."


def test_the_size_is_made_even(monkeypatch):
    library = SimpleNamespace(Camera=FakeCamera, PixelFormat=SimpleNamespace(BGR="bgr"))
    monkeypatch.setitem(sys.modules, "pyvirtualcam", library)
    camera = make_virtual_camera(641, 361, 30)
    camera.picture(flat(9, 641, 361))
    camera.close()
    assert camera.error == ""
    assert camera.device == "/dev/video9"


@pytest.mark.parametrize(
    ("platform", "todo"),
    [("win32", "OBS Studio"), ("darwin", "OBS Studio"), ("linux", "sudo modprobe v4l2loopback")],
)
def test_a_system_without_one_is_told_what_to_install(monkeypatch, platform, todo):
    def refuse(*arguments: object, **options: object) -> None:
        raise RuntimeError("no device")

    library = SimpleNamespace(Camera=refuse, PixelFormat=SimpleNamespace(BGR="bgr"))
    monkeypatch.setitem(sys.modules, "pyvirtualcam", library)
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(HcrError, match=todo):
        make_virtual_camera(64, 36, 30)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(HcrError, match='pip install "pyvirtualcam'):
        make_virtual_camera(64, 36, 30)
