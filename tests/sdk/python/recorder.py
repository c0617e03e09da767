"""Writes down which operation each SDK method called, without touching the SDK.

`Recorder.client` gives a client whose HTTP layer has a hook (httpx's own) and whose resources are
reached through a thin wrapper that remembers the dotted name of the method being called.
"""

import contextvars
import json
import re

import httpx

from client import CONTRACT

_method = contextvars.ContextVar("method", default=None)
VIEWS = {"with_raw_response", "with_streaming_response"}


class Wrapped:
    """An SDK resource under its dotted name."""

    def __init__(self, target, name):
        self._target = target
        self._name = name

    def __getattr__(self, attribute):
        value = getattr(self._target, attribute)
        name = self._name if attribute in VIEWS else "%s.%s" % (self._name, attribute)
        if attribute in VIEWS or hasattr(value, "_client") and not hasattr(value, "__self__"):
            return Wrapped(value, name)
        if not callable(value):
            return Wrapped(value, name) if type(value).__module__.startswith("llama_cloud") else value

        def call(*args, **kwargs):
            _method.set(name)
            return value(*args, **kwargs)

        return call


def spelled(name):
    """client.beta.chat.getSummary -> client.beta.chat.get_summary"""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda m: "_" + m.group(1).lower(), name)


class Recorder:
    def __init__(self, label):
        self.label = label
        self.calls = {}

    def _note(self, request, status):
        path = request.url.raw_path.decode("ascii").split("?")[0]
        op = CONTRACT.find(request.method, path)
        if op is not None and status < 400 and _method.get():
            self.calls.setdefault(op.id, set()).add(_method.get())

    def hooks(self):
        return {"response": [lambda r: self._note(r.request, r.status_code)]}

    def async_hooks(self):
        async def note(response):
            self._note(response.request, response.status_code)

        return {"response": [note]}

    def wrap(self, client):
        return Wrapped(client, "client")

    def offered(self, client):
        """operation -> the methods of this SDK for it, by the names that the contract gives."""
        found = {}
        for op in CONTRACT.operations.values():
            for tier in ("ts", "ts_ga"):
                name = op.sdk.get(tier)
                if not name:
                    continue
                here = client
                for part in spelled(name).split(".")[1:]:
                    here = getattr(here, part, None)
                if here is not None and spelled(name) not in found.get(op.id, []):
                    found.setdefault(op.id, []).append(spelled(name))
        return found

    def write(self, offered):
        from contract import ROOT as root

        folder = root / ".tests" / "coverage"
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps({
            "sdk": self.label,
            "offered": offered,
            "calls": {k: sorted(v) for k, v in sorted(self.calls.items())},
        }, indent=1, sort_keys=True)
        (folder / "python.json").write_text(text + "\n", encoding="utf-8")


def transport_client(recorder):
    return httpx.Client(event_hooks=recorder.hooks(), follow_redirects=True)
