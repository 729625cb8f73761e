import multiprocessing
import os
import signal

import pytest

from hcr_live import Recognizer
from hcr_live.batch.engine import ThisProcess, run_chunks
from hcr_live.batch.processes import LocalProcesses
from hcr_live.batch.task import BatchSettings, Task
from tests.batch.pictures import character_image, png, word_image

SETTINGS = BatchSettings(character=True)


def tasks(count, label="A"):
    content = png(character_image(label))
    return [Task(f"{number}", content=content) for number in range(count)]


def engines():
    return [ThisProcess(SETTINGS, chunk=3), LocalProcesses(SETTINGS, jobs=2, chunk=3)]


@pytest.mark.parametrize("engine", engines(), ids=["this process", "processes"])
def test_results_come_in_the_order_of_their_tasks(engine):
    given = [Task(label, content=png(character_image(label))) for label in "KETRAWLMNO" * 2]
    given[4:4] = [Task("lost", path="/no/such.png"), Task("said", error="It is not there.")]
    results = list(run_chunks(given, engine))
    assert [result.source for result in results] == [task.source for task in given]
    assert all(result.row["text"] == result.source for result in results if not result.error)
    assert [result.source for result in results if result.error] == ["lost", "said"]


def test_tasks_are_taken_a_window_ahead_and_no_further():
    taken = 0

    def counted():
        nonlocal taken
        for task in tasks(400):
            taken += 1
            yield task

    results = run_chunks(counted(), LocalProcesses(SETTINGS, jobs=2, chunk=5))
    next(results)
    assert taken < 100
    results.close()
    assert multiprocessing.active_children() == []


def test_much_content_makes_small_chunks():
    handed = []

    class Counting:
        chunk = 50

        def read(self, chunks):
            for chunk in chunks:
                handed.append(len(chunk))
                yield []

    frames = [Task("frame", content=word_image("KET")) for _ in range(30)]
    list(run_chunks(frames, Counting()))
    assert sum(handed) == 30
    assert max(handed) < 10


def test_a_process_that_ends_is_replaced_and_nothing_is_lost():
    results = run_chunks(tasks(300), LocalProcesses(SETTINGS, jobs=2, chunk=4))
    seen = [next(results)]
    for worker in multiprocessing.active_children():
        os.kill(worker.pid, signal.SIGKILL)
    seen += results
    assert [result.source for result in seen] == [str(number) for number in range(300)]
    assert all(result.row["text"] == "A" for result in seen if not result.error)
    # What two of them in turn were killed at is given up, and said to be.
    assert sum(bool(result.error) for result in seen) == 0


def test_many_characters_are_answered_as_each_would_be():
    images = [character_image(label, seed) for seed, label in enumerate("KETRAWLMNO")]
    images[3] = images[3] * 0 + 255
    recognizer = Recognizer("letters")
    together = recognizer.read_characters(iter(images))
    apart = [recognizer.read_character(image) for image in images]
    assert [one.text for one in together] == [*"KET", "", *"AWLMNO"]
    assert [one.text for one in apart] == [one.text for one in together]
    for one, other in zip(together, apart, strict=True):
        assert one.confidence == pytest.approx(other.confidence, abs=1e-4)
