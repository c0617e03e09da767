"""Streams, errors, retries, time-outs and the asynchronous client."""

import asyncio
import json

import httpx
import llama_cloud
import pytest

import stub_llm
from client import Api
from conftest import RECORDER, make_client
from cria_server import Server

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
ASK = "Which plant had the longest outage?"


def parse(lines):
    """As the vendor's example reads it."""
    events = []
    for line in lines:
        if not line or line.startswith(":"):
            continue
        if line.startswith("data: "):
            events.append(json.loads(line[len("data: "):]))
    return events


def whole(events):
    kinds = [e["type"] for e in events]
    assert kinds[0] == "user_input" and kinds[-1] == "stop" and kinds.count("stop") == 1
    return "".join(e["content"] for e in events if e["type"] == "text_delta")


# ---------------------------------------------------------------------- streaming
@pytest.mark.parametrize("way", ["lines", "text", "bytes", "raw", "plain"])
@pytest.mark.parametrize("spelling", ["beta", "ga"])
def test_each_way_to_read_a_stream(server, index, way, spelling):
    client = RECORDER.wrap(make_client(server.url))
    chat = client.chat if spelling == "ga" else client.beta.chat
    session = chat.create(index_ids=[index]).session_id
    wish = {"index_ids": [index], "prompt": ASK}
    if way == "plain":
        lines = str(chat.stream(session, **wish)).split("\n")
    elif way == "raw":
        lines = chat.with_raw_response.stream(session, **wish).text().split("\n")
    else:
        with chat.with_streaming_response.stream(session, **wish) as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            if way == "lines":
                lines = list(response.iter_lines())
            elif way == "text":
                lines = "".join(response.iter_text()).split("\n")
            else:
                lines = b"".join(response.iter_bytes()).decode().split("\n")
    assert "Elm Street" in whole(parse(lines))


def test_deltas_arrive_while_the_model_writes(llm_server, stub):
    stub.reset()
    api = Api(llm_server)
    _, _, index = api.build({"a.txt": b"Some words."})
    client = make_client(llm_server.url)
    session = client.chat.create(index_ids=[index["id"]]).session_id
    go = stub.hold()
    stub.play(stub_llm.held(go))
    seen = []
    with client.chat.with_streaming_response.stream(session, index_ids=[], prompt="Hold") as response:
        for line in response.iter_lines():
            seen += parse([line])
            if seen and seen[-1]["type"] == "text_delta":
                go.set()
    assert whole(seen) == "The first half, and the second half."
    stub.reset()


def test_the_sdks_own_decoder(server, index):
    """llama_cloud._streaming parses every event as JSON: no empty event may reach it."""
    from llama_cloud._streaming import SSEDecoder

    api = Api(server)
    session = api.session(index)
    answer = server.request("POST", "/api/v1/chat/%s/messages/stream" % session,
                            json_body={"index_ids": [], "prompt": ASK})
    wire = answer.body.replace(b"\n\nid: ", b"\n\n: keep-alive\nid: ")
    events = [e.json() for e in SSEDecoder().iter_bytes(iter([wire]))]
    assert events[0]["type"] == "user_input" and events[-1]["type"] == "stop"


def test_asynchronous_client(server, index):
    async def go():
        client = llama_cloud.AsyncLlamaCloud(
            api_key="x", base_url=server.url, _strict_response_validation=True,
            http_client=httpx.AsyncClient(event_hooks=RECORDER.async_hooks(), timeout=60))
        session = (await client.chat.create(index_ids=[index])).session_id
        lines = []
        async with client.chat.with_streaming_response.stream(
                session, index_ids=[index], prompt=ASK) as response:
            async for line in response.iter_lines():
                lines.append(line)
        assert "Elm Street" in whole(parse(lines))
        names = [f.file_name async for f in client.retrieval.find(index_id=index, page_size=2)]
        assert len(names) == 7
        many = await asyncio.gather(*[client.chat.create() for _ in range(20)])
        assert len({m.session_id for m in many}) == 20
        await client.close()

    asyncio.run(go())


# ------------------------------------------------------------------------- errors
@pytest.fixture
def client(server):
    return make_client(server.url, max_retries=0)


def test_typed_errors(client, index):
    with pytest.raises(llama_cloud.NotFoundError) as caught:
        client.indexes.get("idx-nothing")
    assert caught.value.status_code == 404 and caught.value.body["detail"]
    with pytest.raises(llama_cloud.UnprocessableEntityError) as caught:
        client.chat.stream("ses-x", index_ids=[index], prompt="")
    assert caught.value.body["detail"][0]["loc"] == ["body", "prompt"]
    with pytest.raises(llama_cloud.BadRequestError):
        client.chat.list(page_token="no token")
    with pytest.raises(llama_cloud.PermissionDeniedError):
        client.chat.list(project_id="00000000-0000-4000-8000-000000000000")


def test_conflicts_that_waiting_cannot_help_are_not_retried(server, index):
    import time

    api = Api(server)
    session = api.session(index)
    api.ask(session, ASK, [])
    other = api.build({"a.txt": b"Other words."})[2]["id"]
    client = make_client(server.url)
    begun = time.monotonic()
    with pytest.raises(llama_cloud.ConflictError) as caught:
        client.chat.stream(session, index_ids=[other], prompt=ASK)
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert time.monotonic() - begun < 2


def test_authentication():
    with Server() as keyed:
        good, read = keyed.make_key("k"), keyed.make_key("r", "--read-only")
        assert make_client(keyed.url, key=good).projects.list()
        with pytest.raises(llama_cloud.AuthenticationError):
            make_client(keyed.url, key="wrong", max_retries=0).projects.list()
        with pytest.raises(llama_cloud.PermissionDeniedError):
            make_client(keyed.url, key=read, max_retries=0).chat.create()


# ------------------------------------------------------------- retries, time-outs
@pytest.mark.parametrize("fault", [500, 503, 429, 408, 409, "close"])
def test_one_fault_is_ridden_out(proxy, fault):
    proxy.faults.append(fault)
    client = make_client(proxy.url)
    assert client.chat.create().session_id
    assert len(proxy.seen) == 2


def test_retries_of_a_stream(proxy, index):
    proxy.faults += [500, "close"]
    client = make_client(proxy.url)
    session = client.chat.create(index_ids=[index]).session_id
    proxy.faults += [500, "close"]
    with client.chat.with_streaming_response.stream(session, index_ids=[], prompt=ASK) as response:
        events = parse(response.iter_lines())
    assert "Elm Street" in whole(events)


def test_retries_end(proxy):
    proxy.faults += [500] * 4
    client = make_client(proxy.url, max_retries=3)
    with pytest.raises(llama_cloud.InternalServerError):
        client.chat.list()
    assert len(proxy.seen) == 4


def test_should_retry_is_obeyed(proxy):
    proxy.faults.append({"status": 503, "headers": {"x-should-retry": "false"}})
    with pytest.raises(llama_cloud.InternalServerError):
        make_client(proxy.url).chat.list()
    assert len(proxy.seen) == 1


def test_an_upload_is_sent_again(proxy):
    proxy.faults.append(500)
    client = make_client(proxy.url)
    made = client.files.create(file=("r.txt", b"again"), purpose="parse")
    assert httpx.get(client.files.content(made.id).url).content == b"again"


def test_time_outs(proxy):
    proxy.faults.append("stall")
    client = make_client(proxy.url, timeout=0.3, max_retries=0)
    with pytest.raises(llama_cloud.APITimeoutError):
        client.chat.list()
    proxy.faults.append("stall")
    patient = make_client(proxy.url, timeout=0.5, max_retries=1)
    assert patient.chat.list() is not None


def test_a_slow_turn_survives_a_short_time_out(llm_server, stub):
    """Headers leave at once; only the silence between two reads counts, and deltas break it."""
    stub.reset()
    api = Api(llm_server)
    _, _, index = api.build({"a.txt": b"Some words."})
    client = make_client(llm_server.url, timeout=1.0, max_retries=0)
    session = client.chat.create(index_ids=[index["id"]]).session_id
    with client.chat.with_streaming_response.stream(
            session, index_ids=[], prompt="scenario:slow") as response:
        events = parse(response.iter_lines())
    assert whole(events).endswith("word59 ")


def test_links_made_behind_a_proxy_work(server, proxy):
    client = make_client(proxy.url)
    made = client.files.create(file=("p.txt", b"proxied"), purpose="parse")
    url = client.files.content(made.id).url
    assert httpx.get(url).content == b"proxied"


def test_custom_headers(server, monkeypatch):
    monkeypatch.setenv("LLAMA_CLOUD_CUSTOM_HEADERS", "X-Mine: 1")
    assert make_client(server.url).projects.list()
