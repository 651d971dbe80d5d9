//! Servers as processes of their own, so that what they cost can be told from what the load costs.

use std::{
    env, fs,
    io::{self, BufRead, BufReader, Write},
    net::SocketAddr,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
};

use super::Outcome;

/// Names the role of a child process and its arguments.
const ROLE: &str = "ORGSERVICE_LOAD_ROLE";

/// Ticks of `/proc/<pid>/stat` in a second, fixed in Linux's interface.
const TICKS: u32 = 100;

/// What a child says once it serves.
pub struct Ready {
    pub addresses: Vec<SocketAddr>,
}

impl Ready {
    /// Says it, on standard output.
    pub fn tell(&self) -> Outcome<()> {
        let addresses: Vec<_> = self.addresses.iter().map(SocketAddr::to_string).collect();
        let mut out = io::stdout().lock();
        writeln!(out, "{}", addresses.join(" "))?;
        out.flush()?;
        Ok(())
    }
}

/// Ready when the parent closes standard input, because it wants so or is gone.
pub async fn told_to_end() {
    let until_its_end = || io::copy(&mut io::stdin().lock(), &mut io::sink());
    // Whatever ends the wait ends the server.
    let _ = tokio::task::spawn_blocking(until_its_end).await;
}

/// The role of this process, if it is a child: its words.
pub fn role() -> Option<Vec<String>> {
    let role = env::var(ROLE).ok()?;
    Some(role.split('\n').map(str::to_owned).collect())
}

/// A running server.
pub struct Server {
    process: Child,
    stdin: Option<ChildStdin>,
    /// Where it listens.
    pub addresses: Vec<SocketAddr>,
}

impl Server {
    /// Runs this program again in a role, and waits until it serves.
    pub fn start(role: &[&str]) -> Outcome<Self> {
        let mut process = Command::new(env::current_exe()?)
            .env(ROLE, role.join("\n"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdin = process.stdin.take();
        let stdout = process.stdout.take().ok_or("no standard output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let addresses = line
            .split_whitespace()
            .map(str::parse)
            .collect::<Result<Vec<SocketAddr>, _>>()?;
        if addresses.is_empty() {
            return Err(format!("the {} ended before it served", role.join(" ")).into());
        }
        Ok(Server {
            process,
            stdin,
            addresses,
        })
    }

    /// The first address.
    pub fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// Seconds of processor time so far.
    pub fn cpu(&self) -> Outcome<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        // The second field is the program's name in parentheses and may hold anything.
        let (_, fields) = stat.rsplit_once(')').ok_or("stat without a name")?;
        let ticks: u64 = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(str::parse::<u64>)
            .sum::<Result<_, _>>()?;
        Ok(ticks as f64 / f64::from(TICKS))
    }

    /// Mebibytes that are resident.
    pub fn resident(&self) -> Outcome<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let kibibytes: f64 = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.split_whitespace().next())
            .ok_or("no VmRSS")?
            .parse()?;
        Ok(kibibytes / 1024.0)
    }

    /// Asks it to end, and waits.
    pub fn stop(mut self) -> Outcome<()> {
        self.stdin = None;
        self.process.wait()?;
        Ok(())
    }

    /// Kills it as a crash would.
    pub fn kill(mut self) -> Outcome<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ended already, or about to be of no use to anybody.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Bytes of the files in a folder, as the disk counts them.
pub fn disk_bytes(folder: &Path) -> Outcome<u64> {
    use std::os::unix::fs::MetadataExt as _;
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() {
            disk_bytes(&entry.path())?
        } else {
            entry.metadata()?.blocks() * 512
        };
    }
    Ok(bytes)
}
