//! Points at which a test may disturb a role: before and after each commit, effect, fact and call.
//!
//! Nothing configures it: a probe is handed to a node by the code that starts it. Without one a point costs a branch.

use std::sync::Arc;

use async_trait::async_trait;

use crate::error::{Error, Result};

/// What happens at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Act {
    /// A change of the store.
    Commit,
    /// An effect at the outside, or a timer.
    Effect,
    /// A fact of another service that is applied.
    Fact,
    /// A call that another role made.
    Call,
}

/// On which side of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Nothing has happened yet.
    Before,
    /// It has happened; nobody knows yet.
    After,
}

/// A place in a role's work.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Point {
    /// The role.
    pub role: &'static str,
    /// What happens there.
    pub act: Act,
    /// Which of its kind: the function that changes, the name of the effect or fact, the method called.
    pub what: String,
    /// Before or after it.
    pub side: Side,
}

impl std::fmt::Display for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            role,
            act,
            what,
            side,
        } = self;
        write!(f, "{role}: {side:?} {act:?} {what}")
    }
}

/// How it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As if nobody had looked.
    Pass,
    /// With a failure: after the act, although it happened.
    Fail,
    /// After an effect: it is done once more before it is settled. Elsewhere the same as [`Verdict::Pass`].
    Again,
}

/// Looks at every point; while it has not answered, the role waits there.
#[async_trait]
pub trait Probe: Send + Sync + 'static {
    /// How it goes on.
    async fn at(&self, point: Point) -> Verdict;
}

/// A role's probe, if any.
#[derive(Clone, Default)]
pub struct Probed(Option<(&'static str, Arc<dyn Probe>)>);

impl std::fmt::Debug for Probed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_on() { "Probed" } else { "Unprobed" })
    }
}

impl Probed {
    /// The points of a role.
    pub fn new(role: &'static str, probe: Option<Arc<dyn Probe>>) -> Self {
        Self(probe.map(|probe| (role, probe)))
    }

    /// Whether anybody looks.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Passes a point; `true` when the act is to be done again.
    pub(crate) async fn pass(
        &self,
        side: Side,
        act: Act,
        what: impl FnOnce() -> String,
    ) -> Result<bool> {
        let Some((role, probe)) = &self.0 else {
            return Ok(false);
        };
        let point = Point {
            role,
            act,
            what: what(),
            side,
        };
        match probe.at(point).await {
            Verdict::Pass => Ok(false),
            Verdict::Again => Ok(true),
            Verdict::Fail => Err(Error::unavailable("DISTURBED", "a test failed this point")),
        }
    }
}

/// The function whose change it is, from the name of its closure's type: without types, which say less than the name.
pub(crate) fn function<F>() -> String {
    plain(std::any::type_name::<F>())
}

fn plain(name: &str) -> String {
    let mut depth = 0usize;
    let mut plain = String::new();
    for letter in name.replace("::{{closure}}", "").chars() {
        match letter {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            letter if depth == 0 => plain.push(letter),
            _ => {}
        }
    }
    plain.replace("::::", "::")
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn functions_are_named_without_their_types() {
        let closure = "kit::run::Runner<a::B<C>>::settle::{{closure}}::{{closure}}";
        assert_eq!(plain(closure), "kit::run::Runner::settle");
        let method = "s::book::<impl s::Scheduler>::book_meeting::{{closure}}";
        assert_eq!(plain(method), "s::book::book_meeting");
    }
}
