//! How fast cartridges are shipped to a bucket and read back from it, beside what a bare client of the same bucket does in
//! the same run.
//!
//! ```text
//! cargo run --release --example tier_rate -- target/release/capstan http://127.0.0.1:8333 BUCKET [MIB] [ROUNDS]
//! ```
//! The keys come from the environment, as for `credentials = "env"`. The bucket has to be there; what is put into it stays.
//! Data is random, and neither compressed nor encrypted: so both sides move the same bytes.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use capstan_initiator::{BlockRead, Device, Login, Session, Tape};
use capstan_s3::{S3Options, S3Tier};
use capstan_scsi::sam::Lun;
use capstan_tier::names::Names;
use capstan_tier::{Body, Tier};
use tokio::task::JoinSet;

const BLOCK: usize = 256 << 10;
const OBJECT: usize = 64 << 20;
/// As many as the mover has on their way.
const PARALLEL_UP: usize = 6;
/// As many as a reader has ahead of it.
const PARALLEL_DOWN: usize = 3;
const PORTAL: &str = "127.0.0.1:13977";
const TIMEOUT: Duration = Duration::from_secs(120);

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (capstan, endpoint, bucket) = (PathBuf::from(&arguments[0]), &arguments[1], &arguments[2]);
    let mib: u64 = arguments.get(3).map_or(1024, |text| text.parse().unwrap());
    let rounds: u32 = arguments.get(4).map_or(3, |text| text.parse().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("capstan.toml");
    fs::write(&config, configuration(endpoint, bucket)).unwrap();
    let home = Home { capstan, config, directory: directory.path().to_owned() };
    let mut options = S3Options::new(bucket, "us-east-1");
    (options.endpoint, options.force_path_style) = (Some(endpoint.clone()), true);
    let bare: Arc<dyn Tier> = Arc::new(S3Tier::open("bare", &options).unwrap());

    let (mut up, mut down) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let barcode = format!("RATE{:02}L8", round + 1);
        let mut daemon = home.start().await;
        home.ask(&["tape", "create", "--barcode", &barcode, "--size", "100GiB"]);
        home.ask(&["tier", "pause", "cloud"]);
        write_tape(&home, &barcode, mib, u64::from(round)).await;
        let keys: Vec<String> = (0..mib / 64).map(|_| Names::default().probe(getrandom::u64().unwrap())).collect();
        let bare_up = upload(&bare, &keys, mib).await;
        let shipped = ship(&home, mib).await;
        up.push((shipped, bare_up));
        daemon.kill().unwrap();
        daemon.wait().unwrap();
        fs::remove_dir_all(directory.path().join("state/cache")).unwrap();
        let mut daemon = home.start().await;
        let read = read_tape(&home, &barcode, mib, u64::from(round)).await;
        let bare_down = download(&bare, &keys, mib).await;
        down.push((read, bare_down));
        daemon.kill().unwrap();
        daemon.wait().unwrap();
        for key in keys {
            bare.delete(&key).await.unwrap();
        }
        let (shipped, bare_up, read, bare_down) =
            (mibs(mib, shipped), mibs(mib, bare_up), mibs(mib, read), mibs(mib, bare_down));
        println!(
            "round {round}: shipped {shipped} MiB/s, bare upload {bare_up}; read {read}, bare download {bare_down}"
        );
    }
    println!("| {mib} MiB, median of {rounds} | capstan | bare client | ratio |\n|---|---|---|---|");
    for (name, pairs) in [("upload", up), ("read through a drive", down)] {
        let (ours, bare) = (median(pairs.iter().map(|pair| pair.0)), median(pairs.iter().map(|pair| pair.1)));
        let percent = 100.0 * bare.as_secs_f64() / ours.as_secs_f64();
        println!("| {name} | {} MiB/s | {} MiB/s | {percent:.0} % |", mibs(mib, ours), mibs(mib, bare));
    }
}

/// Below a prefix of its own: a gateway of this name may have used the bucket before.
fn configuration(endpoint: &str, bucket: &str) -> String {
    let run = getrandom::u64().unwrap();
    format!(
        r#"
[upload_buffer]
size = "40GiB"
[cache]
size = "40GiB"
free_floor = "0B"
[[tier]]
name = "cloud"
kind = "s3"
bucket = "{bucket}"
prefix = "rate-{run:016x}/"
endpoint = "{endpoint}"
compress = "off"
"#
    )
}

struct Home {
    capstan: PathBuf,
    config: PathBuf,
    directory: PathBuf,
}

impl Home {
    fn socket(&self) -> PathBuf {
        self.directory.join("state/capstan.sock")
    }

    async fn start(&self) -> Child {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.directory.join("log")).unwrap();
        let mut command = Command::new(&self.capstan);
        command.args(["serve", "--listen", PORTAL, "--config"]).arg(&self.config);
        command.arg("--state").arg(self.directory.join("state")).stdout(Stdio::null()).stderr(log);
        let child = command.spawn().unwrap();
        let began = Instant::now();
        while tokio::net::TcpStream::connect(PORTAL).await.is_err() || !self.socket().exists() {
            assert!(began.elapsed() < TIMEOUT, "{}", fs::read_to_string(self.directory.join("log")).unwrap());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        child
    }

    fn ask(&self, words: &[&str]) -> serde_json::Value {
        let mut command = Command::new(&self.capstan);
        let output = command.arg("--socket").arg(self.socket()).args(words).args(["--json", "--yes"]).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

async fn drive() -> Tape {
    let address: SocketAddr = PORTAL.parse().unwrap();
    let login = Login::new("iqn.2026-11.io.capstan:rate", "iqn.2026-11.io.capstan:gw.drive-00");
    let session = Session::log_in(address, &login, TIMEOUT).await.unwrap();
    let device = Device::new(session, Lun::flat(0), TIMEOUT);
    device.wait_ready().await.unwrap();
    Tape::new(device)
}

/// Block `number` of a round: random, and known.
fn block(random: &Bytes, number: u64) -> Bytes {
    let offset = usize::try_from(number * 4099 % u64::try_from(random.len() - BLOCK).unwrap()).unwrap();
    random.slice(offset..offset + BLOCK)
}

fn random(seed: u64) -> Bytes {
    let mut state = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let words = std::iter::repeat_with(|| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes()
    });
    words.take(8 << 20).flatten().collect::<Vec<u8>>().into()
}

fn blocks(mib: u64) -> u64 {
    (mib << 20) / u64::try_from(BLOCK).unwrap()
}

async fn write_tape(home: &Home, barcode: &str, mib: u64, seed: u64) {
    home.ask(&["library", "load", barcode, "0"]);
    let (tape, random) = (drive().await, random(seed));
    for number in 0..blocks(mib) {
        tape.write_block(block(&random, number)).await.unwrap();
    }
    tape.write_filemarks(1, false).await.unwrap();
    tape.session().log_out(TIMEOUT).await.unwrap();
    home.ask(&["library", "unload", "0"]);
}

async fn read_tape(home: &Home, barcode: &str, mib: u64, seed: u64) -> Duration {
    home.ask(&["library", "load", barcode, "0"]);
    let (tape, random) = (drive().await, random(seed));
    tape.rewind().await.unwrap();
    let began = Instant::now();
    for number in 0..blocks(mib) {
        let limit = u32::try_from(BLOCK).unwrap();
        let BlockRead::Block(read) = tape.read_block(limit).await.unwrap() else { panic!("block {number} is missing") };
        if number == 0 {
            println!("first block after {:?}", began.elapsed());
        }
        assert!(read == block(&random, number), "block {number} is another");
    }
    let took = began.elapsed();
    tape.session().log_out(TIMEOUT).await.unwrap();
    home.ask(&["library", "unload", "0"]);
    took
}

/// From `tier resume` until nothing is only here.
async fn ship(home: &Home, mib: u64) -> Duration {
    let waiting = |status: &serde_json::Value| status["unshipped_bytes"].as_u64().unwrap();
    assert!(waiting(&home.ask(&["status"])) >= mib << 20);
    let began = Instant::now();
    home.ask(&["tier", "resume", "cloud"]);
    let sent = |tier: serde_json::Value| tier["uploaded_bytes"].as_u64().unwrap();
    while sent(home.ask(&["tier", "status", "cloud"])) < mib << 20 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let took = began.elapsed();
    while waiting(&home.ask(&["status"])) > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("all in the manifest after {:?}", began.elapsed());
    took
}

async fn upload(tier: &Arc<dyn Tier>, keys: &[String], _: u64) -> Duration {
    let content = random(77);
    let began = Instant::now();
    let mut running = JoinSet::new();
    for (number, key) in keys.iter().cloned().enumerate() {
        if running.len() >= PARALLEL_UP {
            running.join_next().await.unwrap().unwrap();
        }
        let (tier, content) = (Arc::clone(tier), content.slice(number..number + OBJECT - 4096));
        running.spawn(async move { tier.create(&key, Body::from(content)).await.unwrap() });
    }
    while running.join_next().await.is_some() {}
    began.elapsed()
}

async fn download(tier: &Arc<dyn Tier>, keys: &[String], _: u64) -> Duration {
    let began = Instant::now();
    let mut running = JoinSet::new();
    let piece = 8_u64 << 20;
    for key in keys {
        for number in 0..8 {
            if running.len() >= PARALLEL_DOWN {
                running.join_next().await.unwrap().unwrap();
            }
            let (tier, key) = (Arc::clone(tier), key.clone());
            let end = ((number + 1) * piece).min(u64::try_from(OBJECT).unwrap() - 4096);
            running.spawn(async move { tier.read(&key, number * piece..end).await.unwrap().len() });
        }
    }
    while running.join_next().await.is_some() {}
    began.elapsed()
}

fn mibs(mib: u64, took: Duration) -> u64 {
    mib * 1000 / u64::try_from(took.as_millis()).unwrap().max(1)
}

fn median(values: impl Iterator<Item = Duration>) -> Duration {
    let mut values: Vec<Duration> = values.collect();
    values.sort_unstable();
    values[values.len() / 2]
}
