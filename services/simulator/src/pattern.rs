//! Paths of data files: `*` is one segment, `**` at the end is any number of them.

use serde::Deserialize;

/// A path below the version.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "String")]
pub struct Pattern {
    segments: Vec<String>,
    open: bool,
}

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        let (path, open) = match text.strip_suffix("/**") {
            Some(path) => (path, true),
            None => (text.as_str(), false),
        };
        let segments = path.split('/').skip(1).map(str::to_owned).collect();
        Self { segments, open }
    }
}

impl Pattern {
    /// Whether it is the path of a request, written as routes know it.
    pub fn holds(&self, path: &str) -> bool {
        let mut given = path.split('/').skip(1);
        self.segments.iter().all(|wanted| {
            given
                .next()
                .is_some_and(|one| wanted == "*" || one == wanted)
        }) && (self.open || given.next().is_none())
    }
}

/// A path without its version.
pub fn below_version(path: &str) -> &str {
    let below = path.strip_prefix("/v1.0");
    below.or_else(|| path.strip_prefix("/beta")).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_segments() {
        let holds = |pattern: &str, path| Pattern::from(pattern.to_owned()).holds(path);
        assert!(holds("/users/*", "/users/a"));
        assert!(!holds("/users/*", "/users"));
        assert!(!holds("/users/*", "/users/a/events"));
        assert!(holds("/users/*/events/**", "/users/a/events"));
        assert!(holds("/users/*/events/**", "/users/a/events/b/cancel"));
        assert!(!holds("/users/*/events/**", "/users/a/eventsx"));
        assert!(holds("/**", "/anything/at/all"));
    }
}
