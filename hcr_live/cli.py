"""The command line: `python main.py [live] ...`, `read ...`, `collect ...`, `serve`, `cameras`."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from hcr_live import __version__
from hcr_live.alphabet import ALPHABETS
from hcr_live.errors import HcrError
from hcr_live.frame import Box
from hcr_live.options import (
    ENGINES,
    EXCERPT_FORMATS,
    KEYS,
    LAYOUTS,
    MODES,
    PENS,
    READ_FORMATS,
    AnnotateOptions,
    CollectOptions,
    LiveOptions,
    ReadOptions,
    ReplayOptions,
    ServeOptions,
)

_LONGEST_EXCERPT = 30  # seconds: more of them would take much memory while they are written

_EXAMPLES = """\
examples:
  python main.py --source demo                     the bundled clip: paper, then air-writing
  python main.py                                   camera 0, paper or air as it comes
  python main.py --source 1 --mode air --alphabet digits
  python main.py --source clip.mp4 --no-window --events out.jsonl
  python main.py --record demo.mp4                 record what the window shows
  python main.py read sheet.jpg scans/ --format json
  python main.py annotate clip.mp4 --out seen.mp4  an annotated copy with sound and subtitles
  python main.py collect --out mine                training data from sheets held up
  python main.py replay out.jsonl                  read the strokes of --events again
  python main.py serve                             a page in the browser, and an HTTP service
  python main.py cameras                           which cameras there are

keys in the window:
""" + "\n".join(f"  {key:<11}{meaning}" for key, meaning in KEYS)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise HcrError(f"{message[:1].upper()}{message[1:]}; see '{self.prog} --help'.")


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number above 0")
    return value


def _excerpt_seconds(text: str) -> float:
    value = _positive(text)
    if value > _LONGEST_EXCERPT:
        raise argparse.ArgumentTypeError(f"'{text}' is more than {_LONGEST_EXCERPT} seconds")
    return value


def _title(text: str) -> str:
    if not text.isprintable():
        raise argparse.ArgumentTypeError("it has to be one line of printable characters")
    return text


def _positive_whole(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number above 0")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port from 0 to 65535")
    return int(text)


def _place(text: str) -> Path | str:
    return text if "://" in text else Path(text)  # Path would make one slash of two


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(origin.strip() for origin in text.split(","))
    for origin in origins:
        parts = urlsplit(origin)
        if origin != "*" and (not parts.netloc or origin != f"{parts.scheme}://{parts.netloc}"):
            raise argparse.ArgumentTypeError(f"'{origin}' is not scheme://host, without a path")
    return origins


def _probability(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 0 to 1")
    return value


def _region(text: str) -> Box:
    parts = text.split(",")
    try:
        x, y, w, h = (int(part) for part in parts)
    except ValueError:
        x = y = w = h = 0
    if min(x, y) < 0 or min(w, h) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not x,y,w,h in whole pixels: 100,50,640,400")
    return Box(x, y, w, h)


def _add_region(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--region",
        type=_region,
        metavar="X,Y,W,H",
        help="read paper only in this part of the picture, in its pixels, left and top first, and "
        "look for no sheet",
    )


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--alphabet",
        choices=ALPHABETS,
        default="letters",
        help="what can be written: letters (26, a and A are one), upper, lower, digits, "
        "alnum (36, a and A are one), all (62, with case); default letters",
    )
    parser.add_argument(
        "--min-confidence",
        type=_probability,
        default=0.5,
        metavar="P",
        help="leave out characters that are less sure, 0 to 1; default 0.5",
    )
    parser.add_argument(
        "--model",
        type=Path,
        metavar="FILE",
        help="another network (.tflite) than the one in models/",
    )
    _add_config(parser)


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="TOML file with any of these options as defaults, such as: alphabet = 'digits'",
    )


def _add_source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--source",
        default="0",
        metavar="WHAT",
        help="camera number, video file, image, folder of images, http or rtsp address, "
        "or demo; default 0",
    )
    parser.add_argument(
        "--width", type=_positive_whole, metavar="PIXELS", help="ask the camera for this width"
    )
    parser.add_argument(
        "--height", type=_positive_whole, metavar="PIXELS", help="ask the camera for this height"
    )
    parser.add_argument(
        "--fps", type=_positive, metavar="N", help="ask the camera for this many frames a second"
    )


def _add_no_window(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--no-window",
        dest="window",
        action="store_false",
        help="show nothing; end with Ctrl-C",
    )


def _add_language(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--language",
        default="en",
        metavar="en|off|FILE",
        help="suggest words while writing in the air: English, none, or those of a file, a word "
        "a line; default en",
    )


def _live_parser(prog: str) -> argparse.ArgumentParser:
    parser = _Parser(
        prog=prog,
        description="Read handwriting live, from paper or from the air, and show it on a window.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_source(parser)
    parser.add_argument(
        "--mode",
        choices=MODES,
        default="auto",
        help="read paper, read the air, or decide by what is seen; default auto",
    )
    _add_common(parser)
    _add_language(parser)
    parser.add_argument(
        "--pen",
        choices=PENS,
        default="auto",
        help="how the pen of the air is held: point with the index finger, pinch it with the "
        "thumb, hold the space bar down; auto understands pointing and pinching; default auto",
    )
    parser.add_argument(
        "--record",
        type=Path,
        metavar="FILE.mp4",
        help="record what the window shows (H.264 in MP4)",
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="let --record replace a file that exists",
    )
    parser.add_argument(
        "--layout",
        choices=LAYOUTS,
        default="overlay",
        help="write on the camera's picture; or show beside it, or in its corner, the last "
        "character as the network saw it, with the probabilities; default overlay",
    )
    parser.add_argument(
        "--title", type=_title, default="", metavar="TEXT", help="a line at the top of the picture"
    )
    parser.add_argument(
        "--excerpt-seconds",
        type=_excerpt_seconds,
        default=5.0,
        metavar="S",
        help="how much the key g saves as an animated picture, 30 at most; default 5",
    )
    parser.add_argument(
        "--excerpt-format",
        choices=EXCERPT_FORMATS,
        default="gif",
        help="of what the key g saves: gif, which every program shows, or webp, much smaller; "
        "default gif",
    )
    parser.add_argument(
        "--virtual-camera",
        action="store_true",
        help="be a camera that calls and streaming programs can choose; needs "
        "pip install pyvirtualcam and a device of the system",
    )
    parser.add_argument(
        "--speak",
        action="store_true",
        help="say each word that is complete; needs pip install prismatoid",
    )
    parser.add_argument(
        "--type",
        action="store_true",
        help="type the text into the window that has the focus, whichever that is",
    )
    parser.add_argument(
        "--clipboard",
        action="store_true",
        help="copy the text to the clipboard whenever it changes",
    )
    parser.add_argument(
        "--events",
        type=Path,
        metavar="FILE.jsonl",
        help="write what is recognised as JSON lines, as it happens; replaces the file; - is "
        "standard output",
    )
    _add_no_window(parser)
    parser.add_argument(
        "--mirror",
        action=argparse.BooleanOptionalAction,
        help="the camera faces the writer: show the picture as in a mirror and read air-writing "
        "as the writer sees it; default on for a camera, off for anything else",
    )
    _add_region(parser)
    parser.add_argument(
        "--max-seconds",
        type=_positive,
        metavar="S",
        help="stop after so many seconds (of the clip, or since the start of the camera)",
    )
    parser.add_argument("--version", action="version", version=f"hcr_live {__version__}")
    return parser


def _read_parser(prog: str) -> argparse.ArgumentParser:
    parser = _Parser(
        prog=prog,
        description="Read pictures and print the text, or write it to a file: images, folders, "
        "'globs*', zip and tar archives, pages of PDFs, frames of videos; here, or at addresses "
        "such as s3://bucket/folder, gs://bucket/scan.png and file:///scans.",
        epilog="examples:\n"
        "  python main.py read sheet.jpg scans/ --format csv --annotate seen/\n"
        "  python main.py read archive.zip letters.pdf --out text.jsonl --resume\n"
        "  python main.py read s3://bucket/scans --engine ray --out s3://bucket/text.parquet",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "images", nargs="+", metavar="IMAGE_OR_FOLDER", help="what to read, in this order"
    )
    _add_common(parser)
    _add_region(parser)
    parser.add_argument(
        "--format",
        choices=READ_FORMATS,
        default="text",
        help="text; json with lines, boxes and candidates; csv with a row a character; "
        "default text",
    )
    parser.add_argument(
        "--annotate",
        type=Path,
        metavar="FOLDER",
        help="also write copies with boxes and letters there",
    )
    parser.add_argument(
        "--out",
        type=_place,
        metavar="FILE",
        help="write to this file instead, a row a picture: .jsonl, .csv (a row a character) or "
        ".parquet; FILE.journal beside it says how far it has come; or to an address",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with --out where an interrupted run has left it; the first time, begin",
    )
    parser.add_argument(
        "--character",
        action="store_true",
        help="each picture shows one character: read faster, and whatever it looks like",
    )
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        default="local",
        help="who reads: processes on this computer, or a Ray cluster, which needs "
        'pip install "ray[data]"; default local',
    )
    parser.add_argument(
        "--address",
        metavar="HOST:PORT",
        help="of the Ray cluster, or auto; default RAY_ADDRESS, or else a cluster of this computer "
        "alone for as long as it takes",
    )
    parser.add_argument(
        "--jobs",
        type=_positive_whole,
        metavar="N",
        help="processes that read; default one a processor",
    )
    parser.add_argument(
        "--every",
        type=_positive,
        default=1.0,
        metavar="SECONDS",
        help="from one frame of a video that is read to the next; default 1",
    )
    return parser


def _annotate_parser(prog: str) -> argparse.ArgumentParser:
    from hcr_live.annotate import add_arguments

    parser = _Parser(
        prog=prog,
        description="Read a video and write an annotated copy with its sound, subtitles of the "
        "text, and the events.",
        epilog="example:\n  python main.py annotate clip.mp4 --out seen.mp4 --layout side-by-side",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_arguments(parser)
    _add_common(parser)
    _add_language(parser)
    _add_region(parser)
    return parser


def _collect_parser(prog: str) -> argparse.ArgumentParser:
    try:
        from train.extract import add_sheet_arguments
    except ModuleNotFoundError as error:
        raise HcrError(
            f"collect needs {error.name}, which is not installed: get the whole project, install"
            " its requirements.txt, and start 'python main.py collect' in its folder."
        ) from error
    parser = _Parser(
        prog=prog,
        description="Make training data from sheets of handwriting that are held up to the camera:"
        " pages of the printed form (python -m train sheet), or plain ones with --labels, or else"
        " asked one by one.",
        epilog="example:\n  python main.py collect --labels 'ABCDE FGHIJ' --out mine",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_sheet_arguments(parser)
    _add_source(parser)
    _add_no_window(parser)
    parser.add_argument(
        "--mirror",
        action=argparse.BooleanOptionalAction,
        help="show the picture as in a mirror; default on for a camera, off for anything else",
    )
    _add_config(parser)
    return parser


def _replay_parser(prog: str) -> argparse.ArgumentParser:
    parser = _Parser(
        prog=prog,
        description="Read the strokes that --events recorded again, without video. Without "
        "--alphabet, in that of the recording.",
        epilog="example:\n  python main.py replay out.jsonl --alphabet digits",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("file", type=Path, metavar="FILE.jsonl", help="what --events wrote")
    _add_common(parser)
    parser.set_defaults(alphabet=None)
    _add_language(parser)
    parser.add_argument(
        "--events", type=Path, metavar="FILE.jsonl", help="write the events of it; - is stdout"
    )
    return parser


def _serve_parser(prog: str) -> argparse.ArgumentParser:
    parser = _Parser(
        prog=prog,
        description="Serve a page for the browser, and the recogniser over HTTP and WebSocket, "
        "described at /docs.",
        epilog="example:\n  HCR_LIVE_TOKEN=secret python main.py serve --host 0.0.0.0 --workers 2",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="where to listen; any other than this machine's own needs a token, in the environment "
        "as HCR_LIVE_TOKEN or by --token-file; default 127.0.0.1",
    )
    parser.add_argument(
        "--port", type=_port, default=8000, metavar="N", help="TCP port, 0 for any; default 8000"
    )
    parser.add_argument(
        "--workers",
        type=_positive_whole,
        default=1,
        metavar="N",
        help="processes that share the port; default 1",
    )
    parser.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help="what clients must show as 'Authorization: Bearer TOKEN'",
    )
    parser.add_argument(
        "--allow-origin",
        type=_origins,
        default=(),
        metavar="ORIGIN,..",
        help="let pages from elsewhere use the service, such as https://example.org, or * for all; "
        "default none",
    )
    parser.add_argument(
        "--model",
        type=Path,
        metavar="FILE",
        help="another network (.tflite) than the one in models/",
    )
    _add_config(parser)
    return parser


def _cameras_parser(prog: str) -> argparse.ArgumentParser:
    return _Parser(prog=prog, description="List the cameras that can be opened.")


def _parse(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> dict[str, object]:
    """Parse the arguments, on top of the defaults of a `--config` file."""
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    first.add_argument("--config", type=Path)
    try:
        config = first.parse_known_args(arguments)[0].config
    except argparse.ArgumentError:
        config = None  # the real parser says what is wrong
    if config is not None:
        from hcr_live.config import read_config

        parser.set_defaults(**read_config(config, parser))
    return vars(parser.parse_args(arguments))


def _run_live(arguments: Sequence[str], prog: str) -> int:
    options = LiveOptions(**_parse(_live_parser(prog), arguments))  # type: ignore[arg-type]
    from hcr_live.live import run

    return run(options)


def _run_read(arguments: Sequence[str], prog: str) -> int:
    values = _parse(_read_parser(prog), arguments)
    values["images"] = tuple(values["images"])  # type: ignore[arg-type]
    from hcr_live.read import run

    return run(ReadOptions(**values))  # type: ignore[arg-type]


def _run_annotate(arguments: Sequence[str], prog: str) -> int:
    options = AnnotateOptions(**_parse(_annotate_parser(prog), arguments))  # type: ignore[arg-type]
    from hcr_live.annotate import run

    return run(options)


def _run_collect(arguments: Sequence[str], prog: str) -> int:
    options = CollectOptions(**_parse(_collect_parser(prog), arguments))  # type: ignore[arg-type]
    from hcr_live.collect import run

    return run(options)


def _run_replay(arguments: Sequence[str], prog: str) -> int:
    options = ReplayOptions(**_parse(_replay_parser(prog), arguments))  # type: ignore[arg-type]
    from hcr_live.replay import run

    return run(options)


def _run_serve(arguments: Sequence[str], prog: str) -> int:
    options = ServeOptions(**_parse(_serve_parser(prog), arguments))  # type: ignore[arg-type]
    from hcr_live.serve import run

    return run(options)


def _run_cameras(arguments: Sequence[str], prog: str) -> int:
    _cameras_parser(prog).parse_args(arguments)
    from hcr_live.sources.camera import list_cameras, no_camera_advice

    cameras = list_cameras()
    for camera in cameras:
        print(camera)
    if not cameras:
        print(no_camera_advice(), file=sys.stderr)
    return 0 if cameras else 1


_COMMANDS = {
    "live": _run_live,
    "read": _run_read,
    "annotate": _run_annotate,
    "collect": _run_collect,
    "replay": _run_replay,
    "serve": _run_serve,
    "cameras": _run_cameras,
}


def _overview(prog: str) -> str:
    return (
        "Live handwriting recognition: hold writing up to the camera, or write in the air.\n\n"
        f"commands:\n"
        f"  {prog} [live] ...     read live from a camera or clip (the default), options below\n"
        f"  {prog} read ...       read still images; see '{prog} read --help'\n"
        f"  {prog} annotate ...   an annotated copy of a video; see '{prog} annotate --help'\n"
        f"  {prog} collect ...    make training data from sheets that are held up; see "
        f"'{prog} collect --help'\n"
        f"  {prog} replay ...     read recorded strokes again; see '{prog} replay --help'\n"
        f"  {prog} serve ...      a page in the browser, and an HTTP service; see "
        f"'{prog} serve --help'\n"
        f"  {prog} cameras        list the cameras that can be opened\n"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Without the program's name; those of the process by default.

    Returns:
        The exit status: 0, 1 where some of the input could not be read, 2 where an argument or
        input is wrong (one sentence on stderr says what).
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    prog = "python main.py" if Path(sys.argv[0]).name == "main.py" else "hcr-live"
    command, rest = "live", arguments
    if arguments and arguments[0] in _COMMANDS:
        command, rest = arguments[0], arguments[1:]
    elif arguments and arguments[0] in ("-h", "--help"):
        print(_overview(prog))
    _let_any_name_be_printed()
    try:
        if command == "live" and rest and not rest[0].startswith("-"):
            known = ", ".join(_COMMANDS)
            raise HcrError(f"Unknown command '{rest[0]}': choose one of {known}.")
        status = _COMMANDS[command](rest, prog if command == "live" else f"{prog} {command}")
        sys.stdout.flush()
        return status
    except HcrError as error:
        print(f"hcr_live: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _discard_output()  # its reader left early
        return 1
    except OSError as error:
        # What no room has a better sentence for: standard output on a full disk, above all.
        _discard_output()
        where = error.filename if error.filename is not None else "the output"
        print(f"hcr_live: Cannot use {where}: {error.strerror or error}.", file=sys.stderr)
        return 2


def _let_any_name_be_printed() -> None:
    """Show what the terminal's encoding lacks as an escape, instead of failing on it."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _discard_output() -> None:
    """Send what is still buffered nowhere: Python would complain about it while it exits."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        return
