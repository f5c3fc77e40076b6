"""A bucket for measurements: the part of S3 that Spark uses, over a directory, which counts requests. It checks no signature."""
import hashlib, http.server, os, secrets, threading, urllib.parse
from xml.sax.saxutils import escape

PAGE = 1_000


class Bucket(http.server.ThreadingHTTPServer):
    """Serves a directory as the bucket `bucket` until it is closed."""

    daemon_threads = True

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Answers)
        self.folder, self.counts, self.lock, self.uploads, self.listed = folder, {}, threading.Lock(), {}, {}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def settings(self, work):
        """What a server must have set to use it."""
        with open(f"{work}/secret", "w") as file:
            file.write("secret")
        os.chmod(f"{work}/secret", 0o600)
        return ["backup.to=s3://bucket", f"backup.s3_endpoint=http://127.0.0.1:{self.server_port}", "backup.s3_region=us-east-1",
                "backup.s3_addressing=path", "backup.s3_access_key=key", f"backup.s3_secret_key_file={work}/secret"]

    def count(self, kind):
        with self.lock:
            self.counts[kind] = self.counts.get(kind, 0) + 1

    def names(self, prefix):
        found = []
        for folder, _, files in os.walk(self.folder):
            found += [os.path.relpath(f"{folder}/{name}", self.folder) for name in files if not name.startswith(".")]
        return sorted(name for name in found if name.startswith(prefix))


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def parts(self):
        path, _, query = self.path.partition("?")
        name = urllib.parse.unquote(path.removeprefix("/bucket").lstrip("/"))
        return name, dict(urllib.parse.parse_qsl(query, keep_blank_values=True)), f"{self.server.folder}/{name}"

    def answer(self, status, body=b"", fields=()):
        self.send_response(status)
        for field in fields:
            self.send_header(*field)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def store(self, file, body):
        os.makedirs(os.path.dirname(file), exist_ok=True)
        draft = f"{os.path.dirname(file)}/.{secrets.token_hex(8)}"
        with open(draft, "wb") as target:
            target.write(body)
        os.rename(draft, file)
        return [("ETag", f'"{hashlib.md5(body).hexdigest()}"')]

    def do_PUT(self):
        _, query, file = self.parts()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.count("write")
        if "uploadId" in query:
            self.server.uploads[query["uploadId"]][int(query["partNumber"])] = body
            return self.answer(200, fields=[("ETag", f'"{hashlib.md5(body).hexdigest()}"')])
        self.answer(200, fields=self.store(file, body))

    def do_POST(self):
        name, query, file = self.parts()
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.count("write")
        if "uploads" in query:
            upload = secrets.token_hex(8)
            self.server.uploads[upload] = {}
            text = f"<UploadId>{upload}</UploadId>"
            return self.answer(200, f"<InitiateMultipartUploadResult>{text}</InitiateMultipartUploadResult>".encode())
        parts = self.server.uploads.pop(query["uploadId"])
        tag = dict(self.store(file, b"".join(parts[number] for number in sorted(parts))))["ETag"]
        text = f"<Key>{escape(name)}</Key><ETag>{escape(tag)}</ETag>"
        self.answer(200, f"<CompleteMultipartUploadResult>{text}</CompleteMultipartUploadResult>".encode())

    def do_GET(self):
        name, query, file = self.parts()
        if not name:
            return self.list(query)
        self.server.count("read")
        try:
            with open(file, "rb") as source:
                body = source.read()
        except OSError:
            return self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        self.answer(200, body, [("ETag", f'"{hashlib.md5(body).hexdigest()}"')])

    do_HEAD = do_GET

    def do_DELETE(self):
        _, _, file = self.parts()
        self.server.count("deletion")
        if os.path.exists(file):
            os.remove(file)
        self.answer(204)

    def list(self, query):
        self.server.count("list")
        if "uploads" in query:
            return self.answer(200, b"<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>")
        # A token continues the list that was made for the first page.
        token = query.get("continuation-token")
        key, start = (token.split("-")[0], int(token.split("-")[1])) if token else (secrets.token_hex(8), 0)
        names = self.server.listed[key] if token else self.server.names(query.get("prefix", ""))
        self.server.listed[key] = names
        text = ""
        for name in names[start:start + PAGE]:
            try:
                size = os.stat(f"{self.server.folder}/{name}").st_size
            except OSError:
                continue
            text += f"<Contents><Key>{escape(name)}</Key><Size>{size}</Size></Contents>"
        if start + PAGE < len(names):
            text += f"<IsTruncated>true</IsTruncated><NextContinuationToken>{key}-{start + PAGE}</NextContinuationToken>"
        else:
            text += "<IsTruncated>false</IsTruncated>"
            del self.server.listed[key]
        self.answer(200, f"<ListBucketResult>{text}</ListBucketResult>".encode())
