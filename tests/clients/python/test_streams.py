"""Streams of inferences: every request is answered, a refused one does not end the stream, and errors reach the
caller."""
import asyncio

import numpy as np
import pytest

import tandem_client
import tandemd
from small_models import add_constant
from tandem_client import InferRequest

KINDS = ("blocking", "asyncio")


@pytest.fixture(scope="module", name="server")
def run_server(tmp_path_factory):
    with tandemd.running(add_constant(tmp_path_factory.mktemp("model") / "m.onnx", 10)) as running:
        yield running


def request(value, **more):
    return InferRequest("m", {"x": np.full((1, 2), value, np.float32)}, **more)


def answers(kind, server, requests, most=None, **options):
    """What comes back to a client of either kind, at most so many of them."""
    def enough(found):
        return most is not None and len(found) >= most

    found = []
    if kind == "blocking":
        with tandem_client.Client(server.grpc) as client:
            for answer in client.stream(requests, **options):
                found.append(answer)
                if enough(found):
                    break
        return found

    async def read():
        async with tandem_client.AsyncClient(server.grpc) as client:
            async for answer in client.stream(requests, **options):
                found.append(answer)
                if enough(found):
                    break
    asyncio.run(read())
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_request_is_answered_by_its_id(kind, server):
    sent = [request(value, request_id=f"r{value}") for value in range(300)]  # more than the server takes at a time
    found = answers(kind, server, sent)
    assert {answer.request_id: float(answer.result()["y"][0, 0]) for answer in found} == \
        {f"r{value}": value + 10 for value in range(300)}


@pytest.mark.parametrize("kind", KINDS)
def test_requests_without_an_id_get_one_each(kind, server):
    assert len({answer.request_id for answer in answers(kind, server, [request(1)] * 5)} - {""}) == 5


@pytest.mark.parametrize("kind", KINDS)
def test_a_refused_request_does_not_end_the_stream(kind, server):
    wrong = InferRequest("m", {"x": np.zeros((1, 3), np.float32)}, request_id="wrong")
    found = {answer.request_id: answer for answer in answers(kind, server, [wrong, request(1, request_id="right")])}
    assert found["right"].error is None
    assert "'wrong' on a stream" in str(found["wrong"].error)
    with pytest.raises(tandem_client.TandemError, match="x"):
        found["wrong"].result()


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_requests_raise_reaches_the_caller(kind, server):
    def requests():
        yield request(1)
        raise KeyError("no more of them")

    with pytest.raises(KeyError, match="no more of them"):
        answers(kind, server, requests())


@pytest.mark.parametrize("kind", KINDS)
def test_one_may_leave_early(kind, server):
    assert len(answers(kind, server, (request(value) for value in range(10 ** 9)), most=3)) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_has_a_deadline_of_its_own(kind, server):
    with pytest.raises(tandem_client.DeadlineExceeded, match="stream of inferences"):
        answers(kind, server, (request(value) for value in range(10 ** 9)), timeout=.3)


def test_requests_may_come_by_and_by(server):
    async def read():
        async def requests():
            for value in range(3):
                await asyncio.sleep(0)
                yield request(value)
        async with tandem_client.AsyncClient(server.grpc) as client:
            return [float(answer.result()["y"][0, 0]) async for answer in client.stream(requests())]
    assert sorted(asyncio.run(read())) == [10, 11, 12]
