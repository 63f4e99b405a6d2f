"""What operators see of evidence and do about it: compare, promote, demote, outcomes."""
import json
import re
import signal
import urllib.request

import pytest
import tritonclient.grpc as triton

import tandemd
from small_models import Classifier, tensor, until
from tandemctl import Tandemctl, report_outcome

CLASSIFIER = Classifier()


@pytest.fixture
def repository(tmp_path):
    if not (tandemd.BINARIES / "tandemctl").exists():
        pytest.skip("tandemctl was not built")
    CLASSIFIER.save(tmp_path / "models/m/1/model.onnx")
    CLASSIFIER.save_int8(tmp_path / "models/m/1/int8/model.onnx")
    (tmp_path / "models/m/config.yaml").write_text("route: {mode: auto, shadow_rate: 0}\noutcomes: {keep: 100}\n")
    return tmp_path / "models"


@pytest.fixture
def serve(repository, tmp_path):
    return lambda: tandemd.running("--model-repository", repository, "--poll-interval", "20ms", "--state-dir",
                                   tmp_path / "state")


def infer(client, row, request_id=""):
    """-> the class, and the variant that answered."""
    result = client.infer("m", [tensor("x", row.reshape(1, -1))], request_id=request_id)
    return int(result.as_numpy("y")[0].argmax()), result.get_response().parameters["variant"].string_param


def version_of(ctl):
    return ctl.json("models", "status", "m")["model"]["versions"][0]


def wait_for_int8(ctl):
    until(lambda: version_of(ctl)["variants"][1]["loaded"], "int8")


def test_a_promotion_by_force_is_recorded_and_survives_kill_9(serve):
    with pytest.raises(RuntimeError, match="ended with -9"), serve() as server:
        ctl = Tandemctl(server.admin)
        wait_for_int8(ctl)
        assert "int8 is not proven" in ctl.refused("promote", "m")
        assert ctl.text("promote", "m", "--force", "--why", "measured elsewhere") == "version 1 answers in int8\n"
        server.process.send_signal(signal.SIGKILL)
        server.process.wait(60)
    with serve() as server, triton.InferenceServerClient(server.grpc) as client:
        ctl = Tandemctl(server.admin)
        wait_for_int8(ctl)
        assert infer(client, CLASSIFIER.inputs(1, 1)[0])[1] == "int8"
        event, = ctl.json("history", "--kind", "promote")["events"]
        assert event["author"]["why"] == "measured elsewhere" and json.loads(event["detail_json"]) == {"force": True}
        told, = ctl.json("history", "--kind", "promoted")["events"]
        assert told["author"]["who"] == "tandemd" and "forced" in told["detail_json"]
        assert ctl.text("demote", "m") == "version 1 answers in fp32\n"
        assert "does not serve" in ctl.refused("demote", "m")
        assert infer(client, CLASSIFIER.inputs(1, 2)[0])[1] == "fp32"


def test_only_the_route_auto_is_promoted(serve):
    with serve() as server:
        ctl = Tandemctl(server.admin)
        wait_for_int8(ctl)
        ctl.text("route", "set", "m", "split", "--weight", "int8=50%")
        assert version_of(ctl)["answering_variant"] == "split"
        assert "the route is split; only auto is promoted" in ctl.refused("promote", "m", "--force")


def dealt_with(server):
    """How many sampled requests were compared, or dropped for want of room."""
    text = urllib.request.urlopen(f"http://{server.http}/metrics", timeout=10).read().decode()
    return sum(float(line.split()[-1]) for line in text.splitlines()
               if re.match(r"tandem_shadow_(comparisons|dropped|duplicates)_total\{", line))


def test_evidence_is_shown(serve):
    with serve() as server, triton.InferenceServerClient(server.grpc) as client:
        ctl = Tandemctl(server.admin)
        wait_for_int8(ctl)
        empty = ctl.json("compare", "m")
        assert (empty["verdict"], empty["comparisons"], empty["int8_serves"]) == ("undecided", "0", False)
        assert "0 requests compared" in ctl.text("compare", "m")
        ctl.text("route", "set", "m", "auto", "--shadow-rate", "100%")
        for row in CLASSIFIER.inputs(60, 1):
            infer(client, row)
        until(lambda: dealt_with(server) == 60, "evidence")
        told = ctl.json("compare", "m")
        assert told["metric"] == "agreement" and told["agreement"] > 0.9 and 0 < told["relative_error"] < 0.1
        count = int(told["comparisons"])
        for arm in ("fp32", "int8"):
            assert sum(int(bucket["count"]) for bucket in told[arm]["latency"]) == count
            assert told[arm]["mean_seconds"] > 0
        assert int(told["outputs"][0]["rows"]) == int(told["changes"]["samples"]) == count
        assert told["changes"]["lower_bound"] <= told["changes"]["mean_loss"] <= told["changes"]["upper_bound"]
        text = ctl.text("compare", "m")
        assert f"{count} requests compared" in text and "FP32" in text and "p99" in text


def test_nothing_is_compared_without_a_sibling(tmp_path):
    with tandemd.running(CLASSIFIER.save(tmp_path / "m.onnx")) as server:
        assert "nothing is compared: there is no int8" in Tandemctl(server.admin).refused("compare", "m")


def test_outcomes_are_counted_for_the_variant_that_answered(serve):
    with serve() as server, triton.InferenceServerClient(server.grpc) as client:
        ctl = Tandemctl(server.admin)
        wait_for_int8(ctl)
        for number, row in enumerate(CLASSIFIER.inputs(3, 1)):
            label, variant = infer(client, row, f"request-{number}")
            outcome = {"right": number == 0} if number < 2 else {"label": label}
            told = report_outcome(server, model="m", request_id=f"request-{number}", **outcome)
            assert (told["variant"], told.get("right", False)) == (variant, number != 1)
        fp32 = ctl.json("compare", "m")["fp32"]
        assert (fp32["outcomes"], fp32["outcomes_right"]) == ("3", "2")
        assert "NotFound" in report_outcome(server, model="m", request_id="request-0", right=True)
        assert "expected `right` or `label`" in report_outcome(server, model="m", request_id="request-1")
