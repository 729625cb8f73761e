import io
import json
import re
import signal
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from hcr_live.errors import HcrError
from train.__main__ import main
from train.distribute import ALONE, Place, place_of

RUNS = """
import multiprocessing
import os
import signal
import socket
import sys
import time
from pathlib import Path
import keras
import numpy as np
import tensorflow as tf
from keras import Sequential, layers
from train import distribute, fit, networks
from train.__main__ import main
from train.dataset import Arrays
from train.plan import Plan

data, folder = sys.argv[1], Path(sys.argv[2])
until = time.monotonic() + 240
# There, two ways to the same sum differ in the last digits only.
keras.config.set_floatx("float64")
compact = networks.NETWORKS["compact"]
# Quick, and with all that depends on a whole batch.
networks.NETWORKS["compact"] = lambda: Sequential([
    layers.Input((32, 32, 1)), layers.Conv2D(4, 4, 4), layers.BatchNormalization(),
    layers.Flatten(), layers.Dropout(0.5), layers.Dense(62, name="logits"), layers.Softmax(),
])
options = ("--epochs 4 --passes 2 --per-class 8 --batch 24 --processes 1 --camera 0"
           " --mixup 0.2").split()

def command(out, *more):
    sys.exit(main(["fit", "--data", data, "--out", str(folder / out), *options, *more]))

def command_that_is_killed(*arguments):
    usual = fit._Course._begin
    def begin(self, epoch, logs):
        if epoch == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        usual(self, epoch, logs)
    fit._Course._begin = begin
    command(*arguments)

def two_devices():  # of this machine: the processor, twice; and the network that is shipped
    networks.NETWORKS["compact"] = compact
    (processor,) = tf.config.list_physical_devices("CPU")
    twice = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(processor, twice)
    distribute._gpus = lambda: ["CPU:0", "CPU:1"]
    rng = np.random.default_rng(0)
    inputs, labels = rng.integers(0, 255, (48, 32, 32), np.uint8), rng.integers(0, 62, 48)
    arrays = Arrays(inputs, labels.astype("i2"))
    material = fit.Material(48, lambda number: arrays, arrays, {})
    results = []
    for place in (None, distribute.Place()):
        with distribute.joined(place) as workers:
            assert workers.devices == (1 if place is None else 2)
            course = fit._Course(
                Plan(Path("."), Path("."), batch=16, epochs=1), material, [], workers
            )
            watch = keras.callbacks.LambdaCallback(
                on_epoch_begin=course._begin,
                on_epoch_end=lambda epoch, logs: results.append(logs["loss"]),
            )
            start = course.network.get_weights()
            workers.train(course.network, course._batches(0), range(1), 3, [watch])
            results.append(course.network.get_weights() + course._averaged_weights())
            assert max(np.abs(a - b).max() for a, b in zip(start, results[-1])) > 1e-3
    loss, weights, loss_of_two, weights_of_two = results
    np.testing.assert_allclose(loss, loss_of_two, rtol=1e-9)
    for one, two in zip(weights, weights_of_two, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-6, atol=1e-7)

def start(name, target, *arguments):
    def run():
        os.dup2(os.open(folder / f"{name}.said", os.O_WRONLY | os.O_CREAT), 2)
        target(*arguments)
    process = multiprocessing.get_context("fork").Process(target=run, daemon=True)
    process.start()
    return process

def end(name, process):
    process.join(max(0, until - time.monotonic()))
    process.kill()
    process.join()
    (folder / f"{name}.status").write_text(str(process.exitcode))

def two(name, out, commands, *, options=((), ())):
    doors = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    shared = ",".join(f"127.0.0.1:{door.getsockname()[1]}" for door in doors)
    for door in doors:
        door.close()
    processes = [
        start(f"{name} {n}", command, f"{out}/{n}", "--distribute", shared, "--worker", str(n),
              *options[n])
        for n, command in enumerate(commands)
    ]
    for n, process in enumerate(processes):
        end(f"{name} {n}", process)

# Each forked from here, so that TensorFlow is loaded once; it starts its threads in them.
end("alone", start("alone", command, "alone"))
two("killed", "together", [command, command_that_is_killed])
two("resumed", "together", [command, command])
two("otherwise", "otherwise", [command, command], options=(["--seed", "2"], ["--seed", "3"]))
(folder / "damaged" / "0").mkdir(parents=True)
(folder / "damaged" / "0" / "run.json").write_text("{")
two("damaged", "damaged", [command, command])
end("devices", start("devices", two_devices))
"""


@pytest.fixture(scope="module")
def runs(data_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    done = subprocess.run(
        [sys.executable, "-c", RUNS, str(data_folder), str(folder)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return folder


def ended(folder, name):
    """Return a process's exit status and messages."""
    status = (folder / f"{name}.status").read_text()
    return int(status), (folder / f"{name}.said").read_text()


def weights(run):
    import h5py  # comes with Keras; reads the weights without it

    found = {}
    content = zipfile.ZipFile(run / "model.keras").read("model.weights.h5")

    def note(path, item):
        if isinstance(item, h5py.Dataset):
            found[path] = item[()]

    with h5py.File(io.BytesIO(content)) as file:
        file.visititems(note)
    return found


def history(run):
    rows = json.loads((run / "run.json").read_text())["history"]
    return [{name: row[name] for name in row if name != "seconds"} for row in rows]


def test_two_workers_reach_what_one_process_does_though_one_was_killed(runs):
    status, said = ended(runs, "alone")
    assert status == 0, said
    status, said = ended(runs, "resumed 0")
    assert status == 0, said
    status, said_by_other = ended(runs, "resumed 1")
    assert status == 0, said_by_other
    assert "Going on after epoch 2 of 4." in said
    assert not (runs / "together" / "1").exists()  # only worker 0 writes
    alone, together = runs / "alone", runs / "together" / "0"
    names = {path.name for path in together.iterdir()}
    assert names == {"run.json", "model.keras", "log.csv", "tensorboard"}
    report = json.loads((together / "run.json").read_text())
    assert report["finished"]
    assert report["devices"] == 2

    for one, both in zip(history(alone), history(together), strict=True):
        assert one == pytest.approx(both, rel=1e-9)
    one, both = weights(alone), weights(together)
    assert len(one) == 8
    assert one.keys() == both.keys()
    for name, values in one.items():
        np.testing.assert_allclose(values, both[name], rtol=1e-6, atol=1e-8)


def test_a_killed_worker_ends_the_other_with_one_sentence(runs):
    assert ended(runs, "killed 1")[0] == -signal.SIGKILL
    status, said = ended(runs, "killed 0")
    assert status == 2
    assert re.search(r"Worker 1 at 127.0.0.1:\d+ was lost: start all again", said)
    assert "Traceback" not in said


def test_workers_with_different_options_both_say_so(runs):
    for worker in "01":
        status, said = ended(runs, f"otherwise {worker}")
        assert status == 2
        assert said.rstrip().endswith(
            "Worker 1 has --seed 3, not 2: all workers must be told the same."
        )


def test_what_is_wrong_with_one_worker_ends_both(runs):
    status, said = ended(runs, "damaged 0")
    assert status == 2
    assert "run.json is damaged" in said
    status, said = ended(runs, "damaged 1")
    assert status == 2
    assert re.search(r"Worker 0 stopped: .*run\.json is damaged", said)


def test_the_shipped_network_learns_on_two_devices_as_on_one(runs):
    status, said = ended(runs, "devices")
    assert status == 0, said


def test_where_a_worker_stands():
    assert place_of(None, None) is None
    assert place_of("gpus", None) == Place()
    assert place_of("one:80,[::1]:81", 1) == Place(("one:80", "[::1]:81"), 1)
    cluster = {"chief": ["a:1"], "worker": ["b:2", "c:3"]}
    for task, worker in ((("chief", 0), 0), (("worker", 1), 2)):
        told = {"cluster": cluster, "task": dict(zip(("type", "index"), task, strict=True))}
        place = place_of("TF_CONFIG", None, {"TF_CONFIG": json.dumps(told)})
        assert place == Place(("a:1", "b:2", "c:3"), worker)


@pytest.mark.parametrize(
    ("distribute", "worker", "words"),
    [
        (None, 0, "--worker goes with"),
        ("gpus", 1, "--worker goes with"),
        ("gpu", 0, "'gpu'"),
        ("a:1,b", 0, "'b'"),
        ("a:1,b:70000", 0, "'b:70000'"),
        ("a:1", 0, "two workers or more"),
        ("a:1,a:1", 0, "an address of its own"),
        ("a:1,b:2", None, "0 to 1"),
        ("a:1,b:2", 2, "from 0 to 1"),
        ("TF_CONFIG", 0, "leave one"),
        ("TF_CONFIG", None, "TF_CONFIG is not like"),
    ],
)
def test_options_without_sense_are_refused(distribute, worker, words):
    with pytest.raises(HcrError, match=re.escape(words)):
        place_of(distribute, worker, {})


@pytest.mark.parametrize("told", ["{", '{"cluster": {"ps": ["a:1"]}, "task": {}}', "[]"])
def test_a_variable_that_says_nothing_is_refused(told):
    with pytest.raises(HcrError, match="TF_CONFIG is not like"):
        place_of("TF_CONFIG", None, {"TF_CONFIG": told})


def test_the_command_line_says_where_it_can_not_train(data_folder, tmp_path, capsys):
    def complaint(*more):
        assert main(["fit", "--data", str(data_folder), "--out", str(tmp_path / "run"), *more]) == 2
        return capsys.readouterr().err

    assert "0 to 1" in complaint("--distribute", "a:1,b:2")
    assert not (tmp_path / "run").exists()


def test_alone_nothing_is_exchanged():
    assert ALONE.exchange(b"word") == [b"word"]
    assert ALONE.is_chief
    assert ALONE.agreed(lambda: 3) == 3
