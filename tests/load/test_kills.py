"""The server is killed at random moments while routes change, versions are swapped and rolled back, models come and go
and int8 siblings are built: each restart serves the last acknowledged state. Five kills by default; TANDEM_KILLS=100 for
the long form.
"""
import collections
import hashlib
import json
import os
import random
import signal
import threading

import numpy as np
import pytest
import tritonclient.grpc as triton

import tandemd
from small_models import Classifier, add_constant, tensor, until
from tandemctl import Tandemctl

KILLS = int(os.environ.get("TANDEM_KILLS", "5"))
LONGEST = (0.3, 2, 6)  # seconds from readiness to the kill: before, within and after builds

pytestmark = pytest.mark.timeout(3600)


class Operator:
    """Makes one change after the other, until the server dies, and knows what may be found after it.

    What is being changed may be found as it was or as it was to be; what was acknowledged may not be missing.
    """

    def __init__(self, repository, rng):
        self.repository, self.rng = repository, rng
        self.newest = 0
        self.weights, self.versions, self.others = {None}, {1}, {True}
        self.acknowledged = collections.Counter()
        self.publish()

    def publish(self):
        """Puts a version in place, as one should: by renaming. -> its number."""
        number = self.newest + 1
        Classifier(number).save(self.repository / f".m.{number}/model.onnx")
        (self.repository / "m").mkdir(exist_ok=True)
        (self.repository / f".m.{number}").rename(self.repository / f"m/{number}")
        self.newest = number
        return number

    def change(self, ctl):
        """-> whether the server lived through one more change."""
        kind = self.rng.choice(("route", "route", "publish", "rollback", "other", "quantize", "sibling"))
        if not getattr(self, f"_{kind}")(ctl):
            return False
        self.acknowledged[kind] += 1
        return True

    def _route(self, ctl):
        weight = round(self.rng.random(), 6)
        self.weights = self.weights | {weight}
        if not succeeds(ctl, "route", "set", "m", "split", "--weight", f"int8={weight}"):
            return False
        self.weights = {weight}
        return True

    def _publish(self, ctl):
        # A server that starts from here on finds it; this one takes a look to.
        self.versions = {self.publish()}
        if not succeeds(ctl, "models", "load", "m"):
            return False
        assert {serving(ctl)} <= self.versions | {None}
        return True

    def _rollback(self, ctl):
        now, = self.versions
        if now == 1:
            return self._publish(ctl)
        self.versions = {now, now - 1}
        if not succeeds(ctl, "rollback", "m", "--to", now - 1):
            return False
        self.versions = {now - 1}
        return True

    def _other(self, ctl):
        loaded, = self.others
        self.others = {True, False}
        if not succeeds(ctl, "models", "unload" if loaded else "load", "other"):
            return False
        self.others = {not loaded}
        return True

    def _quantize(self, ctl):
        # Nobody waits for it: the kill comes in the middle of it more often than not.
        quantizing = ctl.start("quantize", "m", "--anew", "--output", "json")
        begun = quantizing.stdout.readline() != ""
        if begun:
            quantizing.kill()
        error = quantizing.communicate(timeout=60)[1]
        assert begun or is_of_a_kill(error), error
        return begun

    def _sibling(self, ctl):
        # Lets the build come to its end, so that artifacts are taken in and siblings join amid kills as well.
        pause = threading.Event()
        while True:
            process = ctl.start("models", "status", "m", "--output", "json")
            out, error = process.communicate(timeout=60)
            assert process.returncode == 0 or is_of_a_kill(error), error
            if process.returncode != 0 or any(v["state"] == "published" and v["variants"][1]["state"] != "building"
                                              for v in json.loads(out)["model"]["versions"]):
                return process.returncode == 0
            pause.wait(0.05)

    def check(self, ctl, server):
        """That a server which has just started serves what was acknowledged; the rest is settled by it."""
        model = ctl.json("models", "status", "m")["model"]
        weight = model["route"].get("override", {}).get("route", {}).get("weights", {}).get("int8")
        version, other = int(model["serving_version"]), is_served(ctl)
        assert weight in self.weights and version in self.versions and other in self.others
        self.weights, self.versions, self.others = {weight}, {version}, {other}
        check_answers(server, version, "fp32", 1e-4)


def succeeds(ctl, *arguments):
    """Whether the change was acknowledged; else the server has died of the kill, and of nothing else."""
    process = ctl.start(*arguments)
    error = process.communicate(timeout=60)[1]
    assert process.returncode == 0 or is_of_a_kill(error), error
    return process.returncode == 0


def is_of_a_kill(error):
    return any(words in error for words in ("cannot be reached", "cannot reach", "ocket closed", "reset by peer"))


def serving(ctl):
    process = ctl.start("models", "status", "m", "--output", "json")
    out = process.communicate(timeout=60)[0]
    return int(json.loads(out)["model"]["serving_version"]) if process.returncode == 0 else None


def is_served(ctl):
    return int(ctl.json("models", "status", "other")["model"].get("serving_version", 0)) == 1


def check_answers(server, version, variant, tolerance):
    """That answers are those of `version`, which differ from those of all others."""
    x = np.random.default_rng(1).uniform(0, 1, (1, Classifier.INPUTS)).astype(np.float32)
    model = Classifier(version)
    expected = np.maximum(x @ model.first, 0) @ model.last
    with triton.InferenceServerClient(server.grpc) as client:
        answer = client.infer("m", [tensor("x", x)], parameters={"variant": variant})
    assert answer.get_response().model_version == str(version)
    error = np.linalg.norm(answer.as_numpy("y") - expected) / np.linalg.norm(expected)
    assert error < tolerance, (version, variant)


def check_artifacts(state):
    """That whatever has an artifact's place is a whole one. -> how many there are."""
    whole = [path for path in (state / "artifacts").glob("*") if not path.name.startswith(".")]
    for path in whole:
        report = json.loads((path / "report.json").read_text())
        if "artifact_sha256" in report and (path / "model.onnx").exists():
            assert report["artifact_sha256"] == hashlib.sha256((path / "model.onnx").read_bytes()).hexdigest()
    return len(whole)


def int8_of(ctl):
    version = next(v for v in ctl.json("models", "status", "m")["model"]["versions"] if v["state"] == "published")
    return version["variants"][1]


@pytest.fixture(name="repository")
def make_repository(tmp_path):
    if not (tandemd.BINARIES / "tandem-model").exists() or not (tandemd.BINARIES / "tandemctl").exists():
        pytest.skip("tandem-model and tandemctl were not built")
    folder = tmp_path / "repository"
    add_constant(folder / "other/1/model.onnx", 1)
    (folder / "m/samples").mkdir(parents=True)
    x = np.random.default_rng(0).uniform(0, 1, (200, Classifier.INPUTS)).astype(np.float32)
    np.savez(folder / "m/samples/inputs.npz", x=x)
    return folder


def test_each_restart_serves_what_was_acknowledged(repository, tmp_path):
    rng = random.Random(11)
    operator = Operator(repository, rng)
    state = tmp_path / "state"
    arguments = ("--model-repository", repository, "--state-dir", state, "--poll-interval", "50ms")
    for _ in range(KILLS):
        with pytest.raises(RuntimeError, match="ended with -9"), tandemd.running(*arguments) as server:
            ctl = Tandemctl(server.admin)
            operator.check(ctl, server)
            kill = threading.Timer(rng.uniform(0, rng.choice(LONGEST)), server.process.send_signal, (signal.SIGKILL,))
            kill.start()
            while operator.change(ctl):
                pass
            kill.join()
            server.process.wait(60)
        check_artifacts(state)
    with tandemd.running(*arguments) as server:
        ctl = Tandemctl(server.admin)
        operator.check(ctl, server)
        until(lambda: int8_of(ctl)["state"] in ("proven", "inconclusive", "rejected", "failed"), "int8")
        sibling = int8_of(ctl)
        assert sibling["state"] != "failed", sibling
        if sibling["loaded"]:
            check_answers(server, *operator.versions, "int8", 0.2)
        artifacts = check_artifacts(state)
    print(f"{KILLS} kills; acknowledged before them: {dict(operator.acknowledged)}; {artifacts} artifacts, all whole")
