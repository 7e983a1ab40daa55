"""A Kubernetes API for Helm: it keeps objects, makes the replica sets of deployments, and says how pods ended.

It starts nothing, and checks no more than that what is immutable does not change. A pod that ends by itself ends as the test
says that it would; those of deployments never get ready. So Helm can be watched at what it creates, when, and what it deletes.
"""

import base64
import json
import re
import threading
import uuid
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import yaml

# What is served: the kinds of each group, with the plurals that their paths have.
SERVED = {
    "v1": {
        "ConfigMap": "configmaps",
        "PersistentVolumeClaim": "persistentvolumeclaims",
        "Pod": "pods",
        "Secret": "secrets",
        "Service": "services",
        "ServiceAccount": "serviceaccounts",
    },
    "apps/v1": {"Deployment": "deployments", "ReplicaSet": "replicasets"},
    "autoscaling/v2": {"HorizontalPodAutoscaler": "horizontalpodautoscalers"},
    "batch/v1": {"Job": "jobs"},
    "networking.k8s.io/v1": {"Ingress": "ingresses", "NetworkPolicy": "networkpolicies"},
    "policy/v1": {"PodDisruptionBudget": "poddisruptionbudgets"},
}
PATH = re.compile(r"/apis?/(?P<group>(?:[\w.]+/)?v\d)/namespaces/[\w-]+/(?P<plural>\w+)(?:/(?P<name>[^/]+))?(?P<log>/log)?$")


# How an object begins that is sent as protobuf.
PROTOBUF = b"k8s\0"


def fields(message):
    """The fields of a protobuf message: those that hold bytes, by their numbers."""
    found, at = {}, 0

    def number():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = message[at]
            value, shift, at = value | (byte & 0x7F) << shift, shift + 7, at + 1
            if byte < 0x80:
                return value

    while at < len(message):
        tag = number()
        size = number()
        if tag & 7 == 2:
            found.setdefault(tag >> 3, []).append(message[at : at + size])
            at += size
    return found


def secret(sent):
    """A Secret that was sent as protobuf: so Helm sends what it knows of a release."""
    (raw,) = fields(sent.removeprefix(PROTOBUF))[2]
    parts = fields(raw)
    metadata = fields(parts[1][0])

    def entries(found):
        return {pair[1][0].decode(): pair[2][0] for pair in map(fields, found)}

    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": metadata[1][0].decode(),
            "labels": {key: value.decode() for key, value in entries(metadata[11]).items()},
        },
        "type": parts[3][0].decode(),
        "data": {key: base64.b64encode(value).decode() for key, value in entries(parts[2]).items()},
    }


class Cluster:
    """Objects by kind and name, and what happened to them in its order."""

    def __init__(self, ended, found=()):
        """Takes a function from a pod to its exit code and log, and what is there already."""
        self.ended = ended
        self.objects = {(each["kind"], each["metadata"]["name"]): each for each in found}
        self.logs = {}
        self.happened = []
        self.changed = threading.Condition()
        self.version = 1
        self.events = []

    def of_kind(self, kind):
        with self.changed:
            return {name: each for (other, name), each in self.objects.items() if other == kind}

    def put(self, found):
        kind, name = found["kind"], found["metadata"]["name"]
        with self.changed:
            before = self.objects.get((kind, name))
            if before and before.get("immutable"):
                assert before["data"] == found["data"], f"{kind}/{name} is immutable"
            self.version += 1
            found["metadata"] |= {"uid": str(uuid.uuid4()), "resourceVersion": str(self.version)}
            self.objects[kind, name] = found
            self._tell("MODIFIED" if before else "ADDED", found)
        if not before:
            self._follow(found)
        elif kind == "Deployment":
            self._roll(found)
        return found

    def delete(self, kind, name):
        with self.changed:
            found = self.objects.pop((kind, name), None)
            if found:
                self.version += 1
                self._tell("DELETED", found)
        if found and kind == "Job":
            self.delete("Pod", name)
        return found

    def _tell(self, what, found):
        self.happened.append((what, found["kind"], found["metadata"]["name"]))
        self.events.append((self.version, what, json.loads(json.dumps(found))))
        self.changed.notify_all()

    def _follow(self, found):
        """Does what the controllers do with a new object."""
        kind, name = found["kind"], found["metadata"]["name"]
        if kind == "Deployment":
            self._roll(found)
        elif kind == "Job":
            template = found["spec"]["template"]
            metadata = template["metadata"] | {"name": name, "labels": template["metadata"]["labels"] | {"job-name": name}}
            self.put({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
            good = self.objects["Pod", name]["status"]["phase"] == "Succeeded"
            condition = {"type": "Complete" if good else "Failed", "status": "True"}
            self.put(found | {"status": {"conditions": [condition], "succeeded": int(good), "failed": int(not good)}})
        elif kind == "Pod":
            code, self.logs[name] = self.ended(found)
            self.put(found | {"status": {"phase": "Failed" if code else "Succeeded"}})

    def _roll(self, deployment):
        template = deployment["spec"]["template"]
        digest = uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(template, sort_keys=True)).hex[:10]
        name = f"{deployment['metadata']['name']}-{digest}"
        if ("ReplicaSet", name) not in self.objects:
            metadata = {"name": name, "labels": template["metadata"]["labels"] | {"pod-template-hash": digest}}
            self.put({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": {"template": template}})


def prefixed(group):
    return f"apis/{group}" if "/" in group else f"api/{group}"


def document(group):
    """What Helm looks for in an OpenAPI document: that the server, and not Helm, checks the fields of what is sent."""
    name, version = group.split("/") if "/" in group else ("", group)
    return {
        "openapi": "3.0.0",
        "paths": {
            f"/{prefixed(group)}/namespaces/{{namespace}}/{plural}/{{name}}": {
                "patch": {
                    "parameters": [{"name": "fieldValidation", "in": "query"}],
                    "x-kubernetes-group-version-kind": {"group": name, "version": version, "kind": kind},
                }
            }
            for kind, plural in SERVED[group].items()
        },
    }


@contextmanager
def served(cluster):
    """Serves a cluster on this machine, and yields its URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"cluster": cluster})) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, found, status=200):
        body = found.encode() if isinstance(found, str) else json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if isinstance(found, str) else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status, reason):
        told = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": status}
        self.answer(told | {"message": f"{reason}: {self.path}"}, status)

    def place(self):
        """The kind and name that the path is about, its query, and whether a log is asked for."""
        url = urlsplit(self.path)
        self.asked = {key: values[0] for key, values in parse_qs(url.query).items()}
        found = PATH.match(url.path)
        if not found:
            return None, None
        kinds = {plural: kind for kind, plural in SERVED.get(found["group"], {}).items()}
        self.log, self.group = found["log"], found["group"]
        return kinds.get(found["plural"]), found["name"]

    def do_GET(self):
        kind, name = self.place()
        if kind is None:
            return self.discover()
        if name is None:
            return self.watch(kind) if self.asked.get("watch") in ("1", "true") else self.list(kind)
        if self.log:
            return self.answer(self.cluster.logs[name])
        found = self.cluster.of_kind(kind).get(name)
        return self.answer(found) if found else self.refuse(404, "NotFound")

    def do_POST(self):
        kind, _ = self.place()
        found = self.body()
        if found["metadata"]["name"] in self.cluster.of_kind(kind):
            return self.refuse(409, "AlreadyExists")
        return self.answer(self.cluster.put(found), 201)

    def do_PUT(self):
        self.place()
        return self.answer(self.cluster.put(self.body()))

    do_PATCH = do_PUT

    def do_DELETE(self):
        kind, name = self.place()
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        found = self.cluster.delete(kind, name)
        return self.answer(found) if found else self.refuse(404, "NotFound")

    def body(self):
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return secret(sent) if sent.startswith(PROTOBUF) else yaml.load(sent, yaml.CSafeLoader)

    def discover(self):
        path = urlsplit(self.path).path
        if path == "/version":
            return self.answer({"major": "1", "minor": "36", "gitVersion": "v1.36.0"})
        if path == "/api":
            return self.answer({"kind": "APIVersions", "versions": ["v1"]})
        if path == "/apis":
            versions = [{"groupVersion": group, "version": group.split("/")[1]} for group in SERVED if "/" in group]
            groups = [{"name": each["groupVersion"].split("/")[0], "versions": [each], "preferredVersion": each} for each in versions]
            return self.answer({"kind": "APIGroupList", "groups": groups})
        if path == "/openapi/v3":
            documents = {prefixed(group): {"serverRelativeURL": f"/openapi/v3/{prefixed(group)}"} for group in SERVED}
            return self.answer({"paths": documents})
        if path.startswith("/openapi/v3/"):
            return self.answer(document(path.removeprefix("/openapi/v3/").removeprefix("apis/").removeprefix("api/")))
        group = path.removeprefix("/apis/").removeprefix("/api/")
        if group in SERVED:
            verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
            common = {"singularName": "", "namespaced": True, "verbs": verbs}
            resources = [common | {"name": plural, "kind": kind} for kind, plural in SERVED[group].items()]
            return self.answer({"kind": "APIResourceList", "groupVersion": group, "resources": resources})
        return self.refuse(404, "NotFound")

    def chosen(self, found):
        metadata = found["metadata"]
        wanted = [each.split("=", 1) for each in self.asked.get("labelSelector", "").split(",") if "=" in each]
        fields = [each.split("=", 1) for each in self.asked.get("fieldSelector", "").split(",") if each]
        return all(metadata.get("labels", {}).get(key) == value for key, value in wanted) and all(
            metadata["name"] == value for key, value in fields if key == "metadata.name"
        )

    def list(self, kind):
        items = [found for found in self.cluster.of_kind(kind).values() if self.chosen(found)]
        metadata = {"resourceVersion": str(self.cluster.version)}
        self.answer({"kind": f"{kind}List", "apiVersion": self.group, "metadata": metadata, "items": items})

    def watch(self, kind):
        if "sendInitialEvents" in self.asked:
            return self.refuse(422, "Invalid")
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        seen = int(self.asked.get("resourceVersion") or 0)
        try:
            while True:
                with self.cluster.changed:
                    new = [event for event in self.cluster.events if event[0] > seen]
                    if not new:
                        self.cluster.changed.wait(1)
                        continue
                for seen, what, found in new:
                    if found["kind"] == kind and self.chosen(found):
                        self.wfile.write(json.dumps({"type": what, "object": found}).encode() + b"\n")
                        self.wfile.flush()
        except OSError:
            pass
