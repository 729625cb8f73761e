"""Figures of a network: plain functions of its probabilities and the true labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hcr_live.alphabet import CLASSES, Alphabet, get_alphabet

Row = dict[str, float]
"""Named figures; counts are whole numbers, the others shares from 0 to 1."""

ALPHABETS = {"62": "all", "36": "alnum", "26": "letters", "10": "digits"}
"""How many labels an alphabet has, and its name."""

LEAST_CONFIDENCE = 0.5
"""What the program shows by default: its `--min-confidence`."""

BINS = 15
"""Of calibration, as in Guo et al., ICML 2017."""


@dataclass(frozen=True, eq=False)
class Answers:
    """What one alphabet makes of the characters that it has a label for.

    Attributes:
        alphabet: The one that was asked.
        rows: intp (m,): where the characters are among those that were given.
        probabilities: float32 (m, k), rows sum to 1.
        wanted: intp (m,): the true columns.
    """

    alphabet: Alphabet
    rows: NDArray[np.intp]
    probabilities: NDArray[np.float32]
    wanted: NDArray[np.intp]

    @property
    def answered(self) -> NDArray[np.intp]:
        """The likeliest columns, (m,)."""
        return self.probabilities.argmax(axis=1)

    @property
    def confidences(self) -> NDArray[np.float32]:
        """Their probabilities, (m,)."""
        return self.probabilities.max(axis=1)

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether they are the true ones, (m,)."""
        return self.answered == self.wanted


def ask(
    probabilities: NDArray[np.float32], labels: NDArray[np.int16], alphabet: str = "letters"
) -> Answers:
    """Return the answers of an alphabet; characters that it has no label for are left out.

    Args:
        probabilities: float32 (n, 62), columns as `CLASSES`.
        labels: int16 (n,), columns of `CLASSES`.
        alphabet: One of `hcr_live.alphabet.ALPHABETS`.
    """
    chosen = get_alphabet(alphabet)
    rows = np.flatnonzero(chosen.folding[labels].sum(axis=1) > 0)
    return Answers(
        chosen,
        rows,
        chosen.project(probabilities[rows]),
        chosen.folding[labels[rows]].argmax(axis=1),
    )


def accuracies(probabilities: NDArray[np.float32], labels: NDArray[np.int16]) -> Row:
    """Return `accuracy_62`, `_36`, `_26` and `_10`: the share that is right in each alphabet.

    An alphabet that none of the characters belongs to is left out.
    """
    row: Row = {}
    for size, name in ALPHABETS.items():
        answers = ask(probabilities, labels, name)
        if len(answers.rows):
            row[f"accuracy_{size}"] = float(answers.right.mean())
    return row


def source_row(probabilities: NDArray[np.float32], labels: NDArray[np.int16]) -> Row:
    """Return the figures of one source or writer.

    Returns:
        `samples`; the `accuracies`; `capitals_26`, the capitals among the letters; and in letters
        (in digits where there are no letters) `sure`, the share that is right with at least
        `LEAST_CONFIDENCE`, `calibration_error`, and `accuracy_90`, of the 90 % most confident.
    """
    row: Row = {"samples": len(labels)} | accuracies(probabilities, labels)
    capital = np.array([CLASSES[label].isupper() for label in labels], bool)
    if capital.any():
        row["capitals_26"] = float(ask(probabilities[capital], labels[capital]).right.mean())
    answers = usual_answers(probabilities, labels)
    if len(answers.rows):
        sure = answers.right & (answers.confidences >= LEAST_CONFIDENCE)
        row["sure"] = float(sure.mean())
        row["calibration_error"] = calibration_error(answers.confidences, answers.right)
        row["accuracy_90"] = accuracy_of_most_confident(answers.confidences, answers.right)
    return row


def usual_answers(probabilities: NDArray[np.float32], labels: NDArray[np.int16]) -> Answers:
    """Return the answers in letters, in digits where none of the characters is a letter."""
    letters = ask(probabilities, labels, "letters")
    return letters if len(letters.rows) else ask(probabilities, labels, "digits")


@dataclass(frozen=True, eq=False)
class Reliability:
    """Answers in bins of equal width by confidence; a bin's mean is 0 where it is empty.

    Attributes:
        counts: intp (bins,): answers.
        confidences: float64 (bins,): mean confidence.
        accuracies: float64 (bins,): share that is right.
    """

    counts: NDArray[np.intp]
    confidences: NDArray[np.float64]
    accuracies: NDArray[np.float64]


def reliability(
    confidences: NDArray[np.float32], right: NDArray[np.bool_], bins: int = BINS
) -> Reliability:
    """Return how often answers of each confidence are right (Guo et al., ICML 2017, figure 1).

    Args:
        confidences: (n,), from 0 to 1; a bin holds its upper end.
        right: bool (n,).
        bins: How many.
    """
    places = np.clip(np.ceil(confidences.astype(np.float64) * bins).astype(int) - 1, 0, bins - 1)
    counts = np.bincount(places, minlength=bins)
    filled = np.maximum(counts, 1)
    return Reliability(
        counts,
        np.bincount(places, confidences, bins) / filled,
        np.bincount(places, right, bins) / filled,
    )


def calibration_error(
    confidences: NDArray[np.float32], right: NDArray[np.bool_], bins: int = BINS
) -> float:
    """Return the expected calibration error, 0 to 1 (Guo et al., ICML 2017, equation 3).

    The mean over answers of how far their bin's confidence is from its accuracy.
    """
    of = reliability(confidences, right, bins)
    return float(np.abs(of.confidences - of.accuracies) @ of.counts / max(of.counts.sum(), 1))


def coverage_curve(
    confidences: NDArray[np.float32], right: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the accuracy of the 1, 2, ... n most confident answers, (n,).

    Of equally confident answers the wrong ones count first: no order flatters the curve.
    """
    order = np.lexsort((right, -confidences))
    return np.cumsum(right[order]) / np.arange(1, len(order) + 1)


def accuracy_of_most_confident(
    confidences: NDArray[np.float32], right: NDArray[np.bool_], share: float = 0.9
) -> float:
    """Return the accuracy of that share of the answers, the most confident ones.

    Args:
        confidences: (n,), n at least 1.
        right: bool (n,).
        share: In (0, 1]; rounded up to whole answers.
    """
    count = int(np.ceil(share * len(confidences) - 1e-9))
    return float(coverage_curve(confidences, right)[max(count, 1) - 1])


def rejection(characters: NDArray[np.float32], negatives: NDArray[np.float32]) -> Row:
    """Return how well confidence tells characters from ink that is none.

    Args:
        characters: (n,): confidences of answers to characters.
        negatives: (m,): of answers to ink that is no character.

    Returns:
        `samples` (m); `auroc`, the chance that a character is more confident than a negative;
        `rejected`, the share of negatives below `LEAST_CONFIDENCE`; `rejected_characters`, the
        share of characters that are rejected with them.
    """
    from sklearn.metrics import roc_auc_score

    is_character = np.repeat([1, 0], [len(characters), len(negatives)])
    return {
        "samples": len(negatives),
        "auroc": float(roc_auc_score(is_character, np.concatenate([characters, negatives]))),
        "rejected": float((negatives < LEAST_CONFIDENCE).mean()),
        "rejected_characters": float((characters < LEAST_CONFIDENCE).mean()),
    }


def confusion(answers: Answers) -> NDArray[np.int64]:
    """Return int64 (k, k): how often each true label (row) was answered with each (column)."""
    from sklearn.metrics import confusion_matrix

    columns = np.arange(len(answers.alphabet.labels))
    counts: NDArray[np.int64] = confusion_matrix(answers.wanted, answers.answered, labels=columns)
    return counts


def class_report(answers: Answers) -> dict[str, Row]:
    """Return precision, recall, F1 and samples of every label that was wanted.

    `macro average` is their plain mean, `weighted average` the one weighted by samples.
    """
    from sklearn.metrics import classification_report

    columns = np.unique(answers.wanted)
    report: dict[str, Any] = classification_report(
        answers.wanted,
        answers.answered,
        labels=columns,
        target_names=[answers.alphabet.labels[column] for column in columns],
        output_dict=True,
        zero_division=0,
    )
    names = {"precision": "precision", "recall": "recall", "f1-score": "f1", "support": "samples"}
    return {
        label.replace(" avg", " average"): {ours: row[theirs] for theirs, ours in names.items()}
        for label, row in report.items()
        if label not in ("accuracy", "micro avg")
    }


def confused_pairs(
    counts: NDArray[np.int64], labels: tuple[str, ...]
) -> list[tuple[str, str, int]]:
    """Return (true, answered, times) of the mistakes in a confusion matrix, most frequent first."""
    wrong = counts * (1 - np.eye(len(counts), dtype=np.int64))
    order = np.argsort(-wrong, axis=None, kind="stable")[: np.count_nonzero(wrong)]
    rows, columns = np.unravel_index(order, wrong.shape)
    return [
        (labels[row], labels[column], int(wrong[row, column]))
        for row, column in zip(rows, columns, strict=True)
    ]


def worst(answers: Answers, count: int) -> NDArray[np.intp]:
    """Return where in `answers` the most confident mistakes are, the worst first."""
    wrong = np.flatnonzero(~answers.right)
    return wrong[np.argsort(-answers.confidences[wrong], kind="stable")][:count]
