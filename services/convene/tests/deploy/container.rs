//! The Containerfile: what it copies is there, and it starts the binary.

use crate::{deploy, option, read, scale_out};

#[test]
fn what_the_image_is_made_of_is_there() {
    let text = read(&deploy().join("container/Containerfile"));
    let root = deploy().join("..");
    let words = |line: &str| {
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let mut copied = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("COPY ")) {
        let line = words(line);
        match line[1].strip_prefix("--from=build") {
            // Built by the line above it.
            Some(_) => assert!(line[2].ends_with("/target/release/convene")),
            None => assert!(root.join(&line[1]).exists(), "{line:?}"),
        }
        copied.push(line.last().unwrap().clone());
    }
    assert!(copied.contains(&"/usr/bin/convene".to_owned()));
    assert!(copied.contains(&"/etc/convene/convene.toml".to_owned()));
    assert!(text.contains("ENTRYPOINT [\"/usr/bin/convene\"]"));
    let build = text.lines().find(|line| line.contains("cargo build"));
    let build: Vec<_> = words(build.unwrap());
    assert_eq!(option(&build, "-p"), "convene");
    // Its home is where the configuration keeps data.
    let home = scale_out().data.parent().unwrap().display().to_string();
    assert!(text.contains(&format!("--home-dir {home} ")));
    assert!(text.contains("\nUSER 10001:10001\n"), "not as root");
}
