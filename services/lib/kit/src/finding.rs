//! What an examination of an installation finds. Each part of the product has a closed list of [`Kind`]s, written out in `schema/health-findings.md`; a
//! [`Finding`] is one of them about one subject.

use serde::{Serialize, Serializer};

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// As it should be.
    Ok,
    /// It works, and something wants a look: a part does not, or will not for long.
    Warning,
    /// Bookings fail, or the installation is not safe.
    Failure,
}

impl Severity {
    /// `OK`, `WARNING` or `FAILURE`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Failure => "FAILURE",
        }
    }
}

impl Serialize for Severity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A line of the closed list. `{name}` in its texts is filled in by each finding; `{subject}` is always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Stable SCREAMING_SNAKE name.
    pub code: &'static str,
    /// How much it matters; always the same for a code.
    pub severity: Severity,
    /// What kind of thing its subject is: `PERMISSION`, `USER`, `DATABASE` …
    pub about: &'static str,
    /// What is wrong, or right.
    pub says: &'static str,
    /// A command or the steps in a portal; empty when nothing is to be done.
    pub remedy: &'static str,
}

/// One finding, for people and programs; free of secrets. Subjects may be users of the provider: not for logs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The kind's code.
    pub code: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What kind of thing the subject is.
    pub about: &'static str,
    /// Which permission, user, database …
    pub subject: String,
    /// What is wrong, or right.
    pub says: String,
    /// What to do; empty when nothing is.
    pub remedy: String,
}

impl Kind {
    /// A finding about this subject.
    pub fn of(&self, subject: &str) -> Finding {
        self.with(subject, &[])
    }

    /// A finding about this subject, whose texts have further gaps.
    pub fn with(&self, subject: &str, values: &[(&str, &str)]) -> Finding {
        let value = |name: &str| match name {
            "subject" => Some(subject),
            _ => values.iter().find(|(one, _)| *one == name).map(|one| one.1),
        };
        let plain = |_: &str, text: &str| printable(text);
        Finding {
            code: self.code,
            severity: self.severity,
            about: self.about,
            subject: printable(subject),
            says: fill(self.says, value, plain),
            // Remedies are pasted into shells.
            remedy: fill(self.remedy, value, word),
        }
    }
}

/// Puts values into the gaps; a gap without a value stays, so that tests see it.
fn fill<'v>(
    template: &str,
    value: impl Fn(&str) -> Option<&'v str>,
    write: impl Fn(&str, &str) -> String,
) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((name, after)) = behind.split_once('}') else {
            filled.push('{');
            rest = behind;
            continue;
        };
        match value(name) {
            Some(text) => filled.push_str(&write(name, text)),
            None => filled.push_str(&format!("{{{name}}}")),
        }
        rest = after;
    }
    filled + rest
}

/// Subjects come from configuration, tenants and providers: nothing of them may steer a terminal.
fn printable(text: &str) -> String {
    let plain = |c: char| if c.is_control() { '?' } else { c };
    text.chars().map(plain).collect()
}

/// A value that can be no more than a word of a command; for any other stands its name.
fn word(name: &str, text: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "@._-+/:, ".contains(c);
    match text.chars().all(harmless) && !text.is_empty() && !text.starts_with('-') {
        true => text.to_owned(),
        false => format!("<{name}>"),
    }
}

/// The worst of them; `Ok` of none.
pub fn worst(findings: &[Finding]) -> Severity {
    let all = findings.iter().map(|finding| finding.severity);
    all.max().unwrap_or(Severity::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Kind = Kind {
        code: "POLICY_MISSING",
        severity: Severity::Failure,
        about: "USER",
        says: "{subject} has no policy for {application}",
        remedy: "Grant -Identity '{subject}' -AppIds '{application}'",
    };

    #[test]
    fn gaps_are_filled() {
        let found = KIND.with("ada@example.org", &[("application", "11-22")]);
        assert_eq!(found.says, "ada@example.org has no policy for 11-22");
        let remedy = "Grant -Identity 'ada@example.org' -AppIds '11-22'";
        assert_eq!(found.remedy, remedy);
        assert!(KIND.of("x").says.contains("{application}"));
    }

    #[test]
    fn a_subject_is_no_command() {
        for evil in [
            "x'; rm -rf ~; '",
            "$(reboot)",
            "`id`",
            "a\u{2019}b",
            "-All",
            "",
        ] {
            let found = KIND.with(evil, &[("application", "a")]);
            assert_eq!(found.remedy, "Grant -Identity '<subject>' -AppIds 'a'");
        }
        let found = KIND.with("a\u{1b}[2Jb", &[("application", "a\n")]);
        assert!(!format!("{}{}", found.subject, found.says).contains(['\u{1b}', '\n']));
    }

    #[test]
    fn the_worst_counts() {
        let of = |severity| Kind { severity, ..KIND }.of("x");
        let both = [of(Severity::Ok), of(Severity::Warning)];
        assert_eq!(worst(&both), Severity::Warning);
        assert_eq!(worst(&[]), Severity::Ok);
    }
}
