"""ModelStreamInfer: many requests on one stream, in the order in which they are done."""
import queue
import threading
import urllib.request

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException

import tandemd
from small_models import add_constant, digits, model_file, tensor, until

pytestmark = pytest.mark.request_path


class Stream:
    """A stream of tritonclient's and what came back on it."""

    def __init__(self, address):
        self.client = triton.InferenceServerClient(address)
        self.answers = queue.Queue()
        self.client.start_stream(lambda result, error: self.answers.put((result, error)))

    def send(self, model, x, **options):
        self.client.async_stream_infer(model, [tensor("x", x)], **options)

    def take(self):
        return self.answers.get(timeout=60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.stop_stream()
        self.client.close()


def by_id(answers):
    for result, error in answers:
        assert error is None, error
    return {result.get_response().id: result for result, _ in answers}


def requests_of(server):
    with triton.InferenceServerClient(server.grpc) as client:
        return client.get_inference_statistics("tab_digits").model_stats[0].inference_stats


def in_flight(server):
    text = urllib.request.urlopen(f"http://{server.http}/metrics", timeout=10).read().decode()
    return int(text.split("\ntandem_requests_in_flight ")[1].split("\n")[0])


def message(x, name="x", model="tab_digits", request_id=""):
    request = service_pb2.ModelInferRequest(model_name=model, id=request_id, raw_input_contents=[x.tobytes()])
    request.inputs.add(name=name, datatype="FP32", shape=x.shape)
    return request


def test_every_request_gets_its_own_answer(server, client):
    inputs = {f"r{i}": digits(1 + i % 4, seed=i) for i in range(300)}
    with Stream(server.grpc) as stream:
        for name, x in inputs.items():
            stream.send("tab_digits", x, request_id=name)
        answers = by_id([stream.take() for _ in inputs])
    assert answers.keys() == inputs.keys()
    for name in list(inputs)[::37]:
        alone = client.infer("tab_digits", [tensor("x", inputs[name])]).as_numpy("p")
        np.testing.assert_allclose(answers[name].as_numpy("p"), alone, atol=1e-5)
    response = answers["r0"].get_response()
    assert response.model_name == "tab_digits" and response.parameters["variant"].string_param == "fp32"


def test_an_error_is_answered_and_the_stream_goes_on(server):
    with Stream(server.grpc) as stream:
        stream.send("nope", digits(1))
        assert 'unknown model "nope"' in stream.take()[1].message()
        stream.send("tab_digits", np.zeros((1, 63), np.float32))
        assert "expected shape" in stream.take()[1].message()
        stream.send("tab_digits", digits(1), parameters={"variant": "int8"})
        assert "there is no int8" in stream.take()[1].message()
        stream.send("tab_digits", digits(1), request_id="good")
        assert by_id([stream.take()]).keys() == {"good"}


def test_an_error_names_the_request_it_answers(server):
    with grpc.insecure_channel(server.grpc) as channel:
        infer = service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelStreamInfer
        answers = list(infer(iter([message(digits(1), request_id="bad", model="nope"),
                                   message(digits(1), request_id="good")]), timeout=60))
    errors = {answer.infer_response.id: answer.error_message for answer in answers}
    assert "unknown model" in errors.pop("bad") and errors == {"good": ""}


def test_malformed_bytes_are_answered_by_an_error(server):
    with grpc.insecure_channel(server.grpc) as channel:
        stream = channel.stream_stream("/inference.GRPCInferenceService/ModelStreamInfer",
                                       response_deserializer=service_pb2.ModelStreamInferResponse.FromString)
        answers = list(stream(iter([b"\xff" * 50, b""]), timeout=60))
    assert len(answers) == 2 and all(answer.error_message for answer in answers)


def test_a_stream_without_requests_ends_well(server):
    with grpc.insecure_channel(server.grpc) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        assert list(stub.ModelStreamInfer(iter([]), timeout=60)) == []


def test_many_streams_at_a_time(server):
    def run(failures):
        try:
            with Stream(server.grpc) as stream:
                for i in range(50):
                    stream.send("tab_digits", digits(1, seed=i), request_id=str(i))
                assert len(by_id([stream.take() for _ in range(50)])) == 50
        except Exception as failure:  # reported by the thread that waits
            failures.append(failure)

    failures = []
    threads = [threading.Thread(target=run, args=(failures,)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert failures == []


def requests_nobody_takes_answers_of(sent):
    # Every answer is 1.6 MB, far more than HTTP/2 takes for a client that does not read.
    x = digits(40_000)
    for i in range(400):
        sent.append(i)
        yield message(x, request_id=str(i))


def wait_for_standstill(server):
    # The library reads ahead of the application by one answer; then the server stands still.
    seen = [0]

    def still():
        seen.append(requests_of(server).success.count)
        return len(seen) > 10 and len(set(seen[-10:])) == 1

    until(still, "the end of reading")


def test_a_client_that_takes_no_answers_is_not_read_any_further(server):
    sent = []
    with grpc.insecure_channel(server.grpc, [("grpc.max_receive_message_length", -1)]) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        call = stub.ModelStreamInfer(requests_nobody_takes_answers_of(sent))
        next(call)
        wait_for_standstill(server)
        assert len(sent) < 100
        call.cancel()
    until(lambda: in_flight(server) == 0, "the end of what the stream held")


def test_a_client_that_takes_no_answers_does_not_hold_up_the_drain():
    with tandemd.running(model_file("tab_digits"), "--drain-timeout", "500ms") as server:
        with grpc.insecure_channel(server.grpc, [("grpc.max_receive_message_length", -1)]) as channel:
            stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
            call = stub.ModelStreamInfer(requests_nobody_takes_answers_of([]))
            next(call)
            wait_for_standstill(server)
            assert server.stop() == 0
            assert "what had not ended by the drain timeout was cancelled" in server.log.read_text()
            with pytest.raises(grpc.RpcError):
                list(call)


def test_clients_that_vanish_leave_the_server_serving(server):
    for i in range(5):
        stream = Stream(server.grpc)
        for _ in range(20):
            stream.send("tab_digits", digits(200, seed=i))
        stream.take()
        stream.client.stop_stream(cancel_requests=True)
        stream.client.close()
    until(lambda: in_flight(server) == 0, "the end of the requests of clients that have gone")
    with Stream(server.grpc) as stream:
        stream.send("tab_digits", digits(1), request_id="after")
        assert by_id([stream.take()]).keys() == {"after"}


def test_what_a_vanished_client_had_waiting_leaves_the_queue(tmp_path):
    model = add_constant(tmp_path / "m/1/model.onnx", 1.0)
    (tmp_path / "m/config.yaml").write_text("max_batch_size: 8\nmax_delay: 1h\n")
    with tandemd.running("--model-repository", model.parents[2]) as server:
        stream = Stream(server.grpc)
        for _ in range(5):
            stream.send("m", np.zeros((1, 2), np.float32))
        until(lambda: in_flight(server) == 5, "the arrival of the requests")
        stream.client.stop_stream(cancel_requests=True)
        stream.client.close()
        until(lambda: in_flight(server) == 0, "their end")


def test_the_deadline_of_a_stream_ends_it(server):
    forever = threading.Event()

    def requests():
        yield message(digits(1))
        forever.wait(60)

    with grpc.insecure_channel(server.grpc) as channel:
        call = service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelStreamInfer(requests(), timeout=1)
        assert next(call).error_message == ""
        with pytest.raises(grpc.RpcError) as error:
            next(call)
        assert error.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    forever.set()


@pytest.mark.parametrize("waiting", (0, 6))
def test_sigterm_answers_what_was_read_and_closes_the_stream(tmp_path, waiting):
    model = add_constant(tmp_path / "m/1/model.onnx", 1.0)
    # Requests wait for company, so that the signal finds them in the queue.
    (tmp_path / "m/config.yaml").write_text("max_batch_size: 8\nmax_delay: 2s\n")
    with tandemd.running("--model-repository", model.parents[2]) as server, Stream(server.grpc) as stream:
        stream.send("m", np.zeros((8, 2), np.float32), request_id="first")
        assert by_id([stream.take()]).keys() == {"first"}
        for i in range(waiting):
            stream.send("m", np.zeros((1, 2), np.float32), request_id=str(i))
        until(lambda: in_flight(server) == waiting, "the arrival of the requests")
        assert server.stop() == 0
        assert by_id([stream.take() for _ in range(waiting)]).keys() == {str(i) for i in range(waiting)}
        error = stream.take()[1]
        assert isinstance(error, InferenceServerException)
        assert error.status() == "StatusCode.UNAVAILABLE" and "shutting down" in error.message()
