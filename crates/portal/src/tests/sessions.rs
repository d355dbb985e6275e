//! Logins, discovery, and who takes whose place.

use capstan_iscsi::chap::{Credentials, Secret};
use capstan_iscsi::pdu::{AsyncEvent, Pdu};

use super::client::{STUCK, TEST_UNIT_READY};
use super::device::Seen;
use super::*;
use crate::{Initiator, Initiators};

#[test]
fn discovery_at_the_address_that_was_reached() {
    let devices = vec![Device::start(), Device::start()];
    let mut hidden = Target::new("iqn.t1", Arc::clone(&devices[1]) as _);
    hidden.access = Some(Arc::new(|initiator| initiator.name == "iqn.friend"));
    let targets = vec![Target::new("iqn.t0", Arc::clone(&devices[0]) as _), hidden];
    let bench = Bench::serving(targets, devices, |config| {
        config.listen = vec!["0.0.0.0:0".parse().unwrap(), "127.0.0.1:0".parse().unwrap()];
    });
    for address in bench.portal.local_addrs() {
        let port = address.port();
        let reached = SocketAddr::from(([127, 0, 0, 1], port));
        let mut client = Client::log_in(reached, Login::discovery()).unwrap();
        let t0 = format!("TargetName=iqn.t0;TargetAddress=127.0.0.1:{port},1;");
        assert_eq!(client.send_targets("All"), t0);
        assert_eq!(client.send_targets("iqn.t0"), t0);
        assert_eq!(client.send_targets("iqn.t1"), "");
        assert_eq!(client.send_targets("iqn.unknown"), "");
        let sessions = bench.portal.sessions();
        assert_eq!((sessions.len(), &sessions[0].target, sessions[0].portal), (1, &None, reached));
        client.log_out();
        let friend = Login { initiator: "iqn.friend".to_owned(), ..Login::discovery() };
        let mut client = Client::log_in(reached, friend).unwrap();
        let t1 = format!("TargetName=iqn.t1;TargetAddress=127.0.0.1:{port},1;");
        assert_eq!(client.send_targets("All"), t0 + &t1);
        client.log_out();
        eventually(|| bench.portal.sessions().is_empty());
    }
    assert_eq!(bench.try_client(Login::to(1)).err(), Some(LoginStatus::AUTHORIZATION_FAILURE));
}

/// Needs IPv6 on the loopback interface, as the kernel has it unless it was switched off.
#[test]
fn every_portal_answers_its_own_address() {
    let bench = Bench::with(2, |config| {
        config.listen = vec!["[::1]:0".parse().unwrap(), "127.0.0.1:0".parse().unwrap()];
    });
    let addresses = bench.portal.local_addrs().to_vec();
    assert!(addresses[0].is_ipv6() && addresses[1].is_ipv4());
    for address in &addresses {
        let mut client = Client::log_in(*address, Login::discovery()).unwrap();
        let expected = (0..2).map(|number| format!("TargetName=iqn.t{number};TargetAddress={address},1;"));
        assert_eq!(client.send_targets("All"), expected.collect::<String>());
        assert_eq!(bench.portal.sessions()[0].portal, *address);
        client.log_out();
        eventually(|| bench.portal.sessions().is_empty());
    }
    // One session through each; a port that comes to the other portal takes its own session's place.
    let mut six = Client::log_in(addresses[0], Login { port: 1, ..Login::to(0) }).unwrap();
    let mut four = Client::log_in(addresses[1], Login { port: 2, ..Login::to(0) }).unwrap();
    assert_eq!(six.command(&TEST_UNIT_READY, 0, b"").status, 0);
    assert_eq!(four.command(&TEST_UNIT_READY, 0, b"").status, 0);
    assert_eq!(bench.portal.sessions().len(), 2);
    let mut moved = Client::log_in(addresses[1], Login { port: 1, ..Login::to(0) }).unwrap();
    assert!(six.is_closed());
    assert_eq!(moved.command(&TEST_UNIT_READY, 0, b"").status, 0);
    assert_eq!(bench.portal.sessions().len(), 2);
}

/// A name is the same in capitals: so is its session.
#[test]
fn names_do_not_differ_by_case() {
    let bench = Bench::with(1, |config| {
        let initiator = Initiator { name: "iqn.Friend".to_owned(), chap: None, mutual: None };
        config.initiators = Initiators::Listed(vec![initiator]);
    });
    let login = |name: &str| bench.try_client(Login { initiator: name.to_owned(), ..Login::to(0) });
    let mut first = login("IQN.friend").unwrap();
    assert_eq!(bench.portal.sessions()[0].initiator.name, "iqn.friend");
    let second = login("iqn.friend").unwrap();
    assert!(first.is_closed());
    assert_eq!(bench.portal.sessions().len(), 1);
    second.log_out();
    // Who is not listed learns nothing about targets either.
    for target in [0, 9] {
        let stranger = Login { initiator: "iqn.stranger".to_owned(), ..Login::to(target) };
        assert_eq!(bench.try_client(stranger).err(), Some(LoginStatus::AUTHORIZATION_FAILURE));
    }
    let stranger = Login { initiator: "iqn.stranger".to_owned(), ..Login::discovery() };
    assert_eq!(bench.try_client(stranger).err(), Some(LoginStatus::AUTHORIZATION_FAILURE));
}

#[test]
fn lists_that_cannot_work() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let credentials = |secret: &str| Some(Credentials { user: "u".to_owned(), secret: Secret::new(secret) });
    let initiator = |name: &str, chap, mutual| Initiator { name: name.to_owned(), chap, mutual };
    for (listed, expected) in [
        (vec![initiator("iqn.a", None, None), initiator("IQN.A", None, None)], "\"IQN.A\" is listed twice"),
        (
            vec![initiator("iqn.a", credentials("same"), credentials("same"))],
            "mutual secret of initiator \"iqn.a\" is the secret of initiator \"iqn.a\"",
        ),
        (
            vec![
                initiator("iqn.a", credentials("one"), credentials("two")),
                initiator("iqn.b", credentials("two"), None),
            ],
            "mutual secret of initiator \"iqn.a\" is the secret of initiator \"iqn.b\"",
        ),
        (vec![initiator("iqn.a", None, credentials("other"))], "a mutual secret but none of its own"),
    ] {
        let config = PortalConfig { initiators: Initiators::Listed(listed), ..PortalConfig::new(Vec::new()) };
        let error = runtime.block_on(start(config, Vec::new())).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn logins_that_are_refused() {
    let bench = Bench::with(1, |config| config.max_sessions = 2);
    assert_eq!(bench.try_client(Login::to(9)).err(), Some(LoginStatus::NOT_FOUND));
    let first = bench.client(0, 1);
    let again = |tsih, port| bench.try_client(Login { tsih, port, ..Login::to(0) }).err();
    assert_eq!(again(first.tsih, 1), Some(LoginStatus::TOO_MANY_CONNECTIONS));
    assert_eq!(again(first.tsih, 2), Some(LoginStatus::SESSION_DOES_NOT_EXIST));
    assert_eq!(again(first.tsih.wrapping_add(1), 1), Some(LoginStatus::SESSION_DOES_NOT_EXIST));
    let _second = bench.try_client(Login::discovery()).unwrap();
    assert_eq!(again(0, 3), Some(LoginStatus::OUT_OF_RESOURCES));
    first.log_out();
    eventually(|| bench.portal.sessions().len() == 1);
    bench.client(0, 3).log_out();
}

#[test]
fn an_initiator_that_comes_back_takes_its_place() {
    let bench = Bench::new(1);
    let mut old = bench.client(0, 1);
    let other = bench.client(0, 2);
    old.send_command(&STUCK, 0, b"");
    eventually(|| *bench.devices[0].submitted.lock().unwrap() == 1);
    let mut new = bench.client(0, 1);
    assert!(old.is_closed());
    // What was stuck is gone with its nexus.
    assert_eq!(new.command(&TEST_UNIT_READY, 0, b"").status, 0);
    let seen = bench.devices[0].seen();
    let Seen::Established(nexus, name) = &seen[0] else { panic!() };
    let Seen::Established(other_nexus, _) = &seen[1] else { panic!() };
    assert_ne!(nexus, other_nexus);
    assert_eq!(seen[2..], [Seen::Lost(*nexus), Seen::Established(*nexus, name.clone())]);
    assert_eq!(bench.portal.sessions().len(), 2);
    new.log_out();
    other.log_out();
    // The number stays when it comes back later.
    bench.client(0, 1).log_out();
    eventually(|| bench.devices[0].seen().len() == 8);
    assert_eq!(bench.devices[0].seen()[6], Seen::Established(*nexus, name.clone()));
}

/// Many at once with the same name and ISID: one of them is left, each nexus is lost before it is there again.
#[test]
fn a_crowd_of_reinstatements() {
    let bench = Bench::new(1);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let mut client = Client::connect(bench.address());
                    client.send_login(Login::to(0));
                    let _ = client.is_closed_or_one_pdu();
                }
            });
        }
    });
    eventually(|| bench.portal.registry.rows() == [0; 4]);
    let seen = bench.devices[0].seen();
    assert!(seen.len() >= 2 && seen.len().is_multiple_of(2));
    for pair in seen.chunks(2) {
        let [Seen::Established(established, _), Seen::Lost(lost)] = pair else { panic!("{pair:?}") };
        assert_eq!(established, lost);
    }
}

impl Client {
    /// Reads until something is there or the connection is closed, whichever comes first.
    fn is_closed_or_one_pdu(&mut self) -> bool {
        use std::io::Read as _;
        matches!(self.stream.read(&mut [0; 4096]), Ok(0) | Err(_))
    }
}

#[test]
fn sessions_are_shown_and_dropped() {
    let bench = Bench::new(2);
    let first = bench.client(0, 1);
    let mut second = bench.client(1, 2);
    let sessions = bench.portal.sessions();
    assert_eq!(sessions.len(), 2);
    assert_eq!(sessions[0].target.as_deref(), Some("iqn.t0"));
    assert_eq!(sessions[1].initiator.name, "iqn.i");
    assert_eq!(sessions[1].initiator.port, [0x80, 0, 0, 0, 0, 2]);
    assert_eq!(sessions[0].address, first.stream.local_addr().unwrap());
    assert!(sessions[0].since.elapsed().unwrap() < Duration::from_secs(10));
    assert!(!bench.portal.drop_session(999));
    assert!(bench.portal.drop_session(sessions[1].id));
    let (Pdu::AsyncMessage(message), _) = second.receive() else { panic!() };
    assert_eq!((message.event, message.parameter_2, message.parameter_3), (AsyncEvent::SESSION_DROPPED, 2, 0));
    assert!(second.is_closed());
    eventually(|| bench.portal.sessions().len() == 1);
    assert_eq!(bench.devices[1].seen().len(), 2);
    first.log_out();
}

#[test]
fn two_targets_of_one_name() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let targets = vec![Target::new("iqn.a", Device::start() as _), Target::new("IQN.A", Device::start() as _)];
    let config = PortalConfig::new(Vec::new());
    assert!(runtime.block_on(start(config, targets)).is_err());
}
