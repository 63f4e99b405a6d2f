"""Two versions of a model compared on live requests, and requests split between them."""
import json
import re
import time
import urllib.request

import numpy as np
import pytest
import tritonclient.grpc as triton

import tandemd
from small_models import Classifier, add_constant, tensor, until
from tandemctl import Tandemctl, report_outcome

CLASSIFIER = Classifier()

pytestmark = pytest.mark.request_path


@pytest.fixture
def repository(tmp_path):
    """Version 7 of a classifier."""
    if not (tandemd.BINARIES / "tandemctl").exists():
        pytest.skip("tandemctl was not built")
    CLASSIFIER.save(tmp_path / "models/m/7/model.onnx")
    return tmp_path / "models"


def configure(repository, text):
    (repository / "m/config.yaml").write_text(text + "\n")


def serving(repository, *arguments):
    return tandemd.running("--model-repository", repository, "--poll-interval", "50ms", *arguments)


def infer(client, row, version="", request_id="", **parameters):
    """-> the scores, and the version that answered."""
    result = client.infer("m", [tensor("x", row.reshape(1, -1))], model_version=version, request_id=request_id,
                          parameters=parameters or None)
    response = result.get_response()
    assert response.parameters["variant"].string_param == "fp32"
    return result.as_numpy("y")[0], response.model_version


def metric(server, name, labels):
    text = urllib.request.urlopen(f"http://{server.http}/metrics", timeout=10).read().decode()
    found = re.search(rf'^tandem_{name}{{{labels}}} (\S+)$', text, re.M)
    return float(found[1]) if found else None


def model(ctl):
    return ctl.json("models", "status", "m")["model"]


def states(ctl):
    return {version["number"]: version["state"] for version in model(ctl)["versions"]}


def send_until_decided(client, ctl, seconds=60):
    """Sends requests, no two alike, that version 7 answers -> what is known then."""
    end, seed = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        seed += 1
        for row in CLASSIFIER.inputs(50, seed):
            assert infer(client, row)[1] == "7"
        told = ctl.json("compare", "m")
        if told["verdict"] != "undecided":
            return told
    raise AssertionError("no verdict")


def test_a_damaged_version_is_shown_to_be_so_and_never_answers(repository):
    CLASSIFIER.save(repository / "m/8/model.onnx", damage=4)
    configure(repository, "route: {mode: shadow, candidate_version: 8, shadow_rate: 1}")
    with serving(repository) as server, triton.InferenceServerClient(server.grpc) as client:
        ctl = Tandemctl(server.admin)
        row = CLASSIFIER.prototypes[0]
        assert infer(client, row)[1] == "7" and infer(client, row, version="8")[1] == "8"
        until(lambda: states(ctl) == {"7": "published", "8": "published"}, "both versions")
        told = send_until_decided(client, ctl)
        assert told["verdict"] == "rejected" and (told["version"], told["baseline_version"]) == ("8", "7")
        assert told["agreement"] < 0.9 and told["latency_ratio"] > 0
        text = ctl.text("compare", "m")
        assert "version 8 beside version 7 is rejected by live evidence" in text
        assert "VERSION 7" in text and "VERSION 8" in text
        labels = 'model="m",version="8",baseline_version="7"'
        assert metric(server, "verdict", labels + ',verdict="rejected"') == 1
        assert metric(server, "agreement_ratio", labels) < 0.9
        event, = ctl.json("history", "--kind", "rejected")["events"]
        assert event["version"] == "8" and json.loads(event["detail_json"])["baseline_version"] == 7
        assert "version 8: beside version 7 rejected: " in server.log.read_text()
        assert model(ctl)["serving_version"] == "7"


def test_who_names_a_version_or_a_variant_is_not_compared(repository):
    CLASSIFIER.save(repository / "m/8/model.onnx")
    configure(repository, "route: {mode: shadow, candidate_version: 8, shadow_rate: 1}")
    with serving(repository) as server, triton.InferenceServerClient(server.grpc) as client:
        ctl = Tandemctl(server.admin)
        until(lambda: states(ctl) == {"7": "published", "8": "published"}, "both versions")
        for row in CLASSIFIER.inputs(20, 1):
            assert [infer(client, row, version=version)[1] for version in "78"] == ["7", "8"]
            assert infer(client, row, variant="fp32")[1] == "7"
        infer(client, CLASSIFIER.prototypes[0])
        counts = lambda: {key: int(ctl.json("compare", "m")[key]) for key in ("comparisons", "duplicates", "dropped")}
        until(lambda: sum(counts().values()) > 0, "the comparison of the last one")
        assert sum(counts().values()) == 1


def test_a_good_version_is_proven_and_takes_over_when_its_owner_says_so(repository, tmp_path):
    state = tmp_path / "state"
    with serving(repository, "--state-dir", state) as server, triton.InferenceServerClient(server.grpc) as client:
        ctl = Tandemctl(server.admin)
        configure(repository, "route: {mode: shadow, candidate_version: 8, shadow_rate: 1}")
        until(lambda: "version 8 is not there" in ctl.text("route", "show", "m"), "the candidate to be missed")
        assert infer(client, CLASSIFIER.prototypes[0])[1] == "7"
        CLASSIFIER.save(tmp_path / "new/model.onnx")
        (tmp_path / "new").rename(repository / "m/8")
        until(lambda: states(ctl).get("8") == "published", "version 8")
        told = send_until_decided(client, ctl)
        assert told["verdict"] == "proven" and told["agreement"] > 0.99
        assert "the route is between versions: version 8 takes over" in ctl.refused("promote", "m")
    # What is known of both is kept.
    with serving(repository, "--state-dir", state) as server, triton.InferenceServerClient(server.grpc) as client:
        ctl = Tandemctl(server.admin)
        until(lambda: ctl.json("compare", "m")["verdict"] == "proven", "the evidence")
        configure(repository, "route: {mode: shadow}")
        until(lambda: infer(client, CLASSIFIER.prototypes[0])[1] == "8", "version 8")
        until(lambda: states(ctl) == {"7": "kept", "8": "published"}, "version 7 to be kept")


def test_split_sends_a_share_to_the_candidate_and_keeps_keys_where_they_are(repository):
    CLASSIFIER.save(repository / "m/8/model.onnx")
    configure(repository, "route: {mode: split, candidate_version: 8, candidate_weight: 30%}")
    row = CLASSIFIER.prototypes[0]
    with serving(repository) as server, triton.InferenceServerClient(server.grpc) as client:
        ctl = Tandemctl(server.admin)
        share = lambda versions: np.mean([version == "8" for version in versions])
        # Five standard deviations of 600 draws are 9 points.
        assert share([infer(client, row)[1] for _ in range(600)]) == pytest.approx(0.3, abs=0.1)
        by_key = {f"user-{k}": infer(client, row, routing_key=f"user-{k}")[1] for k in range(200)}
        for key, version in by_key.items():
            assert infer(client, row, routing_key=key)[1] == version
            assert infer(client, row, request_id=key)[1] == version
            # Who names a version or a variant gets that.
            assert infer(client, row, version="7", routing_key=key)[1] == "7"
            assert infer(client, row, routing_key=key, variant="fp32")[1] == "7"
        weights = [metric(server, "route_weight", f'model="m",version="{number}",variant="fp32"') for number in (7, 8)]
        assert weights == pytest.approx([0.7, 0.3])
        # Who was with the candidate stays there when its share grows.
        ctl.text("route", "set", "m", "split", "--candidate", 8, "--candidate-weight", "60%")
        moved = {key: infer(client, row, routing_key=key)[1] for key in by_key}
        assert all(moved[key] == "8" for key, version in by_key.items() if version == "8")
        assert share(moved.values()) == pytest.approx(0.6, abs=0.2)


def test_outcomes_are_counted_for_the_version_that_answered(repository):
    CLASSIFIER.save(repository / "m/8/model.onnx")
    configure(repository, "outcomes: {keep: 1000}\nroute: {mode: split, candidate_version: 8, candidate_weight: 50%}")
    row = CLASSIFIER.prototypes[3]
    with serving(repository) as server, triton.InferenceServerClient(server.grpc) as client:
        ctl = Tandemctl(server.admin)
        answered = {str(k): infer(client, row, request_id=str(k))[1] for k in range(40)}
        for request_id, version in answered.items():
            told = report_outcome(server, model="m", request_id=request_id, label=3 if version == "8" else 4)
            assert (told["version"], told["variant"], told.get("right", False)) == (version, "fp32", version == "8")
        told = ctl.json("compare", "m")
        of_8 = list(answered.values()).count("8")
        assert (told["fp32"]["outcomes"], told["fp32"]["outcomes_right"]) == (str(40 - of_8), "0")
        assert (told["int8"]["outcomes"], told["int8"]["outcomes_right"]) == (str(of_8), str(of_8))


def test_the_candidate_is_named_and_ended_by_hand(repository, tmp_path):
    CLASSIFIER.save(repository / "m/8/model.onnx")
    state = tmp_path / "state"
    row = CLASSIFIER.prototypes[0]
    with serving(repository, "--state-dir", state) as server, triton.InferenceServerClient(server.grpc) as client:
        ctl = Tandemctl(server.admin)
        assert infer(client, row)[1] == "8"
        assert "model m has no version 80" in ctl.refused("route", "set", "m", "shadow", "--candidate", 80)
        assert "by mode split or shadow, not fp32" in ctl.refused("route", "set", "m", "fp32", "--candidate", 8)
        # Version 7 was never loaded: it is, and takes over, before the command returns.
        told = ctl.text("route", "set", "m", "shadow", "--candidate", 8, "--shadow-rate", "100%", "--why", "a trial")
        assert told.startswith("shadow (version 8 100 %)\nset by ")
        assert infer(client, row)[1] == "7"
        assert states(ctl) == {"7": "published", "8": "published"}
        event, = ctl.json("history", "--kind", "route")["events"]
        assert json.loads(event["detail_json"])["to"]["candidate_version"] == 8
    with serving(repository, "--state-dir", state) as server, triton.InferenceServerClient(server.grpc) as client:
        ctl = Tandemctl(server.admin)
        assert infer(client, row)[1] == "7"
        # Going back from the candidate ends it: it stays out.
        assert ctl.text("rollback", "m") == "version 7 answers in fp32\n"
        assert "the candidate takes no part: version 8 is kept" in ctl.text("models", "status", "m")
        ctl.text("route", "clear", "m")
        assert infer(client, row)[1] == "7"


def test_versions_with_other_outputs_are_not_compared_and_the_difference_is_named(repository):
    add_constant(repository / "m/8/model.onnx", 1)
    configure(repository, "route: {mode: split, candidate_version: 8, candidate_weight: 1}")
    with serving(repository) as server, triton.InferenceServerClient(server.grpc) as client:
        ctl = Tandemctl(server.admin)
        until(lambda: states(ctl) == {"7": "published", "8": "published"}, "both versions")
        assert infer(client, CLASSIFIER.prototypes[0])[1] == "7"
        why = "version 8 cannot be compared with version 7: input 0 is"
        assert why in ctl.refused("compare", "m")
        assert why in model(ctl)["route"]["candidate_problem"]
