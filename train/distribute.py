"""Train one network on several GPUs or machines, by `tf.distribute`.

Every worker runs the same command on the same data. A step takes the batch that one process would
take; each device computes on its share of the rows, and gradients are summed over all of them, so
that the result is that of one process but for rounding. What else a worker must know of another
(who rendered what, where a run goes on) travels by `Workers.exchange`.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import re
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from hcr_live.errors import HcrError

T = TypeVar("T")

_GPUS = "gpus"
_VARIABLE = "TF_CONFIG"
_PATIENCE = 600.0  # seconds until a worker that does not answer is given up


@dataclass(frozen=True)
class Place:
    """Where a process stands among those that train together.

    Attributes:
        addresses: HOST:PORT of every worker, the first of them writes the run's folder; empty
            where only the GPUs of this machine take part.
        worker: This process, from 0.
    """

    addresses: tuple[str, ...] = ()
    worker: int = 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where a run is trained."""
    parser.add_argument(
        "--distribute",
        metavar="WHERE",
        help="gpus: all of this machine; HOST:PORT,HOST:PORT,...: one worker at each, all started"
        " with the same command but --worker; TF_CONFIG: as that environment variable says",
    )
    parser.add_argument(
        "--worker",
        type=int,
        metavar="N",
        help="this worker's place in that list, from 0; worker 0 writes the run's folder",
    )


def place_of(
    distribute: str | None, worker: int | None, environment: Mapping[str, str] = os.environ
) -> Place | None:
    """Return what the two options mean, `None` for one process as ever.

    Raises:
        HcrError: If they make no sense, alone or together.
    """
    if distribute is None or distribute == _GPUS:
        if worker is not None:
            raise HcrError("--worker goes with --distribute HOST:PORT,HOST:PORT,... only.")
        return None if distribute is None else Place()
    if distribute == _VARIABLE:
        if worker is not None:
            raise HcrError(f"--worker and {_VARIABLE} both say which worker this is: leave one.")
        return _checked(*_told_by(environment.get(_VARIABLE, "")))
    addresses = tuple(distribute.split(","))
    if worker is None:
        _checked(addresses, 0)
        raise HcrError(
            f"--distribute needs --worker: this worker's place, 0 to {len(addresses) - 1}."
        )
    return _checked(addresses, worker)


def _checked(addresses: tuple[str, ...], worker: int) -> Place:
    for address in addresses:
        found = re.fullmatch(r"[^\s:]+:(\d+)|\[[\da-fA-F:.]+\]:(\d+)", address)
        if not found or not 0 < int(found[1] or found[2]) < 65536:
            raise HcrError(
                f"--distribute has '{address}': it must be {_GPUS}, {_VARIABLE}, or"
                " HOST:PORT,HOST:PORT,..."
            )
    if len(addresses) < 2 or len(set(addresses)) < len(addresses):
        raise HcrError("--distribute needs two workers or more, each at an address of its own.")
    if not 0 <= worker < len(addresses):
        raise HcrError(f"--worker is {worker}: it must be from 0 to {len(addresses) - 1}.")
    return Place(addresses, worker)


def _told_by(variable: str) -> tuple[tuple[str, ...], int]:
    try:
        told = json.loads(variable)
        cluster, task = told["cluster"], told["task"]
        if not set(cluster) <= {"chief", "worker"}:
            raise ValueError("only chief and worker train a network")
        chiefs, workers = (list(cluster.get(kind, ())) for kind in ("chief", "worker"))
        index = int(task["index"]) + (0 if task["type"] == "chief" else len(chiefs))
        return tuple(map(str, chiefs + workers)), index
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HcrError(
            f'{_VARIABLE} is not like {{"cluster": {{"worker": ["HOST:PORT", ...]}}, "task":'
            f' {{"type": "worker", "index": 0}}}}: {error!r}.'
        ) from error


class Workers:
    """The processes and devices that train one network; by default this process alone.

    Attributes:
        place: Of this process among them.
        count: Of processes.
        devices: That share a batch, of all processes.
    """

    def __init__(self, place: Place | None = None, strategy: Any = None) -> None:
        self.place = place or Place()
        self.count = max(1, len(self.place.addresses))
        self.devices = 1 if strategy is None else int(strategy.num_replicas_in_sync)
        self._strategy = strategy

    @property
    def number(self) -> int:
        """This process, from 0."""
        return self.place.worker

    @property
    def alone(self) -> bool:
        """Whether nothing is distributed."""
        return self._strategy is None

    @property
    def is_chief(self) -> bool:
        """Whether this process writes the run's folder."""
        return self.number == 0

    def scope(self) -> contextlib.AbstractContextManager[Any]:
        """Return where variables must be made that all devices share."""
        return contextlib.nullcontext() if self._strategy is None else self._strategy.scope()

    def exchange(self, content: bytes) -> list[bytes]:
        """Return what every worker hands in, in their order; waits for the last of them."""
        if self.count == 1:
            return [content]
        lengths = self._sent(np.array([len(content)], np.int64)).view(np.int64)[:, 0].tolist()
        rows = self._sent(np.frombuffer(content.ljust(max(lengths) // 8 * 8 + 8), np.int64))
        return [row.tobytes()[:length] for row, length in zip(rows, lengths, strict=True)]

    def _sent(self, row: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the rows of all workers, which are of one length."""
        import tensorflow as tf

        # As float32, which every kind of device can send; nothing reads it as numbers.
        sent = self._strategy.experimental_distribute_values_from_function(
            lambda device: tf.constant(row.view(np.float32)[None])
        )
        every: NDArray[np.float32] = self._gather(sent).numpy()
        return every[:: self.devices // self.count]

    @cached_property
    def _gather(self) -> Any:
        """What puts the rows of all devices one below the other."""
        import tensorflow as tf

        def of_one(row: Any) -> Any:
            row = tf.identity(row)  # as an argument it would be on no device yet
            return tf.distribute.get_replica_context().all_gather(row, axis=0)

        @tf.function(reduce_retracing=True)
        def gather(rows: Any) -> Any:
            return self._strategy.experimental_local_results(self._strategy.run(of_one, (rows,)))[0]

        return gather

    def gathered(self, parts: list[NDArray[Any]]) -> list[NDArray[Any]]:
        """Return the parts of all workers, of which each has made every `count`-th."""
        if self.count == 1:
            return parts
        file = io.BytesIO()
        np.savez(file, *parts)
        every = [np.load(io.BytesIO(one)) for one in self.exchange(file.getvalue())]
        total = sum(len(one.files) for one in every)
        return [every[at % self.count][f"arr_{at // self.count}"] for at in range(total)]

    def agreed(self, make: Callable[[], T]) -> T:
        """Return what `make` returns, once it has gone well on every worker.

        Raises:
            HcrError: What `make` raised here, or else on the first worker where it did.
        """
        made, complaint = None, ""
        try:
            made = make()
        except HcrError as error:
            complaint = str(error)
        every = [one.decode() for one in self.exchange(complaint.encode())]
        if complaint:
            raise HcrError(complaint)
        for worker, said in enumerate(every):
            if said:
                raise HcrError(f"Worker {worker} stopped: {said}")
        return cast("T", made)

    def copied(self, network: Any) -> Any:
        """Return the network with the same weights, for all devices to train; itself if alone.

        Batch normalisation takes mean and variance of the whole batch, and dropout drops what one
        process would drop.
        """
        if self._strategy is None:
            return network
        import keras

        def layer_of(layer: Any) -> Any:
            config = layer.get_config()
            if isinstance(layer, keras.layers.BatchNormalization):
                config["synchronized"] = True
            if isinstance(layer, keras.layers.Dropout):
                return _dropout().from_config(config)
            return type(layer).from_config(config)

        with self.scope():
            copy = keras.models.clone_model(network, clone_function=layer_of)
            copy.set_weights(network.get_weights())
        return copy

    def train(
        self,
        network: Any,
        batches: Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]],
        epochs: range,
        steps: int,
        callbacks: list[Any],
    ) -> None:
        """Fit a copied and compiled network: by `network.fit`, which does not know other workers,
        where this process is alone.

        Args:
            network: What `copied` returned.
            batches: Those of one process: float32 inputs and targets, whose rows the devices share.
            epochs: Their numbers, from 0.
            steps: Of an epoch.
            callbacks: Of Keras.
        """
        if self._strategy is None:
            network.fit(
                batches,
                epochs=epochs.stop,
                initial_epoch=epochs.start,
                steps_per_epoch=steps,
                callbacks=callbacks,
                verbose=0,
                shuffle=False,
            )
            return
        import keras
        import tensorflow as tf

        def step(inputs: Any, wanted: Any) -> Any:
            with tf.GradientTape() as tape:
                answers = network(inputs, training=True)
                loss = network.compute_loss(inputs, wanted, answers, training=True)
            gradients = tape.gradient(loss, network.trainable_variables)
            network.optimizer.apply_gradients(
                zip(gradients, network.trainable_variables, strict=True)
            )
            return loss  # its share of the mean over the batch

        @tf.function
        def step_of_all(inputs: Any, wanted: Any) -> Any:
            losses = self._strategy.run(step, (inputs, wanted))
            return self._strategy.reduce(tf.distribute.ReduceOp.SUM, losses, axis=None)

        watch = keras.callbacks.CallbackList(callbacks, model=network)
        watch.on_train_begin()
        for epoch in epochs:
            watch.on_epoch_begin(epoch)
            total = 0.0
            for number, (inputs, wanted) in zip(range(steps), batches, strict=False):
                watch.on_train_batch_begin(number)
                total += step_of_all(self._shares(inputs), self._shares(wanted))
                watch.on_train_batch_end(number)
            watch.on_epoch_end(epoch, {"loss": float(total) / steps})
            if network.stop_training:
                break
        watch.on_train_end()

    def _shares(self, rows: NDArray[np.float32]) -> Any:
        """Return each device's rows of a batch."""
        import tensorflow as tf

        share = len(rows) // self.devices

        def of(device: Any) -> Any:
            first = device.replica_id_in_sync_group * share
            return tf.constant(rows[first : first + share])

        return self._strategy.experimental_distribute_values_from_function(of)


ALONE = Workers()


def _dropout() -> Any:
    """Return the layer that drops of its rows what it would drop of them in the whole batch."""
    import keras
    import tensorflow as tf

    class Dropout(keras.layers.Dropout):  # the weights in a checkpoint go by the class's name
        def call(self, inputs: Any, training: bool = False) -> Any:
            if not training or not self.rate:
                return inputs
            device = tf.distribute.get_replica_context()
            rows, others = tf.shape(inputs)[0], tf.shape(inputs)[1:]
            every = tf.concat([[rows * device.num_replicas_in_sync], others], 0)
            kept = keras.random.dropout(
                tf.ones(every, inputs.dtype), self.rate, seed=self.seed_generator
            )
            first = rows * device.replica_id_in_sync_group
            return inputs * kept[first : first + rows]

    return Dropout


@contextlib.contextmanager
def joined(place: Place | None) -> Iterator[Workers]:
    """Meet the other workers, and train with them in a `with`.

    Raises:
        HcrError: If Keras runs on another backend, there is no GPU or no way to the others, and,
            from within, when one of them is lost.
    """
    if place is None:
        yield ALONE
        return
    strategy = _strategy(place)
    workers = Workers(place, strategy)
    import tensorflow as tf

    try:
        yield workers
    except tf.errors.OpError as error:
        lost = _lost(error, place)
        if not lost:
            raise
        raise HcrError(lost) from error


def _strategy(place: Place) -> Any:
    from importlib.util import find_spec

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if find_spec("tensorflow") is None:
        raise HcrError("--distribute runs on TensorFlow: pip install tensorflow.")
    import keras

    if keras.backend.backend() != "tensorflow":
        raise HcrError(
            f"--distribute runs on TensorFlow, and Keras is set to {keras.backend.backend()}:"
            " unset KERAS_BACKEND, or leave --distribute out (see docs/training.md)."
        )
    import tensorflow as tf

    if not place.addresses:
        devices = _gpus()
        if not devices:
            raise HcrError(
                "--distribute gpus: TensorFlow finds no GPU on this machine. For its packages:"
                ' pip install "tensorflow[and-cuda]".'
            )
        return tf.distribute.MirroredStrategy(devices)
    _meet(place)
    os.environ[_VARIABLE] = json.dumps(
        {
            "cluster": {"worker": place.addresses},
            "task": {"type": "worker", "index": place.worker},
        }
    )
    in_main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM)
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except tf.errors.OpError as error:
        raise HcrError(_lost(error, place) or f"TensorFlow cannot start: {error}.") from error
    finally:
        if in_main:  # TensorFlow has taken SIGTERM and would only note it
            signal.signal(signal.SIGTERM, before)


def _gpus() -> list[str]:
    import tensorflow as tf

    return [device.name for device in tf.config.list_logical_devices("GPU")]


def _meet(place: Place) -> None:
    """Wait until all workers answer: TensorFlow's own waiting can't be interrupted.

    Each listens where TensorFlow will, until it has reached all others.
    """
    port = int(place.addresses[place.worker].rpartition(":")[2])
    try:
        door = socket.create_server(("", port), backlog=len(place.addresses) + 8)
    except OSError as error:
        raise HcrError(f"Worker {place.worker} cannot listen on port {port}: {error}.") from error
    until = time.monotonic() + _PATIENCE
    with door:
        for worker, address in enumerate(place.addresses):
            patient = False
            while not _answers(address):
                if not patient:
                    print(f"Waiting for worker {worker} at {address} ...", file=sys.stderr)
                    patient = True
                if time.monotonic() > until:
                    raise HcrError(
                        f"Worker {worker} at {address} did not answer within"
                        f" {_PATIENCE / 60:.0f} minutes: start it, or see whether its port is open."
                    )
                time.sleep(0.5)


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=2).close()
    except OSError:
        return False
    return True


def _lost(error: Any, place: Place) -> str:
    """Return a sentence where an error of TensorFlow means that a worker is gone, else ""."""
    import tensorflow as tf

    gone = (
        tf.errors.UnavailableError,
        tf.errors.AbortedError,
        tf.errors.CancelledError,
        tf.errors.DeadlineExceededError,
    )
    text = str(error)
    if len(place.addresses) < 2:
        return ""
    if not isinstance(error, gone) and "Collective ops is aborted" not in text:
        return ""
    tasks = {int(task) for task in re.findall(r"task:(\d+)", text)}
    who = "Another worker was lost"
    if tasks == {place.worker}:
        who = "This worker was out of the others' reach for too long"
    elif len(tasks - {place.worker}) == 1:
        (task,) = tasks - {place.worker}
        who = f"Worker {task} at {place.addresses[task]} was lost"
    return f"{who}: start all again as before, and the run goes on where it was."
