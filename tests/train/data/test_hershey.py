from hcr_live.alphabet import CLASSES, get_alphabet
from hcr_live.classifier import Classifier
from hcr_live.ink.render import render_strokes
from train.data import load_hershey, source_of


def test_single_line_fonts_are_strokes_that_read_as_their_labels():
    upright, cursive = load_hershey()
    assert (upright.name, cursive.name) == ("hershey:rowmans", "hershey:cursive")
    assert [CLASSES[label] for label in upright.labels] == list(CLASSES)
    assert "Q" not in [CLASSES[label] for label in cursive.labels]
    assert len(upright.split("train")) == len(upright)
    assert "Hershey" in source_of(upright.name).title
    fold = get_alphabet("alnum").folding
    answers = Classifier().probabilities([render_strokes(one) for one in upright.contents]) @ fold
    right = answers.argmax(axis=1) == fold[upright.labels].argmax(axis=1)
    assert right.mean() > 0.85  # I, l and 1, O and 0 are nearly the same lines
