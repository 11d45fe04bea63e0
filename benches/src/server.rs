//! A server under test as a child process: started, asked where it listens, ended by its pid.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use crate::Result;

/// How long a server may take to say `ready`.
const START: Duration = Duration::from_secs(20);

/// A running server; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    addr: SocketAddr,
}

impl Server {
    /// Starts `program` and waits for its line `ready <addr>`.
    ///
    /// # Errors
    ///
    /// When it cannot be started, ends early, stays silent, or listens on more than loopback.
    pub(crate) fn start(program: &Path, args: &[impl AsRef<OsStr>]) -> Result<Self> {
        let mut child = Command::new(program)
            .args(args)
            // As Node.js is run where it matters; the others do not look.
            .env("NODE_ENV", "production")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let stdout = child.stdout.take().ok_or("no stdout of the server")?;
        let (ready, is_ready) = mpsc::channel();
        // Reads on to the end, so that a talkative server does not block; ends with the server.
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(std::io::Result::ok) {
                if let Some(addr) = line.strip_prefix("ready ") {
                    // Nobody listens any more once the address is known.
                    let _ = ready.send(addr.trim().to_owned());
                }
            }
        });
        let mut server = Self { child, addr: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let addr = is_ready
            .recv_timeout(START)
            .map_err(|_| format!("{} did not say `ready <addr>`", program.display()))?;
        server.addr = addr.parse().map_err(|error| format!("ready {addr}: {error}"))?;
        match server.addr.ip().is_loopback() {
            true => Ok(server),
            false => Err(format!("{addr} is not loopback").into()),
        }
    }

    /// Where it listens.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let ended = self.child.kill().and_then(|()| self.child.wait());
        if let Err(error) = ended {
            eprintln!("could not end the server {}: {error}", self.child.id());
        }
    }
}
