#!/usr/bin/env python3
"""Stands before gcp-storage-emulator, and answers as Google documents it where the emulator does not:
- A condition on the generation of what is written over or read is obeyed (ifGenerationMatch); the emulator ignores it.
- A resumable upload that is complete says so when it is asked again; the emulator has forgotten it (404).
- Bytes of one that are sent again are passed over; the emulator refuses them (400).
- One of which nothing has come has no range; the emulator says that it has a byte.
- One can be cancelled (499); the emulator does not know that (501).
- A range behind the end is refused (416); the emulator answers one that ends before it begins.
All else is passed on as it is.
Usage: google.py PORT PORT-OF-THE-EMULATOR BUCKET"""

import http.client
import http.server
import json
import re
import sys
import threading
from urllib.parse import parse_qs, quote, urlsplit

HOST = "127.0.0.1"
UPLOAD = re.compile(r"/upload(/storage/v1/b/[^/]+/o)")
CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(?:(\d+)|\*)")
# Headers that are about one connection.
OF_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "content-length"}
NOT_MET = {"message": "a condition does not hold", "domain": "global", "reason": "conditionNotMet"}


class Answer:
    """What is sent back."""

    def __init__(self, status, headers=(), body=b""):
        self.status, self.headers, self.body = status, list(headers), body

    def header(self, wanted):
        return next((value for name, value in self.headers if name.lower() == wanted), None)


class Upload:
    """A resumable upload: how much of it has come, and its last answer if it has ended."""

    def __init__(self, path, query):
        self.path, self.query = path, query
        self.received, self.answer = 0, None

    def incomplete(self):
        return Answer(308, [("Range", f"bytes=0-{self.received - 1}")] if self.received else [])


class Emulator:
    """The emulator, which takes one request at a time."""

    def __init__(self, port):
        self.port = port
        self.alone = threading.Lock()
        self.uploads = {}

    def send(self, method, target, headers=(), body=b""):
        connection = http.client.HTTPConnection(HOST, self.port)
        try:
            kept = {name: value for name, value in headers if name.lower() not in OF_CONNECTION}
            connection.request(method, target, body, {**kept, "Content-Length": str(len(body))})
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in OF_CONNECTION]
        return Answer(answer.status, headers, content)

    def refusal(self, path, query):
        """Of a request whose condition does not hold."""
        wanted, upload = query.get("ifGenerationMatch"), UPLOAD.fullmatch(path)
        if not wanted:
            return None
        there = self.send("GET", f"{upload[1]}/{quote(query['name'][0], safe='')}" if upload else path)
        generation = json.loads(there.body)["generation"] if there.status == 200 else "0"
        if generation == wanted[0]:
            return None
        error = {"code": 412, "message": NOT_MET["message"], "errors": [NOT_MET]}
        return Answer(412, [("Content-Type", "application/json")], json.dumps({"error": error}).encode())

    def answer(self, method, target, headers, body):
        path, query = urlsplit(target).path, parse_qs(urlsplit(target).query)
        if not UPLOAD.fullmatch(path):
            answer = self.refusal(path, query) or self.send(method, target, headers, body)
            range_there = re.match(r"bytes (\d+)-(-?\d+)/", answer.header("content-range") or "")
            backwards = range_there and int(range_there[1]) > int(range_there[2])
            return Answer(416) if backwards else answer
        if "upload_id" in query:
            return self.resume(query["upload_id"][0], method, target, headers, body)
        if query["uploadType"] != ["resumable"]:
            return self.refusal(path, query) or self.send(method, target, headers, body)
        # Google looks at the condition when the bytes have come.
        answer = self.send(method, target, headers, body)
        if answer.status == 200:
            begun = parse_qs(urlsplit(answer.header("location")).query)["upload_id"][0]
            self.uploads[begun] = Upload(path, query)
        return answer

    def resume(self, upload_id, method, target, headers, body):
        upload = self.uploads.get(upload_id)
        if upload is None:
            return self.send(method, target, headers, body)
        if method == "DELETE":
            upload.answer = Answer(499)
        if upload.answer:
            return upload.answer
        named = next((value for name, value in headers if name.lower() == "content-range"), "")
        start, end, total = (int(number) if number else None for number in CONTENT_RANGE.fullmatch(named).groups())
        if start is not None and start <= upload.received:
            body = body[upload.received - start :]
        elif start is not None:
            return self.send(method, target, headers, body)
        completes = total is not None and upload.received + len(body) >= total
        if not completes and not body:
            return upload.incomplete()
        if completes:
            upload.answer = self.refusal(upload.path, upload.query)
            if upload.answer:
                return upload.answer
        there = f"{upload.received}-{end}" if body else "*"
        headers = [pair for pair in headers if pair[0].lower() != "content-range"]
        headers.append(("Content-Range", f"bytes {there}/{'*' if total is None else total}"))
        answer = self.send(method, target, headers, body)
        if answer.status == 308:
            upload.received += len(body)
            return upload.incomplete()
        if answer.status == 200:
            upload.answer = answer
        return answer


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body of an answer go together.
    wbufsize = 1 << 16
    emulator = None

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.emulator.alone:
            answer = self.emulator.answer(self.command, self.path, self.headers.items(), body)
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = pass_on


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True


def main():
    port, behind, bucket = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    Handler.emulator = Emulator(behind)
    # What is deleted would be kept for a week.
    policy = json.dumps({"softDeletePolicy": {"retentionDurationSeconds": "0"}}).encode()
    headers = [("Content-Type", "application/json")]
    assert Handler.emulator.send("PATCH", f"/storage/v1/b/{bucket}", headers, policy).status == 200
    Server((HOST, port), Handler).serve_forever()


main()
