"""What clients may tell the server to do on the public port: load and unload with a flag, the rest not at all."""
import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException

import tandemd
from small_models import add_constant, tensor, until

pytestmark = pytest.mark.request_path

ROW = np.zeros((1, 2), np.float32)


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    folder = tmp_path_factory.mktemp("repository")
    for name, value in (("m", 1.0), ("n", 2.0)):
        add_constant(folder / name / "1/model.onnx", value)
    return folder


@pytest.fixture(scope="module")
def server(repository):
    with tandemd.running("--model-repository", repository, "--model-control", "--poll-interval", "0",
                         "--log-level", "warning") as running:
        yield running


@pytest.fixture
def client(server):
    with triton.InferenceServerClient(server.grpc) as client:
        yield client


def answer(client, model):
    return client.infer(model, [tensor("x", ROW)]).as_numpy("y")[0, 0]


def refused(code, words, call, *arguments, **options):
    with pytest.raises(InferenceServerException, match=words) as error:
        call(*arguments, **options)
    assert error.value.status() == f"StatusCode.{code}"


def index(server, **fields):
    with grpc.insecure_channel(server.grpc) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        answer = stub.RepositoryIndex(service_pb2.RepositoryIndexRequest(**fields), timeout=10)
    return {(model.name, model.version): model.state for model in answer.models}


def test_a_model_is_unloaded_and_loaded_again(server, client):
    assert answer(client, "m") == 1.0
    client.unload_model("m")
    refused("UNAVAILABLE", "m", answer, client, "m")
    assert not client.is_model_ready("m")
    # Its requests have ended, its last handles go in the background.
    until(lambda: index(server)[("m", "1")] == "UNAVAILABLE", "the end of the version")
    assert index(server, ready=True) == {("n", "1"): "READY"}
    assert answer(client, "n") == 2.0
    client.load_model("m")
    assert answer(client, "m") == 1.0
    assert index(server, ready=True) == {("m", "1"): "READY", ("n", "1"): "READY"}


def test_what_has_come_is_loaded_when_asked_for(repository, client):
    refused("NOT_FOUND", "late", client.load_model, "late")
    add_constant(repository / "late/1/model.onnx", 3.0)
    client.load_model("late")
    assert answer(client, "late") == 3.0
    (repository / "broken/1").mkdir(parents=True)
    (repository / "broken/1/model.onnx").write_bytes(b"not a model")
    refused("UNAVAILABLE", "broken", client.load_model, "broken")
    client.unload_model("late")


def test_unknown_models_cannot_be_unloaded(client):
    refused("NOT_FOUND", "nobody", client.unload_model, "nobody")


def test_nothing_can_be_overridden(client):
    refused("INVALID_ARGUMENT", 'parameter "config"', client.load_model, "m", config="{}")
    refused("INVALID_ARGUMENT", 'parameter "file:1/model.onnx"', client.load_model, "m",
            files={"file:1/model.onnx": b"x"})
    assert answer(client, "m") == 1.0


def test_repositories_have_no_names(server):
    for method, request in (("RepositoryIndex", service_pb2.RepositoryIndexRequest(repository_name="r")),
                            ("RepositoryModelLoad", service_pb2.RepositoryModelLoadRequest(repository_name="r")),
                            ("RepositoryModelUnload", service_pb2.RepositoryModelUnloadRequest(repository_name="r"))):
        with grpc.insecure_channel(server.grpc) as channel:
            with pytest.raises(grpc.RpcError) as error:
                getattr(service_pb2_grpc.GRPCInferenceServiceStub(channel), method)(request, timeout=10)
        assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED and '"r"' in error.value.details()


def test_the_log_tells_how_it_is_set_and_is_not_changed_here(client):
    settings = client.get_log_settings(as_json=True)["settings"]
    assert {name: list(value.values())[0] for name, value in settings.items()} == {
        "log_file": "", "log_format": "text", "log_verbose_level": 0, "log_info": False, "log_warning": True,
        "log_error": True}
    refused("PERMISSION_DENIED", "admin port", client.update_log_settings, {"log_info": True})
    refused("PERMISSION_DENIED", "admin port", client.update_log_settings, {"log_file": None})
    assert not client.get_log_settings().settings["log_info"].bool_param


def test_the_log_is_set_on_the_admin_port(server, client):
    with triton.InferenceServerClient(server.admin) as admin:
        answer = admin.update_log_settings({"log_info": True}).settings
        assert answer["log_info"].bool_param and answer["log_verbose_level"].uint32_param == 0
        assert client.get_log_settings().settings["log_info"].bool_param
        admin.update_log_settings({"log_verbose_level": 1})
        assert client.get_log_settings().settings["log_verbose_level"].uint32_param == 1
        admin.update_log_settings({"log_verbose_level": 0, "log_info": False})
        settings = admin.get_log_settings().settings
        assert not settings["log_info"].bool_param and settings["log_warning"].bool_param
        refused("INVALID_ARGUMENT", '"log_file"', admin.update_log_settings, {"log_file": "/tmp/log", "log_info": True})
        refused("INVALID_ARGUMENT", "errors are always logged", admin.update_log_settings, {"log_error": False})
        refused("INVALID_ARGUMENT", '"log_info": expected true or false', admin.update_log_settings, {"log_info": None})
        assert not client.get_log_settings().settings["log_info"].bool_param


def test_the_admin_port_asks_for_its_token(repository, tmp_path):
    (tmp_path / "token").write_text("0123456789abcdef\n")
    with tandemd.running("--model-repository", repository, "--admin-token-file", tmp_path / "token") as own:
        with triton.InferenceServerClient(own.admin) as admin:
            refused("UNAUTHENTICATED", "token", admin.update_log_settings, {"log_info": False})
            headers = {"authorization": "Bearer 0123456789abcdef"}
            assert not admin.update_log_settings({"log_info": False}, headers=headers).settings["log_info"].bool_param


def test_nothing_is_traced(client):
    for options in ({}, {"model_name": "n"}):
        settings = client.get_trace_settings(**options).settings
        assert {name: list(value.value) for name, value in settings.items()} == {"trace_level": ["OFF"]}
    refused("PERMISSION_DENIED", "admin port", client.update_trace_settings, settings={"trace_level": ["TIMESTAMPS"]})
    refused("NOT_FOUND", "nobody", client.get_trace_settings, model_name="nobody")


def test_without_the_flag_nothing_is_loaded_or_unloaded(repository):
    with tandemd.running("--model-repository", repository) as own:
        with triton.InferenceServerClient(own.grpc) as client:
            for call in (client.load_model, client.unload_model):
                refused("PERMISSION_DENIED", "--model-control", call, "n")
            assert answer(client, "n") == 2.0
