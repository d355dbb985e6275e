//! SEND VOLUME TAG and REQUEST VOLUME ELEMENT ADDRESS.

use capstan_scsi::sam::Status;

use crate::clients::walk;
use crate::host::{ALICE, BOB, Host, sense};

fn template(text: &str) -> [u8; 40] {
    let mut list = [0; 40];
    list[..32].fill(b' ');
    list[..text.len()].copy_from_slice(text.as_bytes());
    list
}

const SEND: [u8; 12] = [0xb6, 0, 0, 0, 0, 5, 0, 0, 0, 40, 0, 0];
const REQUEST: [u8; 12] = [0xb5, 0x10, 0, 0, 0xff, 0xff, 0, 0, 4, 0, 0, 0];

#[test]
fn finds_cartridges_by_template() {
    let mut host = Host::ready();
    let mut find = |text: &str| {
        assert_eq!(host.send(ALICE, &SEND, &template(text)).status, Status::GOOD);
        let data = host.read(&REQUEST);
        assert_eq!(data[4], 5);
        walk(&data).into_iter().map(|line| (line.address, line.volume_tag)).collect::<Vec<_>>()
    };
    assert_eq!(find("CAP004L8"), [(501, "CAP004L8".to_owned())]);
    assert_eq!(find("CAP00?L8").iter().map(|found| found.0).collect::<Vec<_>>(), [10, 501, 1000, 1001]);
    assert_eq!(find("X*"), []);
}

#[test]
fn type_and_start_of_both_commands_count() {
    let mut host = Host::ready();
    host.send(ALICE, &[0xb6, 2, 0x03, 0xe9, 0, 1, 0, 0, 0, 40, 0, 0], &template("*"));
    let addresses = |data: &[u8]| walk(data).into_iter().map(|line| line.address).collect::<Vec<_>>();
    assert_eq!(addresses(&host.read(&REQUEST)), [1001]);
    assert_eq!(addresses(&host.read(&[0xb5, 4, 0, 0, 0, 9, 0, 0, 4, 0, 0, 0])), []);
    host.send(ALICE, &SEND, &template("*"));
    assert_eq!(addresses(&host.read(&[0xb5, 0, 0, 11, 0, 2, 0, 0, 4, 0, 0, 0])), [501, 1000]);
}

#[test]
fn a_sequence_number_that_is_out_of_bounds_finds_nothing() {
    let mut host = Host::ready();
    let mut list = template("*");
    (list[35], list[39]) = (1, 9);
    for (action, found) in [(1, 0), (5, 4)] {
        host.send(ALICE, &[0xb6, 0, 0, 0, 0, action, 0, 0, 0, 40, 0, 0], &list);
        assert_eq!(walk(&host.read(&REQUEST)).len(), found);
    }
}

#[test]
fn a_request_needs_a_search_of_the_same_host() {
    let mut host = Host::ready();
    assert_eq!(host.refused(&REQUEST).0, [5, 0x2c, 0]);
    host.send(BOB, &SEND, &template("*"));
    assert_eq!(host.refused(&REQUEST).0, [5, 0x2c, 0]);
    assert_eq!(host.send(BOB, &REQUEST, &[]).status, Status::GOOD);
    host.unit.nexus_lost(BOB);
    host.login(BOB);
    host.settle(BOB);
    assert_eq!(sense(&host.send(BOB, &REQUEST, &[])).0, [5, 0x2c, 0]);
}

#[test]
fn parameter_lists_of_other_lengths() {
    let mut host = Host::ready();
    let cut = host.send(ALICE, &SEND, &template("*")[..39]);
    assert_eq!(sense(&cut).0, [5, 0x1a, 0]);
    let odd = host.send(ALICE, &[0xb6, 0, 0, 0, 0, 5, 0, 0, 0, 41, 0, 0], &[0; 41]);
    assert_eq!(sense(&odd), ([5, 0x24, 0], [0xc0, 0, 8]));
    let none = host.send(ALICE, &[0xb6, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0], &[]);
    assert_eq!(none.status, Status::GOOD);
    assert_eq!(host.refused(&REQUEST).0, [5, 0x2c, 0]);
}
