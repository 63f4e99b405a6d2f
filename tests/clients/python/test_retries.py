"""Which calls are tried again, when, and that no attempt passes the deadline."""
import asyncio
import concurrent.futures
import contextlib
import threading

import grpc
import pytest

import tandem_client
from small_models import until
from tandem_client import _retry, _wire

BUSY, GONE, ENDING, WRONG, FINE = (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE,
                                   grpc.StatusCode.CANCELLED, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.OK)
QUICK = tandem_client.RetryPolicy(attempts=4, first_wait=.001)


class FakeServer:
    """Answers ServerLive with the codes of `script`, one a call, then with OK; None: not before the server stops."""

    def __init__(self, script):
        self._script = list(script)
        self._stopping = threading.Event()
        self.calls = []  # the metadata of each
        method = _wire.method(_wire.INFERENCE, "ServerLive")
        handler = grpc.unary_unary_rpc_method_handler(self._answer, method.request.FromString,
                                                      method.response.SerializeToString)
        self._reply = method.response(live=True)
        self._server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
        self._server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler(_wire.INFERENCE, {"ServerLive": handler})])
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def _answer(self, _, context):
        self.calls.append(dict(context.invocation_metadata()))
        code = self._script.pop(0) if self._script else FINE
        if code is None:
            self._stopping.wait(60)
        elif code is not FINE:
            context.abort(code, "as told")
        return self._reply

    def stop(self):
        self._stopping.set()
        self._server.stop(None).wait()


@contextlib.contextmanager
def fake_server(*script):
    server = FakeServer(script)
    try:
        yield server
    finally:
        server.stop()


def live(kind, address, **options):
    """Asks whether the server is live, with a client of either kind."""
    if kind == "blocking":
        with tandem_client.Client(address, **options) as client:
            return client.live()

    async def ask():
        async with tandem_client.AsyncClient(address, **options) as client:
            return await client.live()
    return asyncio.run(ask())


kinds = pytest.mark.parametrize("kind", ("blocking", "asyncio"))


@kinds
def test_a_busy_or_leaving_server_is_asked_again(kind):
    with fake_server(BUSY, GONE, ENDING) as server:
        assert live(kind, server.address, retry=QUICK)
        assert len(server.calls) == 4


@kinds
def test_attempts_end_and_the_error_counts_them(kind):
    with fake_server(*[BUSY] * 9) as server:
        with pytest.raises(tandem_client.ResourceExhausted, match=r"EXHAUSTED: as told \(4 attempts\)$") as error:
            live(kind, server.address, retry=QUICK)
        assert error.value.attempts == len(server.calls) == 4


@kinds
def test_other_failures_are_final(kind):
    with fake_server(WRONG) as server:
        with pytest.raises(tandem_client.InvalidArgument):
            live(kind, server.address, retry=QUICK)
        assert len(server.calls) == 1


@kinds
def test_the_codes_are_the_callers_choice(kind):
    with fake_server(BUSY, WRONG) as server:
        policy = tandem_client.RetryPolicy(first_wait=.001, codes=frozenset({BUSY, WRONG}))
        assert live(kind, server.address, retry=policy)
    with fake_server(BUSY) as server, pytest.raises(tandem_client.ResourceExhausted):
        live(kind, server.address, retry=tandem_client.NO_RETRIES)


@kinds
def test_a_silent_server_costs_no_more_than_the_deadline(kind):
    with fake_server(None) as server:
        with pytest.raises(tandem_client.DeadlineExceeded, match="ask whether the server is live at 127.0.0.1"):
            live(kind, server.address, timeout=.05)
        assert len(server.calls) == 1


def test_what_its_own_end_cancelled_is_not_tried_again():
    with fake_server(None, None) as server, concurrent.futures.ThreadPoolExecutor(1) as pool:
        with tandem_client.Client(server.address, retry=QUICK) as client:
            answer = pool.submit(client.live)
            until(lambda: server.calls, "the call")
        with pytest.raises(tandem_client.TandemError) as error:
            answer.result(60)
        assert (error.value.code, error.value.attempts, len(server.calls)) == (ENDING, 1, 1)


@kinds
def test_nobody_there_is_unavailable(kind):
    with fake_server() as server:
        pass
    with pytest.raises(tandem_client.Unavailable, match=server.address):
        live(kind, server.address, retry=QUICK)


@kinds
def test_the_token_goes_with_every_attempt(kind):
    with fake_server(BUSY) as server:
        assert live(kind, server.address, retry=QUICK, token="0123456789abcdef")
        assert [call["authorization"] for call in server.calls] == ["Bearer 0123456789abcdef"] * 2


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_waits_grow_to_a_bound_and_are_drawn_below_it():
    policy = tandem_client.RetryPolicy(attempts=6, first_wait=.1, factor=2, longest_wait=.5)
    for fraction in (1.0, .25):
        attempts = _retry.Attempts(policy, None, clock=Clock(), fraction=lambda: fraction)
        waits = []
        for _ in range(6):
            assert attempts.begin() is None
            waits.append(attempts.wait_after(BUSY))
        assert waits[:5] == pytest.approx([.1 * fraction, .2 * fraction, .4 * fraction, .5 * fraction, .5 * fraction])
        assert waits[5] is None


def test_an_attempt_has_what_is_left_and_none_starts_after_the_deadline():
    clock = Clock()
    attempts = _retry.Attempts(tandem_client.RetryPolicy(first_wait=.4, factor=2), 1.0, clock=clock,
                               fraction=lambda: 1.0)
    assert attempts.begin() == pytest.approx(1.0)
    clock.now += .3
    assert attempts.wait_after(BUSY) == pytest.approx(.4)
    clock.now += .4
    assert attempts.begin() == pytest.approx(.3)
    assert attempts.wait_after(BUSY) is None  # .8 s do not fit into .3


@pytest.mark.parametrize("wrong", ({"attempts": 0}, {"first_wait": -1}, {"factor": .5}))
def test_a_policy_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match="RetryPolicy"):
        tandem_client.RetryPolicy(**wrong)
