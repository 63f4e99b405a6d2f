"""The int8 siblings that the server builds of real models by itself, beside fp32 on real labelled data.

One server gets a repository with samples; each test waits for its model's sibling and asks both variants the same.
By default at most 2,000 items of a task are scored, and what older CPUs get is looked at for two tasks. With
TANDEM_THOROUGH=1 all items and all tasks are taken everywhere. Run with -rP to read the figures.
"""
import contextlib
import hashlib
import json

import pytest
import tritonclient.grpc as triton

import real_tasks
import tandemd
from real_tasks import BARS, THOROUGH
from small_models import until

pytest.importorskip("onnxruntime")

# Which layers stay in fp32 depends on measured times, and a few answers of the 400 to 800 of a task on that. The bars
# themselves are for who looks at all of it.
CHANCE = 1e-9 if THOROUGH else .01
MOST_ITEMS = None if THOROUGH else 2000
BUILD_SECONDS = 1200  # for all siblings of a repository, on cores that nobody else wants
# What oneDNN is told to use at most: none, and the levels below in which products of 8 bits are added otherwise.
LEVELS = ("", "AVX2", "AVX512_CORE", "AVX512_CORE_VNNI")
CASES = [(level, task) for level in LEVELS for task in BARS if not level or THOROUGH or task in ("kws", "cifar10")]


@pytest.fixture(scope="module", name="tasks")
def load_tasks():
    return real_tasks.load()


class Siblings:
    """A running server that builds the int8 siblings of some tasks' models."""

    def __init__(self, tasks, server, state):
        self.tasks, self.server, self.state = tasks, server, state

    def wait(self, model):
        """-> what ModelConfig says of the sibling once it has been judged."""
        with triton.InferenceServerClient(self.server.grpc) as client:
            def told():
                parameters = client.get_model_config(model).config.parameters
                return {key: parameters[key].string_value for key in parameters}

            until(lambda: told().get("variant.int8.state") in ("proven", "inconclusive", "rejected", "failed"),
                  f"the verdict on {model}", tries=10 * BUILD_SECONDS)
            return told()

    def artifact(self, model):
        """The folder of what was built for `model`."""
        sha256 = hashlib.sha256((self.tasks.MODELS / f"{model}.onnx").read_bytes()).hexdigest()
        for path in (self.state / "artifacts").glob("*/report.json"):
            if json.loads(path.read_text())["model_sha256"] == sha256:
                return path.parent
        raise AssertionError(f"there is no artifact of {model}")


def start(tasks, level, folder):
    """A server over a repository of the models of all cases of a level."""
    for task in (tasks.TASKS[name]() for at, name in CASES if at == level):
        model = folder / "repository" / task.model.removesuffix(".onnx")
        (calibration, labels), _ = task.splits()
        real_tasks.write_samples(tasks, task, calibration, labels, model / "samples")
        (model / "1").mkdir()
        (model / "1/model.onnx").symlink_to(tasks.MODELS / task.model)
    return tandemd.running("--model-repository", folder / "repository", "--state-dir", folder / "state", timeout=300,
                           environment={"ONEDNN_MAX_CPU_ISA": level} if level else {})


@pytest.fixture(scope="module", name="siblings")
def run_siblings(tasks, tmp_path_factory):
    """A function from a level to its server, started when first asked for."""
    with contextlib.ExitStack() as stack:
        running = {}

        def at(level):
            if level not in running:
                folder = tmp_path_factory.mktemp(level or "native")
                server = stack.enter_context(start(tasks, level, folder))
                running[level] = Siblings(tasks, server, folder / "state")
            return running[level]

        yield at


@pytest.mark.timeout(BUILD_SECONDS + 300)
@pytest.mark.parametrize("level, name", CASES, ids=["-".join(filter(None, case)) for case in CASES])
def test_a_sibling_loses_little(tasks, siblings, level, name):
    bar, task = BARS[name], tasks.TASKS[name]()
    model = task.model.removesuffix(".onnx")
    running = siblings(level)
    told = running.wait(model)
    assert told["variants"] == "fp32,int8", told
    _, (items, labels) = task.splits()
    items, labels = items[:MOST_ITEMS], labels[:MOST_ITEMS]
    artifact = running.artifact(model)
    runners = (tasks.server_runner(running.server.grpc, model, "fp32"),
               tasks.server_runner(running.server.grpc, model, "int8"),
               tasks.ort_runner(artifact / "model.onnx"))
    fp32, int8, elsewhere = ([run(item) for item in items] for run in runners)
    scores = [task.score(outputs, labels) for outputs in (fp32, int8, elsewhere)]
    loss, agreement = real_tasks.loss(task, *scores[:2]), real_tasks.agreement(fp32, int8)
    report = json.loads((artifact / "report.json").read_text())
    layers = [layer["precision"] for layer in report["layers"]]
    print(f"figures: {level or 'native'} | {name} | fp32 {scores[0]:.4f} | int8 {scores[1]:.4f} | loss {loss:+.4f} | "
          f"agreement {agreement:.4f} | ONNX Runtime {scores[2]:.4f} | {report['speed']['ratio']:.2f} x | "
          f"{layers.count('int8')} of {len(layers)} layers | {told['variant.int8.state']}")
    assert loss <= bar.loss + CHANCE
    assert bar.agreement is None or agreement >= bar.agreement - CHANCE
    assert scores[2] == pytest.approx(scores[1], abs=bar.runtimes + CHANCE)
