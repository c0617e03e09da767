"""What ../behaviour.json says the official SDKs do about faults and pages, seen at this one.

libcria is held to the same file (tests/sdk/c).
"""

import json
import time
from pathlib import Path

import llama_cloud
import pytest

from conftest import make_client

CASES = json.loads((Path(__file__).resolve().parents[1] / "behaviour.json").read_text("utf-8"))
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_recorded(proxy, case):
    client = make_client(proxy.url, max_retries=2)
    proxy.faults += case["faults"]
    items, begun = 0, time.monotonic()
    try:
        if case["call"] == "new":
            client.beta.chat.create()
        else:
            for _ in client.beta.chat.list():
                items += 1
        outcome = 200
    except llama_cloud.APIStatusError as error:
        outcome = error.status_code
    except llama_cloud.APIConnectionError:
        outcome = "connection"
    took = time.monotonic() - begun
    assert (outcome, len(proxy.seen)) == (case["outcome"], case["requests"])
    assert items == case.get("items", 0)
    assert case.get("at_least_s", 0) <= took <= case.get("at_most_s", 60)
