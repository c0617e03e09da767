"""Fixtures of the API tests: the servers, shared by all files, and indexes that many tests read."""

import sys
import uuid
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import client  # noqa: E402
import corpus  # noqa: E402
from cria_server import Server  # noqa: E402
from stub_llm import StubLlm  # noqa: E402


def pytest_collection_modifyitems(items):
    # What is judged over the whole run comes last.
    items.sort(key=lambda item: "whole_run" in item.keywords)


def pytest_configure(config):
    config.addinivalue_line("markers", "whole_run: looks back over all tests of the run")


@pytest.fixture(scope="session")
def server():
    """A server without keys and without a model: answers are extractive."""
    with Server() as started:
        yield started


@pytest.fixture(scope="session")
def api(server):
    return client.Api(server)


@pytest.fixture(autouse=True)
def nothing_died(request):
    """No test may end a shared server."""
    yield
    for name in ("server", "llm_server", "keyed"):
        if name in request.fixturenames:
            held = request.getfixturevalue(name)
            one = held if isinstance(held, Server) else held.server
            assert one.is_alive(), "the server died:\n" + one.log()[-4000:]


@pytest.fixture
def fresh():
    """Makes servers of a test's own; they are closed at its end."""
    made = []

    def make(*args, **options):
        started = Server(*args, **options).start()
        made.append(started)
        return started

    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="session")
def stub():
    endpoint = StubLlm()
    yield endpoint
    endpoint.close()


@pytest.fixture(scope="session")
def llm_server(stub):
    """A server whose model is the stub."""
    with Server(*stub.args, env={"CRIA_LLM_KEY": "stub-key"}) as started:
        yield started


@pytest.fixture
def llm(llm_server, stub):
    stub.reset()
    yield client.Api(llm_server)
    stub.reset()


class Built:
    """An index and what it was made of."""

    def __init__(self, parts):
        self.directory, self.entries, self.index = parts
        self.id = self.index["id"]
        self.export_id = self.index["export_config_id"]


@pytest.fixture(scope="session")
def docs(api):
    """An index over corpus.DOCUMENTS; tests only read it."""
    metadata = {
        "harbour.md": {"topic": "sea", "year": 2019, "open": True, "tags": ["port", "boats"]},
        "outages.txt": {"topic": "power", "year": 2023, "open": False},
        "tea.html": {"topic": "garden", "year": 2021},
    }
    return Built(api.build(corpus.DOCUMENTS, "documents", metadata=metadata))


@pytest.fixture(scope="session")
def manual(api):
    """An index over one PDF of three pages, with its attachments."""
    return Built(api.build({"manual.pdf": corpus.manual_pdf()}, "manual",
                           store_attachments=["screenshots", "items"]))


@pytest.fixture(scope="session")
def small(api):
    """Another small index."""
    text = b"The cellar key hangs behind the copper kettle. The attic key is with Mrs Okafor.\n"
    return Built(api.build({"keys.txt": text}, "small"))


@pytest.fixture(scope="session")
def unready(api):
    """An index whose only document cannot be parsed: it was never exported."""
    return Built(api.build({"broken.pdf": corpus.BROKEN_PDF}, "unready", want="failed"))


@pytest.fixture(scope="session")
def llm_docs(llm_server):
    """The documents again, on the server with a model."""
    return Built(client.Api(llm_server).build(corpus.DOCUMENTS, "documents"))


@pytest.fixture
def random_id():
    return str(uuid.uuid4())
