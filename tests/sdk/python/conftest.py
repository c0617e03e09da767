"""Fixtures: servers, recorded clients in both spellings, with and without the SDK's own strictness."""

import sys
from pathlib import Path

import httpx
import pytest

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parent), str(HERE.parents[2] / "support")]

import llama_cloud  # noqa: E402
from client import Api  # noqa: E402
import corpus  # noqa: E402
from cria_server import Server  # noqa: E402
from fault_proxy import FaultProxy  # noqa: E402
from recorder import Recorder  # noqa: E402
from stub_llm import StubLlm  # noqa: E402

RECORDER = Recorder("llama-cloud " + llama_cloud.__version__)


def make_client(url, strict=False, key="any", **options):
    options.setdefault("timeout", 60)
    return llama_cloud.LlamaCloud(
        api_key=key, base_url=url, _strict_response_validation=strict,
        http_client=httpx.Client(event_hooks=RECORDER.hooks(), follow_redirects=True,
                                 timeout=options["timeout"]),
        **options)


@pytest.fixture(scope="session")
def server():
    with Server() as started:
        yield started


@pytest.fixture(scope="session")
def api(server):
    return Api(server)


class Surface:
    """The SDK under one spelling: beta (deprecated there, current in TypeScript) or GA."""

    def __init__(self, client, is_ga, is_strict):
        self.plain = client
        self.client = RECORDER.wrap(client)
        self.is_ga, self.is_strict = is_ga, is_strict
        home = self.client if is_ga else self.client.beta
        self.chat, self.indexes, self.retrieval = home.chat, home.indexes, home.retrieval
        self.directories = self.client.beta.directories
        self.attachments = self.client.beta.attachments


@pytest.fixture(scope="session", params=["beta", "ga", "beta-strict", "ga-strict"])
def sdk(request, server):
    is_strict = "strict" in request.param
    return Surface(make_client(server.url, is_strict), "ga" in request.param, is_strict)


@pytest.fixture(scope="session")
def built(api):
    """An index over the documents and one PDF with attachments."""
    documents = dict(corpus.DOCUMENTS, **{"manual.pdf": corpus.manual_pdf()})
    return api.build(documents, store_attachments=["screenshots", "items"])


@pytest.fixture(scope="session")
def index(built):
    return built[2]["id"]


@pytest.fixture
def proxy(server):
    made = FaultProxy(server.host, server.port)
    yield made
    made.close()


@pytest.fixture(scope="session")
def stub():
    made = StubLlm()
    yield made
    made.close()


@pytest.fixture(scope="session")
def llm_server(stub):
    with Server(*stub.args) as started:
        yield started


def pytest_sessionfinish(session):
    RECORDER.write(RECORDER.offered(llama_cloud.LlamaCloud(api_key="x", base_url="http://x")))
