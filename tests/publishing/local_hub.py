"""A stand-in for the Hub on loopback: the endpoints that the real clients call, in memory, and faults on demand.

Repositories hold commits of whole file trees; large files go through LFS by their ending, as on the Hub. Not covered: xet
(set HF_HUB_DISABLE_XET), pull requests, branches other than main.
"""

import base64
import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

LARGE = (".parquet", ".safetensors", ".whl", ".png")
TOKEN = "hf_TheTokenOfTheTests0123456789"
USER = "tester"
ORGS = {"mi-lab": "admin", "readers": "read"}
BY_PREFIX = {"datasets": "dataset", "spaces": "space", "models": "model"}


def sha1(data: bytes) -> str:
    """The hash git gives a file."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@dataclass
class Repo:
    """Commits, oldest first: (id, message, files by path)."""

    private: bool
    commits: list[tuple[str, str, dict[str, bytes]]]
    tags: dict[str, str] = field(default_factory=dict)

    def at(self, revision: str) -> tuple[str, dict[str, bytes]] | None:
        """Commit id and files at "main", a tag or a commit."""
        wanted = self.commits[-1][0] if revision in ("main", "refs/heads/main") else self.tags.get(revision, revision)
        return next(((oid, files) for oid, _, files in self.commits if oid == wanted), None)

    def commit(self, message: str, files: dict[str, bytes]) -> str:
        """Adds a commit and returns its id."""
        oid = hashlib.sha1(json.dumps([message, len(self.commits), sorted((path, sha1(data)) for path, data in files.items())]).encode()).hexdigest()
        self.commits.append((oid, message, files))
        return oid


class LocalHub:
    """`url` to set as HF_ENDPOINT; `repos` by (type, id); `fail(pattern, how, times)` breaks matching requests."""

    def __init__(self) -> None:
        self.repos: dict[tuple[str, str], Repo] = {}
        self.large: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.faults: list[list] = []
        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self}))
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def fail(self, pattern: str, how: int | str, times: int = 1) -> None:
        """Answers the next `times` requests "METHOD /path" that match with a status, or drops the connection ("drop")."""
        self.faults.append([re.compile(pattern), how, times])

    def fault_for(self, request: str) -> int | str | None:
        """The fault that is due for a request, counted down."""
        with self.lock:
            self.requests.append(request)
            for fault in self.faults:
                if fault[2] and fault[0].search(request):
                    fault[2] -= 1
                    return fault[1]
        return None

    def commits(self) -> dict[tuple[str, str], int]:
        """Number of commits of each repository, the Hub's own first one left out."""
        return {key: len(repo.commits) - 1 for key, repo in self.repos.items()}

    def close(self) -> None:
        """Stops the server."""
        self.server.shutdown()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: LocalHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def _any(self):
        path = unquote(urlsplit(self.path).path)
        length = int(self.headers.get("Content-Length") or 0)
        how = self.hub.fault_for(f"{self.command} {path}")
        if how == "drop":
            self.rfile.read(length // 2)
            self.close_connection = True
            return self.connection.close()
        body = self._chunked() if self.headers.get("Transfer-Encoding") == "chunked" else self.rfile.read(length)
        if how:
            return self._json({"error": "made to fail"}, how, **({"Retry-After": "0"} if how == 429 else {}))
        for pattern, method in ROUTES:
            if found := re.fullmatch(pattern, f"{self.command} {path}"):
                return getattr(self, method)(body, *found.groups())
        return self._json({"error": f"no such endpoint {self.command} {path}"}, 404)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _any

    def _chunked(self) -> bytes:
        parts = []
        while size := int(self.rfile.readline().strip() or b"0", 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _send(self, data: bytes, status: int = 200, **headers: str):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _json(self, data, status: int = 200, **headers: str):
        self._send(json.dumps(data).encode(), status, **{"Content-Type": "application/json", **headers})

    def _missing(self, code: str):
        self._json({"error": code}, 404, **{"X-Error-Code": code})

    @property
    def _authorized(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def _repo(self, prefix: str, name: str) -> Repo | None:
        repo = self.hub.repos.get((BY_PREFIX[prefix or "models"], name))
        return repo if repo and (self._authorized or not repo.private) else None

    def whoami(self, _):
        if not self._authorized:
            return self._json({"error": "Invalid credentials"}, 401)
        orgs = [{"type": "org", "name": name, "roleInOrg": role} for name, role in ORGS.items()]
        return self._json({"type": "user", "name": USER, "orgs": orgs, "auth": {"accessToken": {"role": "write"}}})

    def validate(self, body):
        content = json.loads(body)["content"]
        wrong = "license: not-a-licence" in content
        return self._send(b'"license" must be one of the known ones' if wrong else b'{"errors":[],"warnings":[]}', 400 if wrong else 200)

    def create(self, body):
        if not self._authorized:
            return self._json({"error": "Unauthorized"}, 401)
        asked = json.loads(body)
        name = f"{asked.get('organization') or USER}/{asked['name']}"
        key = (asked.get("type", "model"), name)
        if key in self.hub.repos:
            return self._json({"error": "You already created this repo", "url": self.hub.url}, 409)
        private = asked.get("private", asked.get("visibility") == "private")
        self.hub.repos[key] = Repo(bool(private), [])
        self.hub.repos[key].commit("initial commit", {".gitattributes": b"*.parquet filter=lfs\n"})
        prefix = "" if key[0] == "model" else f"{key[0]}s/"
        return self._json({"url": f"{self.hub.url}/{prefix}{name}", "id": name})

    def settings(self, body, prefix, name):
        self._repo(prefix, name).private = json.loads(body)["visibility"] == "private" if "visibility" in json.loads(body) else json.loads(body)["private"]
        return self._json({"private": True})

    def info(self, _, prefix, name, __, revision):
        repo = self._repo(prefix, name)
        if repo is None:
            return self._missing("RepoNotFound") if self._authorized else self._json({"error": "no"}, 401, **{"X-Error-Code": "RepoNotFound"})
        found = repo.at(revision or "main")
        if found is None:
            return self._missing("RevisionNotFound")
        siblings = [{"rfilename": path} for path in found[1]]
        when = "2026-01-01T00:00:00.000Z"
        return self._json({"_id": name, "id": name, "sha": found[0], "private": repo.private, "siblings": siblings, "tags": [], "downloads": 0, "likes": 0, "gated": False, "disabled": False, "lastModified": when, "createdAt": when, "cardData": {}})

    def tree(self, _, prefix, name, revision, folder):
        repo = self._repo(prefix, name)
        found = repo and repo.at(revision)
        if not found:
            return self._missing("RevisionNotFound" if repo else "RepoNotFound")
        wanted = f"{folder.strip('/')}/" if folder else ""
        recursive = parse_qs(urlsplit(self.path).query).get("recursive", ["false"])[0].lower() in ("true", "1")
        entries, folders = [], set()
        for path, data in sorted(found[1].items()):
            if not path.startswith(wanted):
                continue
            parts = path[len(wanted) :].split("/")
            folders |= {wanted + "/".join(parts[:i]) for i in range(1, len(parts)) if recursive or i == 1}
            if recursive or len(parts) == 1:
                large = {"lfs": {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}} if path.endswith(LARGE) else {}
                entries.append({"type": "file", "path": path, "size": len(data), "oid": sha1(data), **large})
        if wanted and not entries and not folders:
            return self._missing("EntryNotFound")
        return self._json([{"type": "directory", "path": path, "oid": "0" * 40, "size": 0} for path in sorted(folders)] + entries)

    def paths_info(self, body, prefix, name, revision):
        repo = self._repo(prefix, name)
        found = repo and repo.at(revision)
        if not found:
            return self._missing("RepoNotFound")
        asked = json.loads(body)["paths"] if body.startswith(b"{") else parse_qs(body.decode()).get("paths", [])
        there = [path for path in asked if path in found[1]]
        return self._json([{"type": "file", "path": path, "size": len(found[1][path]), "oid": sha1(found[1][path])} for path in there])

    def preupload(self, body, *_):
        files = json.loads(body)["files"]
        modes = [{"path": one["path"], "uploadMode": "lfs" if one["path"].endswith(LARGE) else "regular", "shouldIgnore": False} for one in files]
        return self._json({"files": modes})

    def batch(self, body, *_):
        objects = [
            {"oid": one["oid"], "size": one["size"]} | ({} if one["oid"] in self.hub.large else {"actions": {"upload": {"href": f"{self.hub.url}/lfs/{one['oid']}"}}})
            for one in json.loads(body)["objects"]
        ]
        return self._json({"transfer": "basic", "objects": objects})

    def put(self, body, oid):
        if hashlib.sha256(body).hexdigest() != oid:
            return self._json({"error": "torn"}, 400)
        self.hub.large[oid] = body
        return self._json({})

    def commit(self, body, prefix, name, _):
        repo = self._repo(prefix, name)
        if repo is None or not self._authorized:
            return self._json({"error": "Forbidden"}, 403)
        lines = [json.loads(line) for line in body.splitlines()]
        files = dict(repo.commits[-1][2])
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.large[value["oid"]]
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        oid = repo.commit(lines[0]["value"]["summary"], files)
        return self._json({"success": True, "commitOid": oid, "commitUrl": f"{self.hub.url}/{name}/commit/{oid}"})

    def tag(self, body, prefix, name, revision):
        repo, tag = self._repo(prefix, name), json.loads(body)["tag"]
        if tag in repo.tags:
            return self._json({"error": "exists"}, 409)
        repo.tags[tag] = repo.at(revision)[0]
        return self._json({})

    def resolve(self, _, prefix, name, revision, path):
        repo = self._repo(prefix, name)
        found = repo and repo.at(revision)
        if not found:
            return self._missing("RevisionNotFound" if repo else "RepoNotFound")
        if path not in found[1]:
            return self._json({"error": "no"}, 404, **{"X-Error-Code": "EntryNotFound", "X-Repo-Commit": found[0]})
        data = found[1][path]
        etag = hashlib.sha256(data).hexdigest() if path.endswith(LARGE) else sha1(data)
        headers = {"X-Repo-Commit": found[0], "ETag": f'"{etag}"', "X-Linked-Etag": f'"{etag}"', "X-Linked-Size": str(len(data)), "Accept-Ranges": "bytes"}
        if wanted := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or ""):
            start, end = int(wanted[1]), min(int(wanted[2] or len(data) - 1), len(data) - 1)
            return self._send(data[start : end + 1], 206, **{**headers, "Content-Range": f"bytes {start}-{end}/{len(data)}"})
        return self._send(data, **headers)


ANY = r"(datasets|spaces|models)/([\w.-]+/[\w.-]+)"
ROUTES = [
    ("GET /api/whoami-v2", "whoami"),
    ("POST /api/validate-yaml", "validate"),
    ("POST /api/repos/create", "create"),
    (rf"PUT /api/{ANY}/settings", "settings"),
    (rf"GET /api/{ANY}(/revision/(.+))?", "info"),
    (rf"GET /api/{ANY}/tree/([^/]+)/?(.*)", "tree"),
    (rf"POST /api/{ANY}/paths-info/(.+)", "paths_info"),
    (rf"POST /api/{ANY}/preupload/(.+)", "preupload"),
    (rf"POST /api/{ANY}/commit/(.+)", "commit"),
    (rf"POST /api/{ANY}/tag/(.+)", "tag"),
    (r"POST /(?:datasets/|spaces/)?[\w.-]+/[\w.-]+\.git/info/lfs/objects/batch", "batch"),
    (r"PUT /lfs/(\w+)", "put"),
    (r"(?:GET|HEAD) /(?:(datasets|spaces)/)?([\w.-]+/[\w.-]+)/resolve/([^/]+)/(.+)", "resolve"),
]
