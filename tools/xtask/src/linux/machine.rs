//! What every job needs from this machine: root, Debian packages, and the guest's root.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::options::Form;
use crate::process;
use crate::workspace::Workspace;

/// Program that must be there, and the Debian package that has it.
const NEEDED: &[(&str, &str)] = &[("linux.uml", "user-mode-linux"), ("debootstrap", "debootstrap"), ("ip", "iproute2")];

/// A machine that can run jobs.
pub(super) struct Machine {
    /// `scsi-tests/linux`, seen in the guest as `/rig`.
    pub(super) rig: PathBuf,
    /// The guest's root file system.
    pub(super) root: PathBuf,
    /// One directory a job: logs, the shared directory, the daemon's state.
    pub(super) results: PathBuf,
    /// Keep the daemon's state after a job.
    pub(super) keep: bool,
    pub(super) form: Form,
    /// Held as long as we use `results`.
    _lock: File,
}

impl Machine {
    pub(super) fn prepare(workspace: &Workspace, keep: bool, form: Form) -> Result<Self> {
        refuse_without_tap()?;
        let rig = workspace.root.join("scsi-tests/linux");
        let results = workspace.target.join("linux");
        fs::create_dir_all(&results)?;
        let lock = File::create(results.join("lock"))?;
        lock.try_lock().with_context(|| format!("another run uses {}", results.display()))?;
        let root = root(workspace)?;
        for path in [&rig, &root, &results] {
            refuse_awkward(path)?;
        }
        Ok(Self { rig, root, results, keep, form, _lock: lock })
    }
}

/// The guest's root, with what is needed to boot it.
pub(super) fn root(workspace: &Workspace) -> Result<PathBuf> {
    refuse_without_root()?;
    install_packages()?;
    guest_root(&workspace.root.join("scsi-tests/linux/guest/build-root.sh"))
}

fn refuse_without_root() -> Result<()> {
    if fs::metadata("/proc/self").context("no /proc")?.uid() != 0 {
        bail!("the guest needs root: namespaces, a tap device, and a root of its own that has to be built");
    }
    Ok(())
}

fn refuse_without_tap() -> Result<()> {
    if !Path::new("/dev/net/tun").exists() {
        bail!("the jobs need /dev/net/tun, by which the guest reaches the daemon");
    }
    Ok(())
}

fn install_packages() -> Result<()> {
    let missing: Vec<&str> =
        NEEDED.iter().filter(|(program, _)| !process::installed(program)).map(|&(_, package)| package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("installing {}", missing.join(" "));
    let install = |words: &[&str]| {
        process::output(process::command(words).env("DEBIAN_FRONTEND", "noninteractive"))
            .with_context(|| format!("the jobs need the Debian packages {}", missing.join(" ")))
    };
    install(&["apt-get", "update"])?;
    install(&[&["apt-get", "install", "-y", "--no-install-recommends"], missing.as_slice()].concat())?;
    Ok(())
}

/// The root that this version of the script builds; built once, also if two runs begin at the same time.
fn guest_root(script: &Path) -> Result<PathBuf> {
    let cache = cache_directory()?;
    fs::create_dir_all(&cache)?;
    let root = cache.join(format!("root-{:016x}", fnv1a(&fs::read(script)?)));
    let lock = File::create(cache.join("lock"))?;
    lock.lock().context("waiting for another run that builds the guest's root")?;
    if root.exists() {
        return Ok(root);
    }
    println!("building the guest's root in {} (a minute or three)", root.display());
    let partial = root.with_extension("partial");
    if partial.exists() {
        fs::remove_dir_all(&partial)?;
    }
    let log = cache.join("build-root.log");
    let output = File::create(&log)?;
    let mut build = process::command(&["bash".as_ref(), script.as_os_str(), partial.as_os_str()]);
    if !process::succeeds(build.stdout(output.try_clone()?).stderr(output))? {
        bail!("the guest's root cannot be built; the end of {}:\n{}", log.display(), super::trial::tail(&log, 15));
    }
    fs::rename(&partial, &root)?;
    Ok(root)
}

fn cache_directory() -> Result<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME") {
        Some(base) => PathBuf::from(base),
        None => {
            PathBuf::from(std::env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?).join(".cache")
        }
    };
    Ok(base.join("capstan-linux"))
}

/// These paths become words and comma-separated options on the guest kernel's command line.
fn refuse_awkward(path: &Path) -> Result<()> {
    if path.display().to_string().contains([' ', ',', '\t', '\n']) {
        bail!("{}: the guest's kernel cannot be given a path with a blank or a comma", path.display());
    }
    Ok(())
}

/// A name for a version of the script, not a proof of anything.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_named_by_its_script() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
    }

    #[test]
    fn a_blank_in_a_path_is_refused() {
        assert!(refuse_awkward(Path::new("/a b")).is_err());
        assert!(refuse_awkward(Path::new("/a-b")).is_ok());
    }
}
