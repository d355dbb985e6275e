# A tier looked at from outside, with nothing of Capstan: a directory ($STORE=dir PATH) or a bucket of an S3 server, whose
# requests are signed here.
#
#   store.py PLACE make              the bucket
#   store.py PLACE list PREFIX       the keys that begin with it
#   store.py PLACE search SAMPLES    how many of the runs in that file (32 bytes each) are in some object, and the bytes looked at
#
# PLACE is a directory, or http://HOST:PORT/BUCKET with S3_ACCESS_KEY and S3_SECRET_KEY in the environment.
import datetime
import hashlib
import hmac
import http.client
import os
import sys
import urllib.parse
import xml.etree.ElementTree

EMPTY = hashlib.sha256(b"").hexdigest()


class Directory:
    def __init__(self, place):
        self.place = place

    def keys(self, prefix):
        for directory, _, files in os.walk(self.place):
            for file in files:
                key = os.path.relpath(os.path.join(directory, file), self.place)
                if key.startswith(prefix):
                    yield key

    def read(self, key):
        with open(os.path.join(self.place, key), "rb") as file:
            return file.read()


class Bucket:
    def __init__(self, place):
        url = urllib.parse.urlsplit(place)
        self.host, self.path = url.netloc, url.path

    def make(self):
        self.request("PUT", self.path, {})

    def keys(self, prefix):
        query = {"list-type": "2", "prefix": prefix}
        while True:
            answer = xml.etree.ElementTree.fromstring(self.request("GET", self.path, query))
            name = answer.tag.removesuffix("ListBucketResult")
            yield from (key.text for key in answer.iterfind(f"{name}Contents/{name}Key") if not key.text.endswith("/"))
            if answer.findtext(f"{name}IsTruncated") != "true":
                return
            query["continuation-token"] = answer.findtext(f"{name}NextContinuationToken")

    def read(self, key):
        return self.request("GET", f"{self.path}/{key}", {})

    # Signature Version 4, of a request without a body.
    def request(self, verb, path, query):
        time = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        scope = f"{time[:8]}/us-east-1/s3/aws4_request"
        path = urllib.parse.quote(path, safe="/-_.~")
        query = "&".join(f"{name}={urllib.parse.quote(value, safe='-_.~')}" for name, value in sorted(query.items()))
        headers = {"host": self.host, "x-amz-content-sha256": EMPTY, "x-amz-date": time}
        names = ";".join(headers)
        lines = [verb, path, query, *(f"{name}:{value}" for name, value in headers.items()), "", names, EMPTY]
        digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
        key = ("AWS4" + os.environ["S3_SECRET_KEY"]).encode()
        for word in scope.split("/"):
            key = hmac.digest(key, word.encode(), "sha256")
        signature = hmac.digest(key, f"AWS4-HMAC-SHA256\n{time}\n{scope}\n{digest}".encode(), "sha256").hex()
        who = f"{os.environ['S3_ACCESS_KEY']}/{scope}"
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={who}, SignedHeaders={names}, Signature={signature}"
        )
        connection = http.client.HTTPConnection(self.host, timeout=60)
        connection.request(verb, f"{path}?{query}" if query else path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if answer.status != 200:
            sys.exit(f"{verb} {path}: {answer.status} {body[:500]!r}")
        return body


def search(store, file):
    with open(file, "rb") as samples:
        runs = samples.read()
    runs = [runs[start : start + 32] for start in range(0, len(runs), 32)]
    found, looked_at = set(), 0
    for key in store.keys(""):
        body = store.read(key)
        looked_at += len(body)
        found.update(run for run in runs if run in body)
    return f"{len(found)} of {len(runs)} in {looked_at}"


place, verb, *rest = sys.argv[1:]
store = Bucket(place) if place.startswith("http://") else Directory(place)
match verb:
    case "make":
        store.make()
    case "list":
        print(*sorted(store.keys(rest[0])), sep="\n")
    case "search":
        print(search(store, rest[0]))
