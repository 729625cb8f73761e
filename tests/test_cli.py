"""The command line's surface: what it takes, and what it says when that is wrong."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from hcr_live.cli import main

ROOT = Path(__file__).parent.parent


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    status = main(arguments)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def one_sentence(error: str) -> bool:
    return error.startswith("hcr_live: ") and error.count("\n") == 1 and "Traceback" not in error


def test_help_names_every_option_and_has_examples(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    shown = capsys.readouterr().out
    assert stop.value.code == 0
    for option in (
        *("--source", "--mode", "--alphabet", "--record", "--events", "--no-window", "--mirror"),
        *("--no-mirror", "--width", "--height", "--fps", "--min-confidence", "--max-seconds"),
        *("--layout", "--title", "--excerpt-seconds", "--excerpt-format", "--virtual-camera"),
        *("--speak", "--type", "--clipboard"),
        *("--config", "examples:", "read", "cameras", "backspace"),
    ):
        assert option in shown, option


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--mode", "foo"], "paper"),
        (["--alphabet", "greek"], "letters"),
        (["--min-confidence", "1.5"], "1.5"),
        (["--min-confidence", "nan"], "nan"),
        (["--max-seconds", "0"], "'0'"),
        (["--width", "-3"], "-3"),
        (["--region", "1,2,3"], "1,2,3"),
        (["--region", "0,0,-4,4"], "x,y,w,h"),
        (["--source", "demo", "--no-window", "--region", "5000,0,90,90"], "outside"),
        (["--sauce", "0"], "--sauce"),
        (["--layout", "upside-down"], "side-by-side"),
        (["--title", "two\nlines"], "one line"),
        (["--excerpt-seconds", "31"], "30"),
        (["--excerpt-seconds", "0"], "'0'"),
        (["--excerpt-format", "png"], "webp"),
        (["--source"], "--source"),
        (["reed", "x.png"], "reed"),
        (["read"], "IMAGE_OR_FOLDER"),
        (["--source", "missing.mp4", "--no-window"], "missing.mp4"),
        (["--source", ".", "--no-window", "--record", "out.avi"], ".mp4"),
        (["--source", "missing.png", "--no-window", "--record", "no/such/out.mp4"], "no/such"),
        (["--source", "missing.png", "--no-window", "--model", "missing.tflite"], "missing"),
        (["--config", "missing.toml"], "missing.toml"),
        (["read", "missing.png"], "missing.png"),
        (["read", "missing.png", "--format", "xml"], "json"),
    ],
)
def test_a_wrong_option_or_file_is_one_sentence(capsys, tmp_path, monkeypatch, arguments, named):
    monkeypatch.chdir(tmp_path)
    status, out, error = run(capsys, *arguments)
    assert status == 2
    assert one_sentence(error), error
    assert named in error
    assert out == ""


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("mode = 'water'", "water"),
        ("colour = 1", "colour"),
        ("mode = ", "TOML"),
        ("window = 3", "window"),
        ("no-window = 'yes'", "no-window"),
        ("min-confidence = 7", "min-confidence"),
        ("width = [1, 2]", "width"),
        ("\xff", "TOML"),
    ],
)
def test_a_wrong_config_file_is_one_sentence(capsys, tmp_path, content, named):
    config = tmp_path / "hcr.toml"
    config.write_bytes(content.encode("latin-1"))
    status, _, error = run(capsys, "--config", str(config), "--source", "missing.mp4")
    assert status == 2
    assert one_sentence(error), error
    assert named in error


def test_a_config_file_gives_defaults_and_the_command_line_wins(tmp_path, monkeypatch):
    from hcr_live import live

    seen = []
    monkeypatch.setattr(live, "run", lambda options: seen.append(options) or 0)
    config = tmp_path / "hcr.toml"
    config.write_text(
        "mode = 'air'\nalphabet = 'digits'\nmin_confidence = 0.7\nno-window = true\n"
        "mirror = true\nwidth = 640\nsource = 2\nrecord = 'a.mp4'\n"
    )
    assert main(["--config", str(config), "--mode", "paper", "--no-mirror"]) == 0
    (options,) = seen
    assert options.mode == "paper"
    assert options.mirror is False
    assert options.alphabet == "digits"
    assert options.min_confidence == 0.7
    assert options.window is False
    assert options.width == 640
    assert options.source == "2"
    assert options.record == Path("a.mp4")


def test_the_source_is_never_written_over(capsys, tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"a clip")
    for option in ("--record", "--events"):
        status, _, error = run(
            capsys, "--source", str(path), "--no-window", "--overwrite", option, str(path)
        )
        assert status == 2
        assert one_sentence(error), error
        assert path.read_bytes() == b"a clip"


def test_no_display_is_one_sentence(tmp_path):
    if not sys.platform.startswith("linux"):
        pytest.skip("only X11 can be missing")
    path = tmp_path / "white.png"
    cv2.imwrite(str(path), np.full((60, 80, 3), 255, np.uint8))
    for display in (None, ":987"):
        environment = {"PATH": "/usr/bin"} | ({"DISPLAY": display} if display else {})
        answer = subprocess.run(
            [sys.executable, str(ROOT / "main.py"), "--source", str(path)],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        assert answer.returncode == 2
        assert one_sentence(answer.stderr), answer.stderr
        assert "--no-window" in answer.stderr


def test_the_library_is_light():
    """Importing it loads neither TensorFlow nor MediaPipe nor OpenCV."""
    code = (
        "import sys; from hcr_live import Recognizer; "
        "print([m for m in ('tensorflow', 'mediapipe', 'cv2', 'av') if m in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert answer.stdout.strip() == "[]"
