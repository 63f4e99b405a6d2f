"""The labelled tasks of ../shared for tests: loading them, writing samples, scoring two variants beside each other."""
import dataclasses
import importlib.util
import os

import numpy as np
import pytest

import tandemd

TASKS = tandemd.SHARED / "tasks/tasks.py"
# Whether to measure everything: some twenty minutes in place of two.
THOROUGH = bool(os.environ.get("TANDEM_THOROUGH"))


@dataclasses.dataclass(frozen=True)
class Bar:
    """What int8 may cost, and how far the scores of two runtimes may lie apart.

    Runtimes add in different orders; where a sum falls between two steps the step may be the other, and a deep network
    carries that on. ONNX Runtime with its optimizations and without differs from itself by that much: in 1 to 2 % of the
    answers and .005 of the score on 400 pictures, in .0063 of YuNet's average precision on 80. Twice that is allowed.
    """
    loss: float                     # of the score, at most
    agreement: float | None = None  # of answers with fp32, at least
    runtimes: float = .005          # of the score, at most


BARS = {
    "mnist": Bar(.001, .997),
    "kws": Bar(.005, .985),
    "cifar10": Bar(.005, .97),
    "imagenet_v2": Bar(.005, .985, runtimes=.01),
    "imagenet_v1_025": Bar(.010, .86, runtimes=.01),
    "faces_yunet": Bar(.01, runtimes=.0126),
    "faces_ultraface": Bar(.01),
    "ocr_lines": Bar(.003),
    "sick": Bar(.004),
}


def load():
    """The module of the tasks; skips the test where it is not here."""
    if not TASKS.exists():
        pytest.skip("../shared with the models and their data is not here")
    spec = importlib.util.spec_from_file_location("tasks", TASKS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_samples(tasks, task, items, labels, folder):
    """inputs.npz for the quantizer, and labels.npy when the task is a classifier's."""
    folder.mkdir(parents=True, exist_ok=True)
    only = tasks.first_input(tasks.MODELS / task.model)
    arrays = {}
    for key in items[0]:
        values = [item[key] for item in items]
        if len({value.shape for value in values}) == 1:
            arrays[key or only] = np.concatenate(values)
        else:
            arrays.update({f"{key or only}.{i}": value for i, value in enumerate(values)})
    np.savez(folder / "inputs.npz", **arrays)
    if isinstance(task, tasks.Top1):
        np.save(folder / "labels.npy", np.array(labels, np.int64))


def loss(task, exact, quantized):
    """What the second score is worse by."""
    return (quantized - exact) if task.lower_is_better else (exact - quantized)


def agreement(exact, quantized):
    """The share of answers (largest values along the last axis of the first output) that stay the same."""
    def answers(outputs):
        return np.concatenate([np.ravel(next(iter(output.values())).squeeze().argmax(-1)) for output in outputs])
    return float(np.mean(answers(exact) == answers(quantized)))
