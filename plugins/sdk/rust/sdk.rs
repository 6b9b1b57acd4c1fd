//! What every plugin in Rust needs: verdicts, settings, and a panic's words in the log of the call.
#![allow(dead_code, reason = "a plugin takes what it needs")]

use std::panic;

pub use crate::{
    convene::plugin::types::{Context, Fault},
    exports::convene::plugin::lobby::{Arrival, Decision},
};

/// Let the guest in. Reasons are codes of at most 64 of A-Z, 0-9 and _.
pub fn admit(reason: &str) -> Decision {
    Decision::Admit(reason.to_owned())
}

/// Let a host decide.
pub fn wait(reason: &str) -> Decision {
    Decision::Wait(reason.to_owned())
}

/// Turn the guest away.
pub fn deny(reason: &str) -> Decision {
    Decision::Deny(reason.to_owned())
}

/// The guest waits in this queue: a name of at most 64 of a-z, 0-9 and -.
pub fn route(queue: &str) -> Decision {
    Decision::Route(queue.to_owned())
}

/// The guest waits until this step is done.
pub fn require_step(step: &str) -> Decision {
    Decision::RequireStep(step.to_owned())
}

/// "I cannot decide": the failure policy of the binding holds. The code is like a reason; the message is for the plugin's owner.
pub fn fault(code: &str, message: impl Into<String>) -> Fault {
    Fault {
        code: code.to_owned(),
        message: message.into(),
        retry: false,
    }
}

/// A setting of the binding.
pub fn setting<'a>(context: &'a Context, name: &str) -> Option<&'a str> {
    let mut settings = context.attributes.iter();
    let found = settings.find(|(known, _)| known == name);
    found.map(|(_, value)| value.as_str())
}

/// A setting that holds a list with commas.
pub fn list<'a>(context: &'a Context, name: &str) -> impl Iterator<Item = &'a str> {
    let items = setting(context, name).unwrap_or_default().split(',');
    items.map(str::trim).filter(|item| !item.is_empty())
}

/// Lets a panic say in the call's log what happened; without it a call that panics is only a trap.
pub fn tell_panics() {
    panic::set_hook(Box::new(|info| {
        let text = info.to_string();
        crate::convene::plugin::log::write(crate::convene::plugin::log::Level::Error, &text);
    }));
}

/// Exports `fn decide(context: &Context, arrival: &Arrival) -> Result<Decision, Fault>` as the lobby's hook.
#[macro_export]
macro_rules! lobby {
    ($decide:path) => {
        struct Plugin;

        impl $crate::exports::convene::plugin::lobby::Guest for Plugin {
            fn on_lobby_arrival(
                context: $crate::sdk::Context,
                arrival: $crate::sdk::Arrival,
            ) -> Result<$crate::sdk::Decision, $crate::sdk::Fault> {
                $crate::sdk::tell_panics();
                $decide(&context, &arrival)
            }
        }

        export!(Plugin);
    };
}
