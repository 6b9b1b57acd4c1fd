//! Processes that are measured.

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// The kernel counts a process's time in hundredths of a second.
const TICK: Duration = Duration::from_millis(10);

/// A running process; it ends with this value.
pub struct Process {
    child: Child,
    /// What it printed until it was ready.
    greeting: String,
}

impl Process {
    /// Starts and reads standard output up to a line that contains `ready`.
    pub fn start(program: &Path, arguments: &[&str], ready: &str) -> Self {
        let mut child = Command::new(program)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut greeting = String::new();
        while !greeting.contains(ready) {
            greeting.push_str(&lines.next().expect("it ended early").unwrap());
            greeting.push('\n');
        }
        Self { child, greeting }
    }

    /// The first word behind a label of the greeting.
    pub fn said(&self, label: &str) -> String {
        let (_, rest) = self.greeting.split_once(label).expect("it did not say so");
        rest.split_whitespace().next().unwrap().to_owned()
    }

    /// User and system time so far.
    pub fn cpu(&self) -> Duration {
        let stat = self.read("stat");
        // Behind the name, which may hold anything: state is field 3, utime 14, stime 15.
        let (_, fields) = stat.rsplit_once(')').unwrap();
        let mut fields = fields.split_whitespace().skip(11);
        let mut ticks = || fields.next().unwrap().parse::<u32>().unwrap();
        TICK * (ticks() + ticks())
    }

    /// Resident memory, in MiB.
    pub fn resident_mib(&self) -> f64 {
        let status = self.read("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.unwrap().split_whitespace().next().unwrap();
        kib.parse::<f64>().unwrap() / 1024.0
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Builds the product as it is released, with the features of this build, and answers where it is.
pub fn build() -> PathBuf {
    let cargo = env::var_os("CARGO").expect("start this with cargo run, or name --binary");
    let built = Command::new(cargo)
        .args([
            "build",
            "--release",
            "--locked",
            "-p",
            "convene",
            "-p",
            "convene-tests",
        ])
        .args(["--bin", "convene"])
        .status()
        .unwrap();
    assert!(built.success(), "the product was not built");
    env::current_exe().unwrap().with_file_name("convene")
}
