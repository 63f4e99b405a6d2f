"""The client for asyncio: the same answers, many at a time, and cancelled when its task is."""
import asyncio
import inspect

import numpy as np
import pytest

import tandem_client
import tandemd
from small_models import add_constant


@pytest.fixture(scope="module", name="server")
def run_server(tmp_path_factory):
    with tandemd.running(add_constant(tmp_path_factory.mktemp("model") / "m.onnx", 10)) as running:
        yield running


def test_many_tasks_share_a_client(server):
    async def ask():
        async with tandem_client.AsyncClient(server.grpc) as client:
            results = await asyncio.gather(
                *(client.infer("m", {"x": np.full((1, 2), value, np.float32)}, variant="fp32") for value in range(50)))
            return [float(result["y"][0, 0]) - 10 for result in results], {result.variant for result in results}
    assert asyncio.run(ask()) == (list(range(50)), {"fp32"})


def test_what_the_server_tells_of_itself(server):
    async def ask():
        async with tandem_client.AsyncClient(server.grpc) as client:
            assert await client.live() and await client.ready() and await client.model_ready("m")
            assert (await client.metadata("m")).inputs[0].datatype == "FP32"
            assert (await client.server_metadata()).name == "tandem"
            assert (await client.model_parameters("m"))["variants"] == "fp32"
            assert [(entry.model, entry.state) for entry in await client.models()] == [("m", "READY")]
    asyncio.run(ask())


def test_errors_are_those_of_the_blocking_client(server):
    async def ask():
        async with tandem_client.AsyncClient(server.grpc) as client:
            await client.infer("nobody", {"x": np.ones((1, 2), np.float32)})
    with pytest.raises(tandem_client.NotFound, match="inference by 'nobody' at 127.0.0.1:.*NOT_FOUND"):
        asyncio.run(ask())


def test_a_cancelled_task_is_cancelled(server):
    async def ask():
        async with tandem_client.AsyncClient(server.grpc) as client:
            task = asyncio.create_task(client.infer("m", {"x": np.ones((1, 2), np.float32)}))
            await asyncio.sleep(0)
            task.cancel()
            await task
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(ask())


def test_both_clients_have_the_same_methods_and_arguments():
    def public(kind):
        return {name: list(inspect.signature(member).parameters) for name, member in inspect.getmembers(kind, callable)
                if not name.startswith("_")} | {"()": list(inspect.signature(kind).parameters)}
    assert public(tandem_client.Client) == public(tandem_client.AsyncClient)
