"""tandemctl quantize: builds of int8 that operators start, watch and cancel."""
import json
import os
import pathlib
import pty
import signal
import subprocess

import numpy as np
import pytest

import fake_quantizer as fake
import tandemd
from small_models import add_constant, until
from tandemctl import Tandemctl

PROVEN = fake.SUCCEEDS.format(verdict="proven")
STEPS = ('say("progress", stage="calibrate", done=0.5, seconds_left=8)\nsay("progress", stage="judge", done=1)\n')
# Waits until the test has seen how far it is.
HELD = STEPS + 'while not pathlib.Path({gate!r}).exists():\n    time.sleep(0.01)\n' + PROVEN


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    add_constant(folder / "m/1/model.onnx", 10)
    (folder / "m/samples").mkdir()
    np.savez(folder / "m/samples/inputs.npz", x=np.ones((8, 2), np.float32))
    return folder


@pytest.fixture
def ctl(repository, quantizer, tmp_path):
    if not (tandemd.BINARIES / "tandemctl").exists():
        pytest.skip("tandemctl was not built")
    with tandemd.running("--model-repository", repository, "--poll-interval", "20ms", "--state-dir", tmp_path / "state",
                         "--quantizer", quantizer.path) as server:
        yield Tandemctl(server.admin)


def int8_of(ctl):
    return ctl.json("models", "status", "m")["model"]["versions"][0]["variants"][1]


def wait_for(ctl, state):
    until(lambda: int8_of(ctl)["state"] == state, state)


def gone(call):
    until(lambda: not pathlib.Path(f"/proc/{call['pid']}").exists(), "the end of the build")


def test_a_sibling_that_is_there_is_told_of_at_once(ctl, quantizer):
    wait_for(ctl, "proven")
    assert "int8 is proven: as told\n0.1 % of accuracy lost" in ctl.text("quantize", "m")
    assert len(quantizer.calls()) == 1


def test_a_build_that_failed_is_started_again(ctl, quantizer):
    wait_for(ctl, "proven")
    quantizer.behave("sys.exit('tandem-model: no such luck')\n")
    assert ctl.refused("quantize", "m", "--anew") == "int8 failed: tandem-model: no such luck"
    assert int8_of(ctl)["state"] == "failed" and not int8_of(ctl)["loaded"]
    quantizer.behave(PROVEN)
    assert "int8 is proven" in ctl.text("quantize", "m", "--why", "now it may")
    assert len(quantizer.calls()) == 3
    kinds = [event["kind"] for event in ctl.json("history", "m")["events"]]
    assert kinds[:5] == ["int8", "quantize", "int8", "quantize", "int8"]


def test_what_is_kept_is_built_again_only_when_asked(ctl, quantizer):
    wait_for(ctl, "proven")
    assert "int8 is proven" in ctl.text("quantize", "m", "--anew")
    assert len(quantizer.calls()) == 2


def test_a_build_that_runs_is_followed(ctl, quantizer, tmp_path):
    wait_for(ctl, "proven")
    gate = tmp_path / "gate"
    quantizer.behave(HELD.format(gate=str(gate)))
    following = ctl.start("quantize", "m", "--anew", "--output", "json")
    steps = [json.loads(following.stdout.readline())]
    while steps[-1]["progress"]["stage"] != "judge":
        steps.append(json.loads(following.stdout.readline()))
    second = ctl.start("quantize", "m")
    until(lambda: ctl.json("history", "--kind", "quantize")["events"][0]["id"] != "0" and
          len(ctl.json("history", "--kind", "quantize")["events"]) == 2, "the second follower")
    gate.touch()
    last = json.loads(following.communicate(timeout=60)[0].splitlines()[-1])
    assert last["result"]["state"] == "proven" and last["version"] == "1"
    assert "int8 is proven" in second.communicate(timeout=60)[0]
    assert len(quantizer.calls()) == 2


@pytest.mark.parametrize("way", ("ctrl-c", "from elsewhere"))
def test_a_build_is_cancelled(ctl, quantizer, way):
    wait_for(ctl, "proven")
    quantizer.behave(STEPS + fake.HANGS)
    following = ctl.start("quantize", "m", "--anew", "--output", "json")
    following.stdout.readline()
    until(lambda: len(quantizer.calls()) == 2, "the build")
    if way == "ctrl-c":
        following.send_signal(signal.SIGINT)
    else:
        ctl.text("quantize", "m", "--cancel", "--why", "too slow")
    error = following.communicate(timeout=60)[1]
    assert following.returncode == 1 and "its build was cancelled by request" in error
    gone(quantizer.calls()[1])
    assert int8_of(ctl)["state"] == "absent"
    assert ctl.json("history", "--kind", "cancel_quantize")["events"]
    assert "no build runs: there is no int8" in ctl.refused("quantize", "m", "--cancel")
    quantizer.behave(PROVEN)
    assert "int8 is proven" in ctl.text("quantize", "m")


def test_a_follower_that_leaves_does_not_end_the_build(ctl, quantizer, tmp_path):
    wait_for(ctl, "proven")
    gate = tmp_path / "gate"
    quantizer.behave(HELD.format(gate=str(gate)))
    following = ctl.start("quantize", "m", "--anew", "--output", "json")
    following.stdout.readline()
    following.kill()
    following.communicate(timeout=60)
    gate.touch()
    wait_for(ctl, "proven")
    assert len(quantizer.calls()) == 2


def test_people_see_a_bar(ctl, quantizer):
    wait_for(ctl, "proven")
    quantizer.behave(STEPS + 'time.sleep(0.3)\n' + PROVEN)
    ours, its = pty.openpty()
    following = subprocess.Popen([tandemd.BINARIES / "tandemctl", "quantize", "m", "--anew"], stderr=its,
                                 stdout=subprocess.PIPE, text=True, env={**os.environ, "TANDEM_ADDRESS": ctl.address})
    out = following.communicate(timeout=60)[0]
    os.close(its)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert "int8 is proven" in out
    assert "[####################] judge 100 %" in shown and "\033[K" in shown


def test_what_cannot_be_built_is_refused(ctl, repository):
    wait_for(ctl, "proven")
    assert ctl.refused("quantize", "k") == 'unknown model "k"'
    assert 'no version "7"' in ctl.refused("quantize", "m", "--version", "7")
    (repository / "m/config.yaml").write_text("quantization: {enabled: false}\n")
    wait_for(ctl, "absent")
    assert "switched off" in ctl.refused("quantize", "m")
    (repository / "m/config.yaml").unlink()
    (repository / "m/samples/inputs.npz").unlink()
    assert "no samples" in ctl.refused("quantize", "m")
