//! What is done because of a call. Nobody is let in by a failure (I3).

use std::fmt;

use convene_domain::visit::WaitsFor;
use convene_kit::{Error, Result};
use convene_plugin_host::{Fault, hook::lobby::Verdict};

/// What is done when a plugin brings no verdict. Letting in is not among it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnFault {
    /// A host decides.
    Wait,
    /// The guest is turned away.
    Deny,
    /// The guest waits in this queue.
    Route(String),
}

impl OnFault {
    /// "wait" (also when empty), "deny", or "route:<queue>".
    pub fn parse(text: &str) -> Result<Self> {
        let is_queue = |name: &str| {
            let of = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
            (1..=64).contains(&name.len()) && name.bytes().all(of)
        };
        match text {
            "" | "wait" => Ok(Self::Wait),
            "deny" => Ok(Self::Deny),
            _ => match text.strip_prefix("route:") {
                Some(queue) if is_queue(queue) => Ok(Self::Route(queue.to_owned())),
                _ => Err(Error::invalid(
                    "onFault",
                    "POLICY_UNKNOWN",
                    "onFault is wait, deny, or route: and a queue of 1 to 64 of a-z, 0-9 and -; nobody is let in by a failure",
                )),
            },
        }
    }
}

impl fmt::Display for OnFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wait => f.write_str("wait"),
            Self::Deny => f.write_str("deny"),
            Self::Route(queue) => write!(f, "route:{queue}"),
        }
    }
}

/// What becomes of the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// Let in, for this reason code.
    Admit(String),
    /// Turned away, for this reason code.
    Deny(String),
    /// Waits: for a host, or for something else.
    Wait(Option<WaitsFor>),
}

/// What is written down of an outcome: word and subject.
pub fn told(outcome: &Result<Verdict, Fault>) -> (&'static str, &str) {
    match outcome {
        Ok(verdict) => (verdict.word(), verdict.subject()),
        Err(fault) => ("FAULT", fault.reason.name()),
    }
}

/// What is done because of an outcome.
pub fn then(outcome: &Result<Verdict, Fault>, on_fault: &OnFault) -> Then {
    match outcome {
        Ok(Verdict::Admit(reason)) => Then::Admit(reason.clone()),
        Ok(Verdict::Deny(reason)) => Then::Deny(reason.clone()),
        Ok(Verdict::Wait(_)) => Then::Wait(None),
        Ok(Verdict::Route(queue)) => Then::Wait(Some(WaitsFor::Queue(queue.clone()))),
        Ok(Verdict::RequireStep(step)) => Then::Wait(Some(WaitsFor::Step(step.clone()))),
        Err(_) => match on_fault {
            OnFault::Wait => Then::Wait(None),
            OnFault::Deny => Then::Deny("PLUGIN_FAILED".into()),
            OnFault::Route(queue) => Then::Wait(Some(WaitsFor::Queue(queue.clone()))),
        },
    }
}

#[cfg(test)]
mod tests {
    use convene_plugin_host::Reason;

    use super::*;

    /// I3: whatever goes wrong, under whatever policy, nobody is let in.
    #[test]
    fn no_failure_admits() {
        let policies = ["", "wait", "deny", "route:desk"].map(|text| OnFault::parse(text).unwrap());
        for reason in Reason::ALL {
            for policy in &policies {
                let outcome = Err(Fault::new(reason, "x"));
                assert!(!matches!(then(&outcome, policy), Then::Admit(_)));
                assert_eq!(told(&outcome), ("FAULT", reason.name()));
            }
        }
    }

    #[test]
    fn policies_that_admit_do_not_exist() {
        for text in [
            "admit",
            "accept",
            "open",
            "route:",
            "route:Desk",
            "hold:60",
            "WAIT",
        ] {
            assert_eq!(
                OnFault::parse(text).unwrap_err().reason,
                "POLICY_UNKNOWN",
                "{text}"
            );
        }
        for text in ["wait", "deny", "route:desk-2"] {
            assert_eq!(OnFault::parse(text).unwrap().to_string(), text);
        }
    }
}
