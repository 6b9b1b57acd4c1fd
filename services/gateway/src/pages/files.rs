//! The files of the pages. A test compares this list with the folder.

/// Declares files by their path below `/pages/` and their place in the repository.
macro_rules! files {
    ($($path:literal from $place:literal),* $(,)?) => {
        /// Path below `/pages/`, and what is there.
        pub const FILES: &[(&str, &str)] = &[$(($path, include_str!(concat!("../../pages/", $place)))),*];
    };
}

files! {
    "client/app.js" from "built/client/app.js",
    "client/connection.js" from "built/client/connection.js",
    "client/errors.js" from "built/client/errors.js",
    "client/follow.js" from "built/client/follow.js",
    "client/guest.js" from "built/client/guest.js",
    "client/index.js" from "built/client/index.js",
    "client/sse.js" from "built/client/sse.js",
    "locales/ar.json" from "locales/ar.json",
    "locales/de.json" from "locales/de.json",
    "locales/en.json" from "locales/en.json",
    "locales/es.json" from "locales/es.json",
    "locales/fr.json" from "locales/fr.json",
    "shared/dom.js" from "built/shared/dom.js",
    "shared/locale.js" from "built/shared/locale.js",
    "shared/theme.js" from "built/shared/theme.js",
    "style/base.css" from "style/base.css",
    "style/wait.css" from "style/wait.css",
    "wait/devices.js" from "built/wait/devices.js",
    "wait/main.js" from "built/wait/main.js",
    "wait/render.js" from "built/wait/render.js",
    "wait/ticket.js" from "built/wait/ticket.js",
    "wait/view.js" from "built/wait/view.js",
}
