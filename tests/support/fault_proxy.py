"""A small HTTP proxy in front of a server that goes wrong on demand.

Faults are queued by `proxy.faults.append(...)` or by `POST /__faults` with a JSON list, and each is
used by one request: a status number (with `retry-after-ms: 1`), "close" (the connection ends
without an answer), "stall" (no answer for three seconds, then close), "cut" (the answer's head and
half its body), {"status": 429, "headers": {...}, "body": JSON}. What is not a fault goes through unchanged,
streams included. `seen` has (method, path, fault or None) of every request.
"""

import http.client
import json
import socket
import ssl
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOP = {"connection", "transfer-encoding", "keep-alive", "content-length"}
STALL_SECONDS = 3


class FaultProxy:
    def __init__(self, host, port, certificate=None):
        """certificate: a PEM file with its key, for a proxy that speaks TLS."""
        self.faults = []
        self.seen = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def body(self):
                if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
                    out = b""
                    while True:
                        size = int(self.rfile.readline().split(b";")[0], 16)
                        out += self.rfile.read(size)
                        self.rfile.readline()
                        if size == 0:
                            return out
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))

            def handle_any(self):
                data = self.body()
                if self.path == "/__faults":
                    proxy.faults.extend(json.loads(data))
                    return self.answer(204, {}, b"")
                if self.path == "/__seen":
                    text = json.dumps(proxy.seen).encode()
                    proxy.seen.clear()
                    return self.answer(200, {"Content-Type": "application/json"}, text)
                fault = proxy.faults.pop(0) if proxy.faults else None
                proxy.seen.append([self.command, self.path, fault])
                if isinstance(fault, int):
                    fault = {"status": fault, "headers": {"retry-after-ms": "1"}}
                if isinstance(fault, dict):
                    headers = dict({"Content-Type": "application/json"}, **fault.get("headers", {}))
                    told = fault.get("body", {"detail": "a made fault"})
                    return self.answer(fault["status"], headers, json.dumps(told).encode())
                if fault == "stall":
                    time.sleep(STALL_SECONDS)
                if fault in ("stall", "close"):
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                               struct.pack("ii", 1, 0))
                    self.close_connection = True
                    return self.connection.close()
                return self.forward(host, port, data, fault)

            def answer(self, status, headers, data):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def forward(self, to_host, to_port, data, fault):
                upstream = http.client.HTTPConnection(to_host, to_port, timeout=120)
                headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP}
                upstream.request(self.command, self.path, body=data or None, headers=headers)
                got = upstream.getresponse()
                self.send_response(got.status)
                for name, value in got.getheaders():
                    if name.lower() not in HOP:
                        self.send_header(name, value)
                if got.status == 204:
                    self.end_headers()
                    return upstream.close()
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                while True:
                    piece = got.read1(65536)
                    if fault == "cut":
                        piece = piece[:len(piece) // 2] or b"{"
                    if not piece:
                        break
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                    self.wfile.flush()
                    if fault == "cut":
                        self.close_connection = True
                        self.connection.shutdown(socket.SHUT_RDWR)
                        return upstream.close()
                self.wfile.write(b"0\r\n\r\n")
                return upstream.close()

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

        class Listener(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Listener(("127.0.0.1", 0), Handler)
        self.url = "%s://127.0.0.1:%d" % ("https" if certificate else "http", self.server.server_address[1])
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
