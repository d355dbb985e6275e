//! A library behind a portal: what a host sees over iSCSI while the upload buffer is full.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use capstan_disk::RealDisk;
use capstan_initiator::{
    BlockRead, Command, Device, InitiatorError, Isid, Login, Management, Residual, Session, Tape, TaskManagementOutcome,
};
use capstan_library::{EventKind, FirstStart, Library, LibraryOptions, UploadBuffer, l700_layout};
use capstan_media::{Barcode, MIN_CARTRIDGE_SIZE};
use capstan_portal::{PortalConfig, PortalHandle, Target, start};
use capstan_scsi::sam::{Lun, Status};

const LONG: Duration = Duration::from_secs(60);
const SIZE: u64 = 1 << 20;
/// Longer than the first burst, so that a part of it has to be asked for.
const LENGTH: usize = 300_000;

/// One drive with a cartridge, and an upload buffer.
struct Gateway {
    library: Library,
    portal: PortalHandle,
    _state: tempfile::TempDir,
}

impl Gateway {
    async fn start(stall_limit: Duration) -> Self {
        let state = tempfile::tempdir().unwrap();
        let mut options = LibraryOptions::new(state.path().to_owned());
        options.layout = l700_layout(1, 2, 0);
        options.first_start = FirstStart { count: 1, size: MIN_CARTRIDGE_SIZE, prefix: "CAP".to_owned() };
        // Room is made by the mover, which is not here.
        options.cartridge.versions = 0;
        options.upload_buffer = Some(UploadBuffer { size: SIZE, stall_limit });
        let library = Library::start(&options, Arc::new(RealDisk)).unwrap();
        library.librarian().load(Barcode::new("CAP001L8").unwrap(), Some(0)).await.unwrap();
        let targets = library.routers(None).into_iter();
        let targets = targets.map(|(suffix, router)| Target::new(options.target_name(&suffix), router)).collect();
        let config = PortalConfig::new(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))]);
        let portal = start(config, targets).await.unwrap();
        Self { library, portal, _state: state }
    }

    async fn log_in(&self, port: u8) -> Session {
        let isid = Isid([0x80, 0, 0, 0, 0, port]);
        let login = Login { isid, ..Login::new("iqn.2026-11.test:host", "iqn.2026-11.io.capstan:gw.drive-00") };
        let session = Session::log_in(self.portal.local_addrs()[0], &login, LONG).await.unwrap();
        Device::new(session.clone(), Lun::ZERO, LONG).wait_ready().await.unwrap();
        session
    }

    async fn stop(self) {
        self.portal.shutdown().await;
        let library = self.library;
        tokio::task::spawn_blocking(|| library.shutdown()).await.unwrap();
    }

    fn is_full(&self) -> bool {
        self.library.events().since(0).events.iter().any(|event| event.kind == EventKind::BufferFull)
    }
}

fn tape(session: &Session) -> Tape {
    Tape::new(Device::new(session.clone(), Lun::ZERO, LONG))
}

fn block(number: u8) -> Bytes {
    Bytes::from((0..LENGTH).map(|at| number ^ at.to_le_bytes()[0] ^ at.to_le_bytes()[1]).collect::<Vec<u8>>())
}

fn write(number: u8) -> Command {
    let [.., high, middle, low] = LENGTH.to_be_bytes();
    Command::write(&[0x0a, 0, high, middle, low, 0], block(number))
}

/// Four blocks are all that is admitted.
async fn fill(tape: &Tape) {
    for number in 0..4 {
        tape.write_block(block(number)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pings_and_aborts_are_answered_while_a_write_waits() {
    let gateway = Gateway::start(LONG * 60).await;
    let session = gateway.log_in(1).await;
    let tape = tape(&session);
    fill(&tape).await;
    let mut waiting = session.start(Lun::ZERO, write(4)).await.unwrap();
    while !gateway.is_full() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for _ in 0..3 {
        let ping = Bytes::from_static(b"are you there?");
        assert_eq!(session.nop(ping.clone(), LONG).await.unwrap(), ping);
    }
    let abort = Management::AbortTask(Lun::ZERO, waiting.tag());
    assert_eq!(session.manage(abort, LONG).await.unwrap(), TaskManagementOutcome::FUNCTION_COMPLETE);
    assert!(matches!(waiting.wait(LONG).await, Err(InitiatorError::Aborted)));
    // The drive does all but write blocks; a session that ends takes its WRITE with it.
    tape.write_filemarks(1, false).await.unwrap();
    assert_eq!(tape.read_position().await.unwrap().object, 5);
    let other = gateway.log_in(2).await;
    let _lost = other.start(Lun::ZERO, write(5)).await.unwrap();
    drop(other);
    // Room: what was written goes, and more is written and read back.
    tape.rewind().await.unwrap();
    tape.erase().await.unwrap();
    fill(&tape).await;
    tape.write_filemarks(1, false).await.unwrap();
    tape.rewind().await.unwrap();
    for number in 0..4 {
        assert_eq!(tape.read_block(1 << 20).await.unwrap(), BlockRead::Block(block(number)));
    }
    assert_eq!(tape.read_block(1 << 20).await.unwrap(), BlockRead::Filemark);
    assert_eq!(tape.read_block(1 << 20).await.unwrap(), BlockRead::EndOfData);
    session.log_out(LONG).await.unwrap();
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_without_room_has_moved_nothing() {
    let gateway = Gateway::start(Duration::ZERO).await;
    let session = gateway.log_in(1).await;
    let tape = tape(&session);
    fill(&tape).await;
    for _ in 0..3 {
        let outcome = session.execute(Lun::ZERO, write(4), LONG).await.unwrap();
        assert_eq!(outcome.status, Status::CHECK_CONDITION);
        assert_eq!((outcome.sense[2], outcome.sense[12], outcome.sense[13]), (2, 4, 7));
        assert_eq!(outcome.residual, Residual::Underflow(u32::try_from(LENGTH).unwrap()), "all of it");
        assert_eq!(tape.read_position().await.unwrap().object, 4);
    }
    tape.unload().await.unwrap();
    session.log_out(LONG).await.unwrap();
    gateway.stop().await;
}
