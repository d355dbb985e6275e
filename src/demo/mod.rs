//! What `capstan demo` shows: a scratch library, a backup over real iSCSI, a crash, and the backup read back.
//!
//! The daemon is this program again, in a process of its own, so that it can be killed as power tools kill: with
//! SIGKILL, between two commands, with data that no filemark has made durable yet.

mod archive;
mod daemon;
mod report;
mod scratch;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use bytes::Bytes;
use capstan_initiator::{BlockRead, Changer, Device, Login, Session, Tape, discover};
use capstan_scsi::sam::Lun;
use capstan_scsi::smc::ElementType;

use archive::Archive;
use daemon::Daemon;
use report::Report;
use scratch::Scratch;

use crate::output;

const INITIATOR: &str = "iqn.2026-11.io.capstan:demo";
const TIMEOUT: Duration = Duration::from_secs(30);

/// What `tar -b 128` writes.
const BLOCK: usize = 64 << 10;

/// Sense data of a drive that does not know where the tape stands. [design §5]
const POSITION_LOST: (u8, u8, u8) = (0x3, 0x3b, 0x00);

/// Runs the demo.
///
/// # Errors
/// The first thing that is not as it should be.
pub(crate) async fn run(json: bool) -> Result<()> {
    let mut report = Report::new(json);
    let scratch = Scratch::new()?;
    let outcome = tokio::select! {
        outcome = show(&scratch, &mut report) => outcome,
        _ = tokio::signal::ctrl_c() => Err(anyhow!("it was interrupted")),
    };
    match outcome {
        Ok(()) => {
            drop(scratch);
            report.end();
            Ok(())
        }
        Err(error) => Err(error.context(scratch.last_words())),
    }
}

async fn show(scratch: &Scratch, report: &mut Report) -> Result<()> {
    let mut daemon = Daemon::start(scratch).await?;
    report.step("serve", &format!("a scratch library in {}, portal {}", scratch.path().display(), daemon.portal));
    let host = Host::log_in(&daemon).await?;
    report
        .step("login", &format!("{} targets found; logged in to the changer and to drive 0 over iSCSI", host.targets));
    let slot = host.load(report).await?;

    let archives = [Archive::new(1, 24), Archive::new(2, 40)];
    let tail = Archive::new(3, 8);
    host.write(&archives, &tail, report).await?;

    daemon.kill()?;
    report.step("kill -9", "the daemon is dead; the last archive had no filemark behind it yet");
    drop(host);
    daemon = Daemon::start(scratch).await?;
    report.step("serve", &format!("started again on the same directory, portal {}", daemon.portal));

    let host = Host::log_in(&daemon).await?;
    host.position_is_lost(report).await?;
    host.read_back(&archives, &tail, report).await?;
    host.unload(slot, report).await?;
    host.changer.session().log_out(TIMEOUT).await?;
    host.tape.session().log_out(TIMEOUT).await?;
    daemon.stop().await?;
    report.step("stop", "the daemon has closed the library; the scratch directory is removed");
    Ok(())
}

/// The backup host: sessions with the changer and the first drive.
struct Host {
    targets: usize,
    changer: Changer,
    tape: Tape,
}

impl Host {
    async fn log_in(daemon: &Daemon) -> Result<Self> {
        let targets = discover(daemon.portal, INITIATOR, TIMEOUT).await?;
        let device = async |suffix: &str| {
            let target = targets.iter().find(|target| target.name.ends_with(suffix));
            let target = target.with_context(|| format!("the portal lists no target {suffix}"))?;
            connect(daemon.portal, &target.name).await
        };
        let changer = Changer::new(device(".changer").await?);
        let tape = Tape::new(device(".drive-00").await?);
        changer.wait_ready().await?;
        Ok(Self { targets: targets.len(), changer, tape })
    }

    /// The first cartridge into the first drive; the slot that it came from.
    async fn load(&self, report: &mut Report) -> Result<u16> {
        let elements = self.changer.element_status().await?;
        let full = elements.iter().find(|element| element.element_type == ElementType::STORAGE && element.full);
        let slot = full.context("the library has no cartridge")?;
        let drive = elements.iter().find(|element| element.element_type == ElementType::DATA_TRANSFER);
        let drive = drive.context("the library has no drive")?;
        self.changer.move_medium(slot.address, drive.address).await?;
        let barcode = slot.barcode.as_deref().unwrap_or("a cartridge without label");
        let attentions = self.tape.wait_ready().await?;
        let words: Vec<String> = attentions.iter().map(ToString::to_string).collect();
        let inquiry = self.changer.inquiry().await?;
        report.step(
            "load",
            &format!(
                "{} {} moved {barcode} from element {} to element {}; the drive reports {}",
                inquiry.vendor,
                inquiry.product,
                slot.address,
                drive.address,
                words.join(", ")
            ),
        );
        Ok(slot.address)
    }

    async fn write(&self, archives: &[Archive], tail: &Archive, report: &mut Report) -> Result<()> {
        for archive in archives {
            let start = Instant::now();
            let blocks = self.write_blocks(archive).await?;
            self.tape.write_filemarks(1, false).await?;
            report.step(
                "write",
                &format!(
                    "tar archive of {}, {} in {blocks} blocks, and a filemark: on disk ({}/s)",
                    output::count(archive.files, "file"),
                    size(archive.bytes.len()),
                    speed(archive.bytes.len(), start.elapsed())
                ),
            );
        }
        let blocks = self.write_blocks(tail).await?;
        report.step("write", &format!("{blocks} blocks more, without a filemark: acknowledged, not yet synced"));
        Ok(())
    }

    async fn write_blocks(&self, archive: &Archive) -> Result<usize> {
        let mut blocks = 0;
        for block in blocks_of(&archive.bytes) {
            let written = self.tape.write_block(block).await?;
            ensure!(!written.early_warning, "the cartridge is full already");
            blocks += 1;
        }
        Ok(blocks)
    }

    /// After a crash nobody knows where the tape stands, and a stray write must not land at its beginning.
    async fn position_is_lost(&self, report: &mut Report) -> Result<()> {
        self.tape.wait_ready().await?;
        match self.tape.read_block(u32::try_from(BLOCK)?).await {
            Err(error) if error.sense().is_some_and(|sense| sense.triple() == POSITION_LOST) => {}
            Err(error) => return Err(error.into()),
            Ok(_) => bail!("the drive reads as if it knew where the tape stands"),
        }
        match self.tape.write_filemarks(1, false).await {
            Err(error) if error.sense().is_some_and(|sense| sense.triple() == POSITION_LOST) => {}
            Err(error) => return Err(error.into()),
            Ok(_) => bail!("the drive writes as if it knew where the tape stands"),
        }
        report
            .step("position", "lost, as it must be: READ and WRITE FILEMARKS answer 3/3b/00 until the tape is rewound");
        Ok(())
    }

    async fn read_back(&self, archives: &[Archive], tail: &Archive, report: &mut Report) -> Result<()> {
        self.tape.rewind().await?;
        for archive in archives {
            let start = Instant::now();
            self.compare(archive).await?;
            ensure!(self.read().await? == BlockRead::Filemark, "no filemark behind archive {}", archive.number);
            report.step(
                "read",
                &format!(
                    "{} identical, byte for byte, then the filemark ({}/s)",
                    size(archive.bytes.len()),
                    speed(archive.bytes.len(), start.elapsed())
                ),
            );
        }
        self.compare(tail).await?;
        ensure!(self.read().await? == BlockRead::EndOfData, "something follows the last block that was acknowledged");
        report.step(
            "read",
            &format!("{} that no filemark covered identical too, then end of data", size(tail.bytes.len())),
        );
        Ok(())
    }

    async fn compare(&self, archive: &Archive) -> Result<()> {
        for (number, expected) in blocks_of(&archive.bytes).enumerate() {
            let place = format!("archive {}, block {number}", archive.number);
            match self.read().await.with_context(|| place.clone())? {
                BlockRead::Block(block) => ensure!(block == expected, "{place} differs from what was written"),
                other => bail!("{place}: {other:?} instead of a block"),
            }
        }
        Ok(())
    }

    async fn read(&self) -> Result<BlockRead> {
        Ok(self.tape.read_block(u32::try_from(BLOCK)?).await?)
    }

    async fn unload(&self, slot: u16, report: &mut Report) -> Result<()> {
        let elements = self.changer.element_status().await?;
        let loaded = elements.iter().find(|element| element.element_type == ElementType::DATA_TRANSFER && element.full);
        let drive = loaded.context("the drive is empty")?;
        self.tape.unload().await?;
        self.changer.move_medium(drive.address, slot).await?;
        report.step("unload", &format!("the cartridge is back in element {slot}"));
        Ok(())
    }
}

async fn connect(portal: SocketAddr, target: &str) -> Result<Device> {
    let session = Session::log_in(portal, &Login::new(INITIATOR, target), TIMEOUT).await?;
    Ok(Device::new(session, Lun::ZERO, TIMEOUT))
}

fn blocks_of(bytes: &Bytes) -> impl Iterator<Item = Bytes> {
    let mut rest = bytes.clone();
    std::iter::from_fn(move || (!rest.is_empty()).then(|| rest.split_to(rest.len().min(BLOCK))))
}

fn size(bytes: usize) -> String {
    output::size(u64::try_from(bytes).unwrap_or(u64::MAX))
}

fn speed(bytes: usize, took: Duration) -> String {
    let microseconds = took.as_micros().max(1);
    let bytes = u128::try_from(bytes).unwrap_or(0).saturating_mul(1_000_000) / microseconds;
    format!("{} MB", bytes / 1_000_000)
}
