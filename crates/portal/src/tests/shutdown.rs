//! The orderly end.

use std::net::TcpStream;

use capstan_iscsi::pdu::*;

use super::client::{STUCK, TEST_UNIT_READY};
use super::device::Seen;
use super::*;

#[test]
fn idle_sessions_are_asked_to_log_out() {
    let bench = Bench::new(1);
    let mut client = bench.client(0, 1);
    let mut discovery = bench.try_client(Login::discovery()).unwrap();
    let half_open = Client::connect(bench.address());
    eventually(|| bench.portal.sessions().len() == 2);
    let begin = Instant::now();
    std::thread::scope(|scope| {
        let shutdown = scope.spawn(|| bench.shut_down());
        let (Pdu::AsyncMessage(message), _) = client.receive() else { panic!() };
        assert_eq!((message.event, message.parameter_3), (AsyncEvent::LOGOUT_REQUESTED, 5));
        client.log_out();
        assert!(discovery.is_closed());
        shutdown.join().unwrap();
    });
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    drop(half_open);
    assert!(matches!(bench.devices[0].seen()[..], [Seen::Established(..), Seen::Lost(_)]));
    assert!(TcpStream::connect(bench.address()).is_err());
    bench.shut_down();
}

#[test]
fn running_commands_end_first() {
    let bench = Bench::new(1);
    let mut client = bench.client(0, 1);
    let tag = client.send_command(&STUCK, 0, b"");
    eventually(|| *bench.devices[0].submitted.lock().unwrap() == 1);
    std::thread::scope(|scope| {
        let shutdown = scope.spawn(|| bench.shut_down());
        assert!(matches!(client.receive().0, Pdu::AsyncMessage(_)));
        std::thread::sleep(Duration::from_millis(1500));
        assert!(!shutdown.is_finished());
        bench.devices[0].release();
        assert_eq!(client.finish(tag, b"").status, 0);
        let begin = Instant::now();
        shutdown.join().unwrap();
        assert!(begin.elapsed() < Duration::from_secs(1));
    });
    assert!(client.is_closed());
}

#[test]
fn the_grace_is_bounded() {
    let bench = Bench::with(1, |config| config.grace = Duration::from_millis(300));
    let mut client = bench.client(0, 1);
    client.send_command(&STUCK, 0, b"");
    eventually(|| *bench.devices[0].submitted.lock().unwrap() == 1);
    let begin = Instant::now();
    bench.shut_down();
    assert!(begin.elapsed() >= Duration::from_millis(300));
    assert!(begin.elapsed() < Duration::from_secs(2));
    assert!(client.is_closed());
    assert_eq!(bench.devices[0].seen().len(), 2);
}

#[test]
fn no_logins_while_it_ends() {
    let bench = Bench::new(1);
    let mut client = bench.client(0, 1);
    let mut late = Client::connect(bench.address());
    late.ping_without_answer();
    std::thread::scope(|scope| {
        let shutdown = scope.spawn(|| bench.shut_down());
        assert!(matches!(client.receive().0, Pdu::AsyncMessage(_)));
        assert_eq!(client.command(&TEST_UNIT_READY, 0, b"").status, 0);
        assert!(late.is_closed());
        client.log_out();
        shutdown.join().unwrap();
    });
}

impl Client {
    /// Makes sure that the portal has taken the connection.
    fn ping_without_answer(&mut self) {
        std::thread::sleep(Duration::from_millis(50));
        assert!(self.stream.peer_addr().is_ok());
    }
}
