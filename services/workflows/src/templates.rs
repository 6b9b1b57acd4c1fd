//! Workflows to begin with.

/// A workflow that comes with Convene.
#[derive(Clone, Copy, Debug)]
pub struct Template {
    /// Its name.
    pub name: &'static str,
    /// Its definition, to be published as it is or changed.
    pub source: &'static str,
}

macro_rules! templates {
    ($($name:literal),* $(,)?) => {
        /// All of them.
        pub const TEMPLATES: [Template; [$($name),*].len()] = [$(Template {
            name: $name,
            source: include_str!(concat!("../builtin/", $name, ".yaml")),
        }),*];
    };
}

templates![
    "confirm-and-remind",
    "escalate-late-host",
    "follow-up",
    "no-show",
    "record-with-consent",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::parse;

    #[test]
    fn they_can_be_published() {
        for template in TEMPLATES {
            let parsed = parse(template.source);
            let definition =
                parsed.unwrap_or_else(|problems| panic!("{}: {problems:?}", template.name));
            assert_eq!(definition.name, template.name);
            assert!(!definition.title.is_empty());
        }
    }
}
