"""What a batch reads: files, folders, globs, members of archives, pages of PDFs, video frames."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from hcr_live.batch import urls
from hcr_live.batch.task import Task
from hcr_live.errors import HcrError

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".wmv", ".3gp"}
)
_TAR_ENDINGS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_LARGEST_MEMBER = 200 << 20
"""Bytes; a larger one is no picture, but would fill the memory."""

_PAGE_DPI = 150
_POINTS_PER_INCH = 72
_LONGEST_PAGE = 4000
"""Pixels of a side."""

Wanted = Callable[[str], bool]
"""Asked of each source by its name, in order, before its content is read; False: pass it over."""


def tasks_of(
    given: Iterable[str | Path],
    *,
    every: float = 1.0,
    wanted: Wanted = lambda source: True,
) -> Iterator[Task]:
    """Yield a task for each picture, in the order in which they are given.

    What cannot be opened becomes a task whose `error` says why, so that it has its place in the
    order as well. A folder stands for the pictures, PDFs, videos and archives in it (not in its
    folders), img2 before img10; an archive for the images in it.

    Args:
        given: Files, folders and globs ("scans/**/*.png", which go into folders), or addresses of
            files and folders, see `urls.py`.
        every: Seconds from one frame of a video that is read to the next.
        wanted: Which to yield.
    """
    for each in given:
        for path in files_of(str(each)):
            if isinstance(path, HcrError):
                if wanted(str(each)):
                    yield Task(str(each), error=str(path))
            else:
                yield from tasks_in(path, every, wanted)


def count_of(given: Iterable[str | Path], *, every: float = 1.0) -> int | None:
    """Return about how many tasks there are, for a progress bar; None where only reading tells."""
    count = 0
    for each in given:
        if urls.is_url(each):
            return None  # to list them twice would take long
        for path in files_of(str(each)):
            kind = None if isinstance(path, HcrError) else _kind(path)
            if kind is _tar_members:
                return None
            if kind is _frames:
                count += max(1, int(_seconds(str(path)) / every))
            elif kind is None:
                count += 1
            else:
                count += count_in(str(path), every)
    return count


def page_picture(path: str, page: int) -> NDArray[np.uint8]:
    """Return a page of a PDF as it would be scanned, uint8 (height, width, 3) BGR.

    Raises:
        HcrError: If the library for PDFs is missing, or the page cannot be drawn.
    """
    pdfium = _pdfium()
    try:
        document = pdfium.PdfDocument(path)
        try:
            drawn = document[page]
            dots = _PAGE_DPI / _POINTS_PER_INCH
            scale = min(dots, _LONGEST_PAGE / max(drawn.get_size()))
            image = drawn.render(scale=scale, rev_byteorder=False).to_numpy()
            return np.ascontiguousarray(image[..., :3])
        finally:
            document.close()
    except (pdfium.PdfiumError, OSError, ZeroDivisionError) as error:
        raise HcrError(f"Page {page + 1} of {path} cannot be drawn: {_said(error)}.") from error


def files_of(given: str) -> Iterator[str | HcrError]:
    """Yield the files that a file, folder or glob stands for, or why there are none."""
    try:
        if urls.is_url(given):
            yield from _at_url(given)
            return
        if os.path.isdir(given):
            yield from _in_folder(given)
            return
        if any(mark in given for mark in "*?[") and not os.path.exists(given):
            yield from _in_glob(given)
            return
    except HcrError as error:
        yield error
        return
    yield given


def _in_folder(folder: str) -> Iterator[str]:
    from hcr_live.sources.images import natural_key

    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if _is_read(entry.name) and entry.is_file()]
    except OSError as error:
        raise HcrError(f"Cannot read {folder}: {error.strerror}.") from error
    if not names:
        raise _nothing_in(folder)
    before = str(Path(folder, "x"))[:-1]  # as a path writes it: "./" before nothing is left out
    for name in sorted(names, key=natural_key):
        yield before + name


def _at_url(url: str) -> Iterator[str]:
    from hcr_live.sources.images import natural_key

    files = urls.files_at(url)
    if files is None:
        yield url
        return
    files = [each for each in files if _is_read(urls.name_of(each))]
    if not files:
        raise _nothing_in(url)
    yield from sorted(files, key=natural_key)


def _nothing_in(folder: str) -> HcrError:
    return HcrError(
        f"The folder {folder} holds no images: choose one with JPEG, PNG, BMP, WebP or TIFF"
        " files, PDFs, videos or archives."
    )


def _in_glob(pattern: str) -> Iterator[str]:
    from glob import iglob

    from hcr_live.sources.images import natural_key

    paths = [path for path in iglob(pattern, recursive=True) if os.path.isfile(path)]
    if not paths:
        raise HcrError(f"No file is called like {pattern}: check the path.")
    yield from sorted(paths, key=natural_key)


def _is_read(name: str) -> bool:
    """Return whether a file of a folder or archive is one that is read, by its name."""
    from hcr_live.sources.images import IMAGE_SUFFIXES

    suffix = os.path.splitext(name)[1].lower()
    return not name.startswith(".") and (suffix in IMAGE_SUFFIXES or _kind(name) is not None)


def _is_image(member: str) -> bool:
    from hcr_live.sources.images import IMAGE_SUFFIXES

    path = PurePosixPath(member.replace("\\", "/"))
    hidden = path.name.startswith(".") or path.parts[:1] == ("__MACOSX",)
    return path.suffix.lower() in IMAGE_SUFFIXES and not hidden


_Opened = Callable[[str, float, Wanted], Iterator[Task]]


def _kind(path: str) -> _Opened | None:
    """Return who knows what is in a file that is more than one picture; None: it is one."""
    lower = (urls.name_of(path) if urls.is_url(path) else path).lower()
    suffix = os.path.splitext(lower)[1]
    if suffix == ".pdf":
        return _pages
    if suffix == ".zip":
        return _zip_members
    if lower.endswith(_TAR_ENDINGS):
        return _tar_members
    return _frames if suffix in VIDEO_SUFFIXES else None


def tasks_in(path: str, every: float, wanted: Wanted) -> Iterator[Task]:
    """Yield the tasks of one file, as `tasks_of` does."""
    kind = _kind(path)
    if kind is None:
        if wanted(path):
            yield Task(path, path)
        return
    try:
        if urls.is_url(path):
            yield from _downloaded(kind, path, every, wanted)
        else:
            yield from kind(path, every, wanted)
    except HcrError as error:
        if wanted(path):
            yield Task(path, error=str(error))


def _downloaded(kind: _Opened, url: str, every: float, wanted: Wanted) -> Iterator[Task]:
    """Yield the tasks of a copy of a file, which go by its address."""
    with urls.downloaded(url) as copy:

        def named(source: str) -> str:
            return url + source.removeprefix(copy)

        try:
            for task in kind(copy, every, lambda source: wanted(named(source))):
                content = task.content if task.page is None else page_picture(copy, task.page)
                error = task.error.replace(copy, url)
                yield Task(named(task.source), content=content, error=error)
        except HcrError as error:
            raise HcrError(str(error).replace(copy, url)) from error


def is_one_picture(path: str) -> bool:
    """Return whether a file is a picture, by its name, and holds no others."""
    return _kind(path) is None


def has_index(path: str) -> bool:
    """Return whether any task of a file is found without reading those before it."""
    return _kind(path) in (_pages, _zip_members) and not urls.is_url(path)


def count_in(path: str, every: float) -> int:
    """Return how many tasks there are in a file, without reading them."""
    count = 0

    def pass_over(source: str) -> bool:
        nonlocal count
        count += 1
        return False

    for _ in tasks_in(path, every, pass_over):
        pass
    return count


def _pdfium() -> Any:
    try:
        import pypdfium2
    except ModuleNotFoundError as error:
        raise HcrError(
            "PDFs need pypdfium2, which is not installed: pip install pypdfium2."
        ) from error
    return pypdfium2


def _pages(path: str, every: float, wanted: Wanted) -> Iterator[Task]:
    pdfium = _pdfium()
    _must_be_there(path)
    try:
        document = pdfium.PdfDocument(path)
        count = len(document)
        document.close()
    except pdfium.PdfiumError as error:
        raise HcrError(f"{path} cannot be read as a PDF: {_said(error)}.") from error
    for page in range(count):
        source = f"{path}#page={page + 1}"
        if wanted(source):
            yield Task(source, path, page=page)


def _zip_members(path: str, every: float, wanted: Wanted) -> Iterator[Task]:
    import zipfile

    _must_be_there(path)
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                source = f"{path}/{member.filename}"
                if _is_image(member.filename) and not member.is_dir() and wanted(source):
                    try:
                        with archive.open(member) as file:
                            content = _content(file, member.file_size, source)
                        yield Task(source, content=content)
                    except _DAMAGED as error:
                        yield Task(source, error=f"{source} cannot be read: {_said(error)}.")
                    except HcrError as error:
                        yield Task(source, error=str(error))
    except (zipfile.BadZipFile, OSError) as error:
        raise HcrError(f"{path} cannot be read as a zip archive: {_said(error)}.") from error


def _tar_members(path: str, every: float, wanted: Wanted) -> Iterator[Task]:
    import tarfile

    _must_be_there(path)
    try:
        with tarfile.open(path) as archive:
            while (member := archive.next()) is not None:
                archive.members = []  # type: ignore[attr-defined]  # it would remember all of them
                source = f"{path}/{member.name}"
                if _is_image(member.name) and member.isfile() and wanted(source):
                    file = archive.extractfile(member)
                    assert file is not None
                    try:
                        yield Task(source, content=_content(file, member.size, source))
                    except HcrError as error:
                        yield Task(source, error=str(error))
    except _DAMAGED as error:
        raise HcrError(f"{path} cannot be read further: {_said(error)}.") from error


def _damage() -> tuple[type[Exception], ...]:
    from lzma import LZMAError
    from tarfile import TarError
    from zipfile import BadZipFile

    # Encrypted and unknown compression are RuntimeError and its NotImplementedError.
    return (BadZipFile, TarError, zlib.error, LZMAError, EOFError, OSError, RuntimeError)


_DAMAGED = _damage()


def _said(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or "it ends early").rstrip(".")


def _content(file: IO[bytes], size: int, source: str) -> bytes:
    if size > _LARGEST_MEMBER:
        raise HcrError(f"{source} has {size >> 20} MB, more than a picture has: it is left out.")
    return file.read()


def _frames(path: str, every: float, wanted: Wanted) -> Iterator[Task]:
    """Yield the first frame, and one each so many seconds after it."""
    from hcr_live.sources.base import EndOfSource
    from hcr_live.sources.video import VideoSource

    _must_be_there(path)
    video = VideoSource(path)
    due = 0.0
    try:
        while True:
            frame = video.read()
            if frame is None or frame.time < due - 1e-6:
                continue
            due = frame.time + every if frame.time > due + every else due + every
            source = f"{path}#t={frame.time:.3f}"
            if wanted(source):
                yield Task(source, content=frame.image)
    except EndOfSource:
        return
    finally:
        video.close()


def _seconds(path: str) -> float:
    import av

    from hcr_live.sources.decoding import open_container

    try:
        with open_container(path, path) as container:
            return (container.duration or 0) / av.time_base
    except (HcrError, OSError):
        return 0.0


def _must_be_there(path: str) -> None:
    try:
        with open(path, "rb"):
            return
    except FileNotFoundError as error:
        raise HcrError(f"There is no file {path}: check the path.") from error
    except OSError as error:
        raise HcrError(f"Cannot read {path}: {error.strerror}.") from error
