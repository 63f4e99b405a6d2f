"""The clients of the admin port: what they tell of a server, what they change, and that both have the same calls."""
import asyncio
import dataclasses
import datetime
import inspect

import numpy as np
import pytest

import tandem_client
import tandemd
from small_models import add_constant, add_constant_int8, digits, model_file, until
from tandem_client import _wire, admin

ONES = np.ones((1, 2), np.float32)
TOKEN = "0123456789abcdef"


@pytest.fixture(name="server")
def run_server(tmp_path):
    """Versions 1 and 2 of model m answer x + 10 and x + 20, and x + 30 in the int8 of version 2."""
    folder = tmp_path / "repository"
    add_constant(folder / "m/1/model.onnx", 10)
    add_constant(folder / "m/2/model.onnx", 20)
    add_constant_int8(folder / "m/2/int8/model.onnx", 30)
    (tmp_path / "token").write_text(TOKEN)
    with tandemd.running("--model-repository", folder, "--poll-interval", "20ms", "--admin-token-file",
                         tmp_path / "token") as running:
        yield running


@pytest.fixture(name="client")
def connect(server):
    with tandem_client.AdminClient(server.admin, token=TOKEN) as client:
        until(lambda: [variant.loaded for variant in client.model("m").versions[-1].variants] == [True, True], "int8")
        yield client


def answer(server):
    with tandem_client.Client(server.grpc) as client:
        result = client.infer("m", {"x": ONES}, request_id="order-17")
        return float(result["y"][0, 0]) - 1, result.version, result.variant


def test_a_model_is_told_of_with_its_versions_and_variants(client):
    (model,) = client.models()
    assert model == client.model("m")
    version = model.versions[-1]
    assert (model.name, model.serving_version, version.number, version.state) == ("m", 2, 2, "published")
    fp32, int8 = version.variants
    assert (fp32.name, int8.name, fp32.progress, fp32.verdict) == ("fp32", "int8", None, None)
    assert model.route.override is None and model.route.effective.mode == "auto"


def test_a_route_is_set_and_cleared_and_the_history_says_by_whom(client, server):
    state = client.set_route("m", admin.Route("split", {"int8": 1.0}), who="ann", why="first try")
    assert (state.override.author.who, state.override.author.why) == ("ann", "first try")
    assert state.effective.weights["int8"] == 1.0 and client.route("m") == state
    assert answer(server) == (30, 2, "int8")
    assert client.clear_route("m").override is None
    assert answer(server) == (20, 2, "fp32")
    cleared, changed = client.history("m", kind="clear_route") + client.history("m", kind="route")
    assert (changed.author.who, cleared.model) == ("ann", "m") and changed.detail
    assert abs(datetime.datetime.now(datetime.timezone.utc) - changed.author.when) < datetime.timedelta(minutes=5)
    assert client.history("m", limit=1)[0].id > client.history("m", before_id=cleared.id, limit=1)[0].id


def test_a_version_is_tried_beside_another(client, server):
    route = admin.Route("split", candidate_version=1, candidate_weight=1.0)
    state = client.set_route("m", route)
    assert (state.effective.candidate_version, state.candidate_problem) == (1, "")
    assert answer(server) == (10, 1, "fp32")
    client.set_route("m", admin.Route("shadow", candidate_version=1, shadow_rate=1.0))
    assert answer(server)[1] == 2
    comparison = client.compare("m")
    assert (comparison.version, comparison.baseline_version) == (1, 2)


def test_int8_is_promoted_and_demoted(client, server):
    with pytest.raises(tandem_client.FailedPrecondition, match="promote int8 of 'm' at .*: FAILED_PRECONDITION"):
        client.promote("m")
    assert client.promote("m", force=True, why="we know better").answering_variant == "int8"
    assert answer(server)[2] == "int8"
    comparison = client.compare("m")
    assert (comparison.version, comparison.int8_serves, comparison.verdict) == (2, True, "undecided")
    assert client.demote("m").answering_variant == "fp32"


def test_a_version_is_rolled_back_and_a_model_unloaded_and_loaded(client, server):
    assert client.rollback("m", why="too slow").number == 1
    assert answer(server)[:2] == (10, 1)
    client.unload_model("m")
    with pytest.raises(tandem_client.Unavailable), tandem_client.Client(server.grpc) as other:
        other.infer("m", {"x": ONES}, retry=tandem_client.NO_RETRIES)
    assert client.load_model("m").serving_version == 2


def test_an_outcome_counts_once(tmp_path):
    folder = tmp_path / "repository/m"
    add_constant(folder / "1/model.onnx", 10)
    (folder / "config.yaml").write_text("outcomes: {keep: 10}\n")
    with tandemd.running("--model-repository", folder.parent) as server:
        assert answer(server)[:2] == (10, 1)
        with tandem_client.AdminClient(server.admin) as client:
            assert client.report_outcome("m", "order-17", right=True) == admin.Outcome(1, "fp32", True, None)
            with pytest.raises(tandem_client.NotFound, match="outcome of 'order-17' by 'm'"):
                client.report_outcome("m", "order-17", right=True)


def test_what_is_wrong_is_told(client, server):
    with pytest.raises(tandem_client.NotFound, match="state of 'nobody' at"):
        client.model("nobody")
    with pytest.raises(tandem_client.NotFound, match="order-18"):
        client.report_outcome("m", "order-18", right=True)
    with pytest.raises(ValueError, match="either right or label"):
        client.report_outcome("m", "order-18")
    with pytest.raises(tandem_client.TandemError, match="quantize 'm'"):
        client.quantize("m", anew=True)
    with pytest.raises(tandem_client.FailedPrecondition, match="cancel the build of 'm'"):
        client.cancel_quantize("m")
    with tandem_client.AdminClient(server.admin) as stranger, pytest.raises(tandem_client.Unauthenticated):
        stranger.models()


def test_the_same_with_asyncio(client, server):
    async def ask():
        async with tandem_client.AsyncAdminClient(server.admin, token=TOKEN) as other:
            assert await other.models() == client.models()
            assert (await other.set_route("m", admin.Route("int8"), who="bob")).override.author.who == "bob"
            with pytest.raises(tandem_client.TandemError, match="quantize 'm'"):
                await other.quantize("m", anew=True)
            return await other.clear_route("m")
    assert asyncio.run(ask()).override is None


@pytest.mark.parametrize("kind", ("blocking", "asyncio"))
def test_variants_are_scored_on_the_callers_samples(client, server, kind):
    x = np.random.default_rng(0).integers(-100, 100, (200, 2)).astype(np.float32)
    right = (x.argmax(1)).astype(np.int64)
    steps = []
    if kind == "blocking":
        found = client.evaluate("m", versions=[2], samples={"x": x}, labels=right, progress=steps.append)
    else:
        async def score():
            async with tandem_client.AsyncAdminClient(server.admin, token=TOKEN) as other:
                return await other.evaluate("m", versions=[2], samples={"x": x}, labels=right, progress=steps.append)
        found = asyncio.run(score())
    assert found.samples == 200
    assert [(score.version, score.variant) for score in found.scores] == [(2, "fp32"), (2, "int8")]
    assert found.scores[0].difference is None and found.scores[1].difference is not None
    assert found.scores[0].accuracy.value > .9  # ties go to the first


def test_samples_that_do_not_fit_are_refused(client):
    with pytest.raises(tandem_client.InvalidArgument, match="evaluate 'm' at"):
        client.evaluate("m", samples={"y": ONES})


@pytest.mark.parametrize("kind", ("blocking", "asyncio"))
def test_a_build_is_followed_to_its_verdict(tmp_path, kind):
    if not model_file("tab_digits").exists():
        pytest.skip("../shared with the models is not here")
    model = tmp_path / "repository/digits"
    (model / "1").mkdir(parents=True)
    (model / "1/model.onnx").symlink_to(model_file("tab_digits"))
    (model / "samples").mkdir()
    with tandemd.running("--model-repository", tmp_path / "repository") as server:
        with tandem_client.Client(server.grpc) as client:
            name = client.metadata("digits").inputs[0].name
        np.savez(model / "samples/inputs.npz", **{name: digits(200)})
        steps = []
        if kind == "blocking":
            with tandem_client.AdminClient(server.admin) as client:
                int8 = client.quantize("digits", progress=steps.append)
        else:
            async def build():
                async with tandem_client.AsyncAdminClient(server.admin) as client:
                    return await client.quantize("digits", progress=steps.append)
            int8 = asyncio.run(build())
    assert int8.name == "int8" and int8.verdict.loss.samples > 0
    assert steps and all(0 <= step.done <= 1 for step in steps)


def test_both_clients_have_the_same_methods_and_arguments():
    def public(kind):
        return {name: list(inspect.signature(member).parameters) for name, member in inspect.getmembers(kind, callable)
                if not name.startswith("_")} | {"()": list(inspect.signature(kind).parameters)}
    assert public(tandem_client.AdminClient) == public(tandem_client.AsyncAdminClient)


@pytest.mark.parametrize("record", [kind for kind in vars(admin).values() if dataclasses.is_dataclass(kind)],
                         ids=lambda kind: kind.__name__)
def test_records_have_fields_of_the_wire_only(record):
    others = {"Comparison": "CompareResponse", "Outcome": "ReportOutcomeResponse"}
    message = f"tandem.admin.v1.{others.get(record.__name__, record.__name__)}"
    known = _wire.POOL.FindMessageTypeByName(message).fields_by_name
    assert {field.name for field in dataclasses.fields(record)} <= set(known)
