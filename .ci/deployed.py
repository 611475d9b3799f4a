"""Uses a deployed stack as its users do. usage: deployed.py STACK NIENTE CHECK COUNTS SCRATCH

STACK is the name of a stack that has just been deployed, NIENTE the command line's binary, CHECK the conformance
suite's check.py, COUNTS a file with the counts of passing cases that it has to report, and SCRATCH an empty folder.
AWS_ENDPOINT_URL says where the stack is.

Nobody is let in; then tokens are made and put where the functions look for them; the OpenTelemetry SDK sends spans,
which the very next question sees; the suite is sent, compacted by what the stack itself starts, and asked for.
"""
import contextlib
import http.client
import http.server
import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import boto3
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult

stack, niente, check, counts, scratch = sys.argv[1:]
endpoint = os.environ["AWS_ENDPOINT_URL"]
described = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
started = time.monotonic()
JSON = {"content-type": "application/json"}


def say(what):
    print(f"{time.monotonic() - started:6.1f} s  {what}", flush=True)


def local(output, kind, stage=""):
    """Where MiniStack answers for a URL whose name no resolver knows."""
    return f"{endpoint}/_aws/{kind}/{urllib.parse.urlsplit(outputs[output]).hostname.split('.')[0]}{stage}"


def ask(url, headers, body=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def new_token(document, right):
    """Makes a token, lists it in the document, and returns it."""
    new = [niente, "token", "new", "--name", f"ci {right}", "--tenant", "*", "--right", right, "--file", document]
    return subprocess.run(new, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


@contextlib.contextmanager
def bearing(token, url):
    """A server on this machine that passes requests on to a URL with a token, for clients that know none."""
    to = urllib.parse.urlsplit(url)

    class Forward(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self):
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name: self.headers[name] for name in self.headers if name.lower() not in ("host", "connection")}
            headers["authorization"] = f"Bearer {token}"
            upstream = http.client.HTTPConnection(to.hostname, to.port, timeout=120)
            upstream.request(self.command, to.path + self.path, body, headers)
            answer = upstream.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            self.send_header("content-type", answer.headers.get("content-type", "text/plain"))
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            upstream.close()

        do_GET = do_POST = forward

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Forward) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def suite(base, *more):
    """The suite's report, a line a category."""
    said = subprocess.run([sys.executable, check, base, *more], capture_output=True, text=True)
    assert said.stderr == "", said.stderr
    return [" ".join(line.split()) for line in said.stdout.splitlines()]


# MiniStack speaks plain HTTP, and keeps to the bucket's policy, which refuses that.
boto3.client("s3").delete_bucket_policy(Bucket=outputs["BucketName"])

ingest, query = local("IngestUrl", "lambda-url"), local("QueryUrl", "lambda-url")
api = local("HttpApiUrl", "execute-api", "/$default")

# As deployed: there are no tokens, so nothing is let in.
for url, body in [(f"{base}/v1/traces", b"{}") for base in (ingest, api)] + [
    (f"{base}/api/{path}", None) for base in (query, api) for path in ("echo", "search?q=%7B%7D")
]:
    for headers in ({}, {"authorization": "Bearer something"}):
        answer = ask(url, {**headers, **JSON}, body)
        assert answer[0] == 401, (url, headers, answer)
say("without tokens nothing is let in")

document = os.path.join(scratch, "tokens.json")
ingest_token, query_token = new_token(document, "ingest"), new_token(document, "query")
with open(document) as text:
    boto3.client("secretsmanager").put_secret_value(SecretId=outputs["Tokens"], SecretString=text.read())
authorized = {"authorization": f"Bearer {query_token}"}
# A tenant of its own, so that the suite's answers stay as they were recorded.
tenant = {"x-scope-orgid": "sdk"}
sender = {**tenant, "authorization": f"Bearer {ingest_token}"}
# What was read of the document before may be kept for a minute, by each function.
for url, headers, body in ((f"{query}/api/echo", authorized, None), (f"{ingest}/v1/traces", {**sender, **JSON}, b"{}")):
    deadline = time.monotonic() + 120
    while (answer := ask(url, headers, body))[0] != 200:
        assert time.monotonic() < deadline, answer
        time.sleep(0.5)
say("tokens are in force")

exported = []


class Exporter(OTLPSpanExporter):
    def export(self, spans):
        result = super().export(spans)
        exported.append(result)
        return result


exporter = Exporter(endpoint=f"{ingest}/v1/traces", headers=sender, compression=Compression.Gzip)
provider = TracerProvider(resource=Resource.create({"service.name": "deployed"}))
provider.add_span_processor(BatchSpanProcessor(exporter))
tracer = provider.get_tracer("ci")
with tracer.start_as_current_span("outer") as outer:
    for number in range(20):
        with tracer.start_as_current_span("inner", attributes={"number": number}):
            pass
provider.shutdown()
assert exported and set(exported) == {SpanExportResult.SUCCESS}, exported
trace = format(outer.get_span_context().trace_id, "032x")
status, body = ask(f"{query}/api/traces/{trace}", {**authorized, **tenant, "accept": "application/json"})
batches = json.loads(body)["batches"] if status == 200 else []
spans = [span for batch in batches for scope in batch["scopeSpans"] for span in scope["spans"]]
assert len(spans) == 21, (status, body)
wanted = urllib.parse.quote('{ resource.service.name = "deployed" && span.number = 7 }')
status, body = ask(f"{query}/api/search?q={wanted}", {**authorized, **tenant})
# (As Tempo writes IDs: without zeros at their beginning.)
found = [found["traceID"] for found in json.loads(body)["traces"]] if status == 200 else []
assert found == [trace.lstrip("0")], (status, body)
status, body = ask(f"{ingest}/v1/traces", {**authorized, **JSON}, b"{}")
assert status == 403, (status, body)
for answer in (ask(f"{api}/v1/traces", {**sender, **JSON}, b"{}"), ask(f"{api}/api/echo", authorized)):
    assert answer[0] == 200, answer
say("the SDK's spans are found as soon as they are sent")

bucket = boto3.resource("s3").Bucket(outputs["BucketName"])


def is_compacted():
    return any(True for _ in bucket.objects.filter(Prefix="traces/single-tenant/blocks/"))


with bearing(ingest_token, ingest) as sending, bearing(query_token, query) as asking:
    suite(asking, "--push", f"{sending}/v1/traces", "--category", "none of them")
    found = suite(asking, "--category", "trace_by_id")
    assert found[0] == "trace_by_id 63 of 63", found
    say("so are the suite's")
    deadline = time.monotonic() + 400
    while not is_compacted():
        assert time.monotonic() < deadline, "nothing was compacted"
        time.sleep(1)
    say("compacted")
    report = suite(asking)
print("\n".join(report))
with open(counts) as lines:
    missing = [line for line in lines.read().splitlines() if line not in report]
assert not missing, f"expected: {missing}"
say("the suite passes through the deployed URLs")
