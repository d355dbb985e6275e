//! The admin socket against clients that are not `capstan`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, unreachable_pub)]

mod support;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use support::Library;

/// What the admin socket answers to a request that `capstan` never sends.
fn raw(library: &Library, request: &str) -> (String, serde_json::Value) {
    let mut socket = UnixStream::connect(library.state().join("capstan.sock")).unwrap();
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), serde_json::from_str(body).unwrap())
}

#[test]
fn requests_that_make_no_sense_are_answered_in_json() {
    let library = Library::start();
    let request = |method: &str, path: &str, body: &str| {
        format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let cases = [
        ("GET", "/v1/nothing", "", "HTTP/1.1 404 Not Found", "not_found"),
        ("PUT", "/v1/tapes", "", "HTTP/1.1 405 Method Not Allowed", "invalid"),
        ("POST", "/v1/tapes", "", "HTTP/1.1 400 Bad Request", "invalid"),
        ("POST", "/v1/tapes", "{\"count\":1,\"colour\":\"red\"}", "HTTP/1.1 400 Bad Request", "invalid"),
        ("POST", "/v1/tapes", "{\"count\":0}", "HTTP/1.1 400 Bad Request", "invalid"),
        ("POST", "/v1/tapes", "{\"count\":4294967295}", "HTTP/1.1 400 Bad Request", "invalid"),
        ("POST", "/v1/tapes", "{\"count\":2,\"barcode\":\"A\"}", "HTTP/1.1 400 Bad Request", "invalid"),
        ("POST", "/v1/library/move", "{\"from\":\"slot:1\",\"to\":\"moon:1\"}", "HTTP/1.1 400 Bad Request", "invalid"),
        (
            "POST",
            "/v1/library/move",
            "{\"from\":\"slot:1\",\"to\":\"slot:101\"}",
            "HTTP/1.1 404 Not Found",
            "not_found",
        ),
        ("GET", "/v1/tapes/..%2F..", "", "HTTP/1.1 400 Bad Request", "invalid"),
        ("GET", "/v1/drives/-1", "", "HTTP/1.1 404 Not Found", "not_found"),
        ("DELETE", "/v1/sessions/x", "", "HTTP/1.1 404 Not Found", "not_found"),
    ];
    for (method, path, body, status, kind) in cases {
        let (line, failure) = raw(&library, &request(method, path, body));
        assert_eq!((line.as_str(), &failure["kind"]), (status, &kind.into()), "{method} {path} {body}: {failure}");
    }
    assert_eq!(library.json(&["status"])["tapes"]["total"], 10);
}

#[test]
fn a_silent_admin_connection_does_not_keep_the_daemon_from_stopping() {
    let mut library = Library::start();
    let mut socket = UnixStream::connect(library.state().join("capstan.sock")).unwrap();
    socket.write_all(b"GET /v1/status HTT").unwrap();
    library.stop();
}
