"""Make a form to print: a box for each character, read back by `extract`."""

from __future__ import annotations

import argparse
from pathlib import Path

from hcr_live.alphabet import ALPHABETS
from hcr_live.errors import HcrError
from train.sheet.form import MOST_REPEATS, MOST_WRITERS, PAPERS, Page, pages_of


def write_pdf(pages: list[Page], path: Path) -> None:
    """Write pages of the form to a PDF, of the paper's own size.

    Raises:
        HcrError: If the file can't be written.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_pdf import PdfPages
    from tqdm import tqdm

    from train.sheet.drawing import draw_page

    # The same form gives the same file.
    about = {"Title": "Form for handwritten characters", "CreationDate": None}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with rc_context({"pdf.fonttype": 42}), PdfPages(path, metadata=about) as pdf:
            for page in tqdm(pages, path.name, unit="page", disable=None):
                pdf.savefig(draw_page(page))
    except OSError as error:
        raise HcrError(
            f"Cannot write {path}: {error.strerror or error}; give another --out."
        ) from error


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `sheet`."""
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the PDF")
    parser.add_argument(
        "--alphabet",
        choices=ALPHABETS,
        default="all",
        help="characters to ask for; letters and alnum ask for both cases; default all",
    )
    parser.add_argument(
        "--writers",
        type=int,
        default=1,
        metavar="N",
        help=f"people, each with pages and a number of their own, 1 to {MOST_WRITERS}, default 1",
    )
    parser.add_argument(
        "--repeats",
        type=int,
        default=2,
        metavar="N",
        help=f"how often each character is asked for, 1 to {MOST_REPEATS}, default 2",
    )
    parser.add_argument("--paper", choices=PAPERS, default="a4", help="default a4")


def run(options: argparse.Namespace) -> None:
    """Write the form.

    Raises:
        HcrError: If a number is out of range, or the file can't be written.
    """
    if options.out.suffix.lower() != ".pdf":
        raise HcrError(f"The form is a PDF: choose a name that ends in .pdf, not {options.out}.")
    pages_of(options.alphabet, options.repeats, options.paper, options.writers)  # all in range?
    pages = [
        page
        for writer in range(1, options.writers + 1)
        for page in pages_of(options.alphabet, options.repeats, options.paper, writer)
    ]
    write_pdf(pages, options.out)
    print(
        f"Wrote {options.out}: {_counted(len(pages), 'page')} for"
        f" {_counted(options.writers, 'writer')}. Print it at any size, have it filled in,"
        " photograph or scan each page, then: python -m train extract PHOTO... --out FOLDER"
    )


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
