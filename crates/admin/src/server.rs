//! The socket, and serving requests on it.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use axum::Router;
use tokio::net::{UnixListener, UnixStream};

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another daemon answers there.
    #[error("another daemon answers at {}", .0.display())]
    InUse(PathBuf),
    /// Something that is not a socket is there.
    #[error("{} is there and is no socket", .0.display())]
    NotASocket(PathBuf),
    /// The file system said no.
    #[error("cannot {what} {}: {error}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

/// Makes the socket, for its owner alone. A socket that a dead daemon left behind is replaced.
///
/// Two daemons that start at once are told apart by the lock on the state directory, which has to be held already.
///
/// # Errors
/// [`BindError`].
pub async fn bind(socket: &Path) -> Result<UnixListener, BindError> {
    let io = |what, error| BindError::Io { what, path: socket.to_owned(), error };
    match fs::symlink_metadata(socket) {
        Ok(found) if !found.file_type().is_socket() => return Err(BindError::NotASocket(socket.to_owned())),
        Ok(_) if UnixStream::connect(socket).await.is_ok() => return Err(BindError::InUse(socket.to_owned())),
        Ok(_) => fs::remove_file(socket).map_err(|error| io("remove", error))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(io("look at", error)),
    }
    // The socket must never be open to others, not even between bind and chmod: it is made under a name that nobody
    // knows in a directory that only its owner can enter, and moved when it is ready.
    let private = Private::beside(socket).map_err(|error| io("make a directory for", error))?;
    let hidden = private.0.join("s");
    let listener = UnixListener::bind(&hidden).map_err(|error| io("bind", error))?;
    fs::set_permissions(&hidden, fs::Permissions::from_mode(0o600)).map_err(|error| io("protect", error))?;
    fs::rename(&hidden, socket).map_err(|error| io("make", error))?;
    Ok(listener)
}

/// A directory for its owner alone, removed when it is dropped.
struct Private(PathBuf);

impl Private {
    fn beside(socket: &Path) -> io::Result<Self> {
        // Hardly ever longer than the socket's own path, which the kernel limits.
        let path = socket.with_file_name(format!(".{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700))?;
        Ok(Self(path))
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Answers requests until `stop` is done and the requests that came before it are answered.
///
/// # Errors
/// The socket failed.
pub async fn serve(
    listener: UnixListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    axum::serve(listener, router).with_graceful_shutdown(stop).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_owner_can_use_the_socket_and_nothing_else_is_left_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("s.sock");
        let _listener = bind(&socket).await.unwrap();
        assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        UnixStream::connect(&socket).await.unwrap();
    }

    #[tokio::test]
    async fn a_dead_socket_is_replaced_and_a_living_one_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("s.sock");
        let first = bind(&socket).await.unwrap();
        assert!(matches!(bind(&socket).await, Err(BindError::InUse(_))));
        drop(first);
        let _second = bind(&socket).await.unwrap();
        UnixStream::connect(&socket).await.unwrap();
    }

    #[tokio::test]
    async fn a_file_in_the_way_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("s.sock");
        fs::write(&socket, "precious").unwrap();
        assert!(matches!(bind(&socket).await, Err(BindError::NotASocket(_))));
        assert_eq!(fs::read(&socket).unwrap(), b"precious");
    }
}
