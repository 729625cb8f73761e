import numpy as np
import pytest

from hcr_live.alphabet import CLASSES
from train.evaluate import measures


def rows(*answers):
    """Probabilities whose named classes have the given shares; the rest is spread evenly."""
    probabilities = np.zeros((len(answers), 62), np.float32)
    for row, shares in zip(probabilities, answers, strict=True):
        row[:] = (1 - sum(shares.values())) / (62 - len(shares))
        for character, share in shares.items():
            row[CLASSES.index(character)] = share
    return probabilities


def labels(text):
    return np.array([CLASSES.index(character) for character in text], np.int16)


def test_an_alphabet_is_asked_about_its_own_characters_only():
    answers = measures.ask(rows({"a": 0.6, "A": 0.4}, {"7": 1.0}, {"B": 1.0}), labels("A7c"))
    assert answers.rows.tolist() == [0, 2]
    assert [answers.alphabet.labels[i] for i in answers.answered] == ["A", "B"]
    assert answers.confidences == pytest.approx([1, 1])
    assert answers.right.tolist() == [True, False]


def test_accuracies_by_alphabet():
    # O for 0 is a mistake unless digits alone are asked for; b for B only where case counts.
    found = measures.accuracies(
        rows({"O": 0.9, "0": 0.1}, {"b": 1.0}, {"x": 1.0}, {"y": 1.0}), labels("0BxY")
    )
    assert found == {
        "accuracy_62": 0.25,
        "accuracy_36": 0.75,
        "accuracy_26": 1.0,
        "accuracy_10": 1.0,
    }
    assert set(measures.accuracies(rows({"1": 1.0}), labels("1"))) == {
        "accuracy_62",
        "accuracy_36",
        "accuracy_10",
    }


def test_the_row_of_a_source():
    row = measures.source_row(
        rows({"A": 0.4, "C": 0.3}, {"D": 0.9}, {"b": 0.8}, {"Q": 0.7}), labels("ABbq")
    )
    assert row["samples"] == 4
    assert row["capitals_26"] == 0.5
    assert row["accuracy_26"] == 0.75
    assert row["sure"] == 0.5  # A is right, but below 0.5
    digits = measures.source_row(rows({"3": 0.8, "8": 0.2}), labels("3"))
    assert digits["sure"] == 1
    assert "capitals_26" not in digits


def test_calibration_error_by_hand():
    confidences = np.array([0.95, 0.95, 0.55, 0.55], np.float32)
    right = np.array([True, False, True, True])
    # Two bins of ten: |0.95 - 0.5| and |0.55 - 1|, half of the answers in each.
    assert measures.calibration_error(confidences, right, 10) == pytest.approx(0.45, abs=1e-6)
    of = measures.reliability(confidences, right, 10)
    assert of.counts.tolist() == [0, 0, 0, 0, 0, 2, 0, 0, 0, 2]
    assert of.accuracies[[5, 9]].tolist() == [1, 0.5]
    assert of.confidences[5] == pytest.approx(0.55)


def test_bins_hold_their_upper_end_and_both_ends_of_the_scale():
    of = measures.reliability(np.array([0.0, 0.2, 1.0]), np.array([True, True, True]), 5)
    assert of.counts.tolist() == [2, 0, 0, 0, 1]


def test_perfectly_calibrated_answers_have_no_error():
    confidences = np.full(10, 0.7, np.float32)
    right = np.arange(10) < 7
    assert measures.calibration_error(confidences, right) == pytest.approx(0, abs=1e-6)


def test_coverage_by_hand():
    confidences = np.array([0.5, 0.9, 0.8, 0.7], np.float32)
    right = np.array([False, True, False, True])
    curve = measures.coverage_curve(confidences, right)
    assert curve == pytest.approx([1, 1 / 2, 2 / 3, 1 / 2])
    assert measures.accuracy_of_most_confident(confidences, right, 0.75) == pytest.approx(2 / 3)
    assert measures.accuracy_of_most_confident(confidences, right, 0.6) == pytest.approx(2 / 3)
    ties = measures.coverage_curve(np.array([0.9, 0.9]), np.array([True, False]))
    assert ties.tolist() == [0, 0.5]


def test_rejection_by_hand():
    characters, negatives = np.array([0.9, 0.6, 0.4]), np.array([0.45, 0.1])
    row = measures.rejection(characters, negatives)
    assert row == {
        "samples": 2,
        "auroc": pytest.approx(5 / 6),  # of six pairs only 0.4 against 0.45 is the wrong way
        "rejected": 1.0,
        "rejected_characters": pytest.approx(1 / 3),
    }


def test_confusion_report_and_worst_errors():
    answers = measures.ask(
        rows({"A": 1.0}, {"B": 0.8}, {"B": 0.9}, {"B": 1.0}, {"C": 0.6}), labels("AAABB")
    )
    counts = measures.confusion(answers)
    assert counts.shape == (26, 26)
    assert counts[0, :3].tolist() == [1, 2, 0]
    assert measures.confused_pairs(counts, answers.alphabet.labels) == [
        ("A", "B", 2),
        ("B", "C", 1),
    ]
    report = measures.class_report(answers)
    assert list(report) == ["A", "B", "macro average", "weighted average"]
    assert report["A"] == {
        "precision": 1.0,
        "recall": pytest.approx(1 / 3),
        "f1": 0.5,
        "samples": 3,
    }
    assert report["B"]["precision"] == pytest.approx(1 / 3)
    assert report["macro average"]["recall"] == pytest.approx((1 / 3 + 1 / 2) / 2)
    assert measures.worst(answers, 2).tolist() == [2, 1]
