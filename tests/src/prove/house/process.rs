//! A process of the house.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

/// What a process says last before it works; the simulator's differs.
pub const READY: &str = "Stop with Ctrl-C";

/// A process that is ended with its owner.
pub struct Process {
    child: Child,
    said: String,
    /// Held open, so that the process can go on printing.
    output: BufReader<ChildStdout>,
}

impl Process {
    /// Starts it; [`Self::until`] waits for it.
    pub fn spawn(binary: &Path, arguments: &[String], log: &Path) -> Result<Self, String> {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(log);
        let mut child = Command::new(binary)
            .args(arguments)
            // Houses beside each other take whatever ports are free.
            .env("CONVENE_OPERATIONS__LISTEN", "127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log.map_err(|error| error.to_string())?)
            .spawn()
            .map_err(|error| format!("{} cannot be started: {error}", binary.display()))?;
        Ok(Self {
            output: BufReader::new(child.stdout.take().ok_or("no output")?),
            said: String::new(),
            child,
        })
    }

    /// Waits until it has said this.
    pub fn until(mut self, ready: &str) -> Result<Self, String> {
        while !self.said.contains(ready) {
            let read = self.output.read_line(&mut self.said);
            if read.map_err(|error| error.to_string())? == 0 {
                let ended = self.child.wait().map_err(|error| error.to_string())?;
                return Err(format!(
                    "a process ended early ({ended}); its log says why: {}",
                    self.said
                ));
            }
        }
        Ok(self)
    }

    /// Whether it still does.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Memory that it holds, in bytes; 0 where the system does not tell.
    pub fn resident(&self) -> u64 {
        let told = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let told = told.unwrap_or_default();
        let line = told.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kib.unwrap_or(0) << 10
    }

    /// The first word behind a label of what it said.
    pub fn word(&self, label: &str) -> Option<String> {
        let line = self.said.lines().find(|line| line.contains(label))?;
        let rest = line.split_once(label)?.1;
        rest.split_whitespace().next().map(str::to_owned)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // By the handle of the child that was started here; gone already when it was killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
